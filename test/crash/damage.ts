import { systemClock } from '../../src/clock.js';
import { SluiceError } from '../../src/errors.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import { contentOf, isPart, isSame, SCENE } from './scene.js';
import type { Scene } from './scene.js';
import { Random } from './seeded.js';
import { SECTOR } from './simulated-disk.js';
import type { SimulatedDisk } from './simulated-disk.js';

/** One way to damage a directory. */
export interface Case {
  readonly name: string;
  readonly path: string;
  /** The file's content after it; undefined when the file is gone. */
  readonly change: (content: Buffer) => Buffer | undefined;
}

/** Every truncation and every bit of every file, sectors zeroed, duplicated and swapped, garbage behind the end, files gone. */
export function* damages(files: ReadonlyMap<string, Buffer>): Generator<Case> {
  for (const [path, content] of files) {
    const { byteLength } = content;
    yield { name: 'gone', path, change: () => undefined };
    for (let length = 0; length < byteLength; length++) {
      yield { name: `cut to ${length}`, path, change: (bytes) => Buffer.from(bytes.subarray(0, length)) };
    }
    for (let bit = 0; bit < byteLength * 8; bit++) {
      yield {
        name: `bit ${bit & 7} of byte ${bit >>> 3}`,
        path,
        change: (bytes) => {
          const copy = Buffer.from(bytes);
          copy[bit >>> 3]! ^= 1 << (bit & 7);
          return copy;
        },
      };
    }
    const sectors = Math.ceil(byteLength / SECTOR);
    for (let sector = 0; sector < sectors; sector++) {
      const from = sector * SECTOR;
      const with_ = (fill: (copy: Buffer) => void) => (bytes: Buffer) => {
        const copy = Buffer.from(bytes);
        fill(copy);
        return copy;
      };
      yield {
        name: `sector ${sector} zeroed`,
        path,
        change: with_((copy) => copy.subarray(from, from + SECTOR).fill(0)),
      };
      for (let other = 0; other < sectors; other++) {
        if (other === sector) continue;
        const at = other * SECTOR;
        yield {
          name: `sector ${sector} again at ${other}`,
          path,
          change: with_((copy) => copy.copy(copy, at, from, from + SECTOR)),
        };
        if (other < sector) continue;
        yield {
          name: `sectors ${sector} and ${other} swapped`,
          path,
          change: with_((copy) => {
            const one = Buffer.from(copy.subarray(from, from + SECTOR));
            copy.copy(copy, from, at, at + SECTOR);
            one.copy(copy, at);
          }),
        };
      }
    }
    const random = new Random(byteLength);
    for (const length of [1, 7, 40, 512, 5000]) {
      const garbage = Buffer.from(Array.from({ length }, () => random.below(256)));
      yield { name: `${length} bytes of garbage behind it`, path, change: (bytes) => Buffer.concat([bytes, garbage]) };
      yield {
        name: `${length} zeros behind it`,
        path,
        change: (bytes) => Buffer.concat([bytes, Buffer.alloc(length)]),
      };
      yield {
        name: `itself behind it, ${length}`,
        path,
        change: (bytes) => Buffer.concat([bytes, bytes.subarray(-length)]),
      };
    }
  }
}

export type Verdict = 'whole' | 'reported' | 'cut';

/** A judgement over 2 s is a hang. */
const LONGEST = 2000;

/**
 * Opens a damaged directory. It must hold all that it held, or say that it does not. Only where nothing vouched for the
 * last batch may damage to it be taken for a torn end. Whatever is reported, repair() makes it open again, with nothing in it that was not there.
 */
export async function judge(scene: Scene, damage: Case, isClosed: boolean, repairs: boolean): Promise<Verdict> {
  const disk = scene.disk.clone(new Random(1));
  const changed = damage.change(disk.files().get(damage.path)!);
  if (changed === undefined) disk.remove(damage.path);
  else disk.put(damage.path, changed);
  const fail = (why: string): never => {
    throw new Error(`${damage.path}, ${damage.name} (${isClosed ? 'closed' : 'killed'}): ${why}`);
  };
  const began = performance.now();
  const storage = openOn(disk);
  try {
    const content = await contentOf(storage, (await storage.open()).keys());
    await storage.close();
    if (isSame(content, scene.content)) return 'whole';
    // What takes the end away takes along what vouched for what was before it; one bit does not.
    const reach = damage.name.startsWith('bit') ? 1 : Infinity;
    if (!isClosed && scene.before.slice(0, reach).some((before) => isSame(content, before))) return 'cut';
    return fail('silently something else');
  } catch (error) {
    // A damaged lock may name a process that lives.
    if (SluiceError.is(error, 'ERR_STORAGE_LOCKED') && damage.path.endsWith('/lock')) return 'reported';
    const known = ['ERR_STORAGE_CORRUPT', 'ERR_STORAGE_VERSION'];
    if (!SluiceError.is(error) || !known.includes(error.code))
      throw new Error(`${damage.path}, ${damage.name}`, { cause: error });
    if (error.code === 'ERR_STORAGE_CORRUPT' && typeof error.details['file'] !== 'string') fail('no file is named');
    await storage.close();
    if (repairs && !damage.path.endsWith('/format')) await mend(disk, scene, fail);
    return 'reported';
  } finally {
    if (performance.now() - began > LONGEST) fail(`took ${performance.now() - began} ms`);
  }
}

async function mend(disk: SimulatedDisk, scene: Scene, fail: (why: string) => never): Promise<void> {
  const report = await openOn(disk).repaired();
  if (report.movedTo === undefined) fail('repair() found nothing wrong');
  const storage = openOn(disk);
  const content = await contentOf(storage, (await storage.open()).keys());
  await storage.close();
  for (const log of content.keys()) if (log.startsWith('salvaged-') || log === 'gone') content.delete(log);
  if (!isPart(content, scene.content)) fail('repair() made something up');
}

function openOn(disk: SimulatedDisk): FileStorage {
  return FileStorage.on({ fs: disk.mount(), clock: systemClock }, '/data', SCENE);
}
