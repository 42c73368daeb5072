import { systemClock } from '../../src/clock.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import type { FileStorageOptions } from '../../src/storage/file-storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { Random } from './seeded.js';
import { SimulatedDisk } from './simulated-disk.js';

export const SCENE: FileStorageOptions = { segmentBytes: 700, keepFree: 0 };

/** That are there in the end. */
const LOGS = ['a', 'b'];

/** What logs hold: offset to head and body. */
export type Content = Map<string, Map<number, string>>;

export interface Scene {
  readonly disk: SimulatedDisk;
  readonly content: Content;
  /** What it held after each of the last batches before that, the latest first: damage to the end may lead back there, where no close has vouched for it. */
  readonly before: readonly Content[];
}

/** A directory with sealed segments, index files, holes, a log that is gone, and frames of equal size at its end. */
export async function makeScene(isClosed: boolean): Promise<Scene> {
  const disk = new SimulatedDisk(new Random(7));
  disk.directories.add('/data');
  const storage = FileStorage.on({ fs: disk.mount(), clock: systemClock }, '/data', SCENE);
  await storage.open();
  const append = (log: string, n: number): Promise<void> =>
    Promise.resolve(storage.write([{ type: 'append', log, entry: { head: { n: 1000 + n }, body: 'x'.repeat(150) } }]));
  for (let n = 0; n < 9; n++) await append(n % 3 === 0 ? 'b' : 'a', n);
  await storage.write([{ type: 'append', log: 'gone', entry: { head: {}, body: 'gone' } }]);
  await storage.write([
    { type: 'drop', log: 'a', from: 2, to: 4 },
    { type: 'remove', log: 'gone' },
  ]);
  await storage.write([{ type: 'drop', log: 'b', from: 0, to: 1 }]);
  await storage.reclaimed();
  const before: Content[] = [];
  for (let n = 9; n < 13; n++) {
    before.unshift(await contentOf(storage, LOGS));
    await append('a', n);
  }
  const content = await contentOf(storage, LOGS);
  if (isClosed) await storage.close();
  else {
    // Everything that is written anyway is, then the process is gone.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    disk.kill();
  }
  return { disk, content, before };
}

export async function contentOf(storage: Storage, logs: Iterable<string>): Promise<Content> {
  const content: Content = new Map();
  for (const log of logs) {
    const entries = new Map<number, string>();
    content.set(log, entries);
    for (let from = 0; ;) {
      const some = await storage.read(log, from, { entries: 10, bytes: 1000 });
      if (some.length === 0) break;
      for (const { offset, entry } of some) entries.set(offset, JSON.stringify(entry));
      from = some.at(-1)!.offset + 1;
    }
  }
  return content;
}

export function isSame(a: Content, b: Content): boolean {
  if (a.size !== b.size) return false;
  for (const [log, entries] of a) {
    const others = b.get(log);
    if (others?.size !== entries.size) return false;
    for (const [offset, entry] of entries) if (others.get(offset) !== entry) return false;
  }
  return true;
}

/** Whether everything in `part` is in `whole`, at its offset. */
export function isPart(part: Content, whole: Content): boolean {
  for (const [log, entries] of part) {
    for (const [offset, entry] of entries) {
      if (whole.get(log)?.get(offset) !== entry) return false;
    }
  }
  return true;
}
