import type { FileSystem } from '../../src/storage/file/file-system.js';
import type { Random } from './seeded.js';
import { Killed, SimulatedFileSystem } from './simulated-file-system.js';

/**
 * A disk and a system's cache of it, below the file storage's seam. The cache is what processes see; the disk is what a
 * power cut leaves: of what was not synced each sector is dropped, kept or torn by itself, and of the directory's changes
 * that were not synced some first ones are kept.
 *
 *     cache      content of a file as processes see it
 *     pending    per sector the images that were written since it was last synced: any of them may be on the disk
 *     disk       what is there for certain
 */
export const SECTOR = 512;

export type Call =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'size'
  | 'truncate'
  | 'close'
  | 'rename'
  | 'link'
  | 'unlink'
  | 'readdir'
  | 'mkdir'
  | 'syncDirectory';

/** Decides about each call before it is made: an error to fail with, how many bytes to write, or nothing. */
export type Fault =
  | { readonly error: string; readonly torn?: boolean | undefined }
  | { readonly short: number }
  | { readonly stop: true };

export interface Inode {
  cache: Buffer;
  disk: Buffer;
  readonly pending: Map<number, Buffer[]>;
}

/** What was at these paths before a change of names. */
type Before = readonly (readonly [path: string, inode: Inode | undefined])[];

export class SimulatedDisk {
  readonly directories = new Set<string>(['/']);
  /** Whether a write through to the disk exists. */
  writesThrough = true;
  /** What every call is asked for; by default all succeed. */
  fault: (call: Call, path: string) => Fault | undefined = () => undefined;
  /** Bytes that the disk has. */
  capacity = Infinity;
  calls = 0;
  /** Whether a write was under way when the last process ended. */
  interrupted = false;
  private readonly names = new Map<string, Inode>();
  private unsynced: Before[] = [];
  readonly random: Random;
  private life = 1;
  private writing = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** The file system as a process of the present life sees it. */
  mount(): FileSystem {
    this.interrupted = false;
    return new SimulatedFileSystem(this, this.life, this.random);
  }

  isAlive(life: number): boolean {
    return life === this.life;
  }

  /** The process is gone; the system and its cache are not. */
  kill(): void {
    this.interrupted ||= this.writing > 0;
    this.writing = 0;
    this.life++;
  }

  /** The process is gone, and everything that was only in the cache may be. */
  cutPower(): void {
    this.kill();
    // A change of names is kept only with all that came before it.
    const kept = this.random.below(this.unsynced.length + 1);
    for (const before of this.unsynced.splice(kept).toReversed())
      for (const [path, inode] of before) this.set(path, inode);
    this.unsynced = [];
    for (const inode of new Set(this.names.values())) this.settle(inode);
  }

  /** Path and content of every file, for tests that change them. */
  files(): Map<string, Buffer> {
    return new Map([...this.names].map(([path, inode]) => [path, inode.cache]));
  }

  /** A copy of what processes see, all of it synced. */
  clone(random: Random = this.random): SimulatedDisk {
    const copy = new SimulatedDisk(random);
    copy.writesThrough = this.writesThrough;
    copy.life = this.life + 1;
    for (const directory of this.directories) copy.directories.add(directory);
    for (const [path, inode] of this.names) copy.put(path, Buffer.from(inode.cache));
    return copy;
  }

  /** The same disk and cache once more, with another fate. Nobody runs on it. */
  fork(random: Random): SimulatedDisk {
    const copy = new SimulatedDisk(random);
    copy.writesThrough = this.writesThrough;
    copy.life = this.life + 1;
    for (const directory of this.directories) copy.directories.add(directory);
    const inodes = new Map<Inode, Inode>();
    const copied = (inode: Inode): Inode => {
      const known = inodes.get(inode);
      if (known !== undefined) return known;
      const { cache, disk, pending } = inode;
      const images = new Map([...pending].map(([sector, written]) => [sector, [...written]]));
      const one = { cache: Buffer.from(cache), disk: Buffer.from(disk), pending: images };
      inodes.set(inode, one);
      return one;
    };
    for (const [path, inode] of this.names) copy.names.set(path, copied(inode));
    copy.unsynced = this.unsynced.map((before) =>
      before.map(([path, inode]) => [path, inode === undefined ? undefined : copied(inode)] as const),
    );
    return copy;
  }

  put(path: string, content: Buffer): void {
    this.names.set(path, { cache: content, disk: Buffer.from(content), pending: new Map() });
  }

  remove(path: string): void {
    this.names.delete(path);
  }

  // What follows is for SimulatedFileSystem.

  /** What is to become of a call. */
  decide(call: Call, path: string): Fault | undefined {
    this.calls++;
    return this.fault(call, path);
  }

  async call<T>(life: number, call: Call, path: string, work: () => T, fault = this.decide(call, path)): Promise<T> {
    if (call === 'write') this.writing++;
    // Some calls take longer than others, so that what is concurrent gets mixed.
    for (let turns = this.random.below(3); turns >= 0; turns--) await Promise.resolve();
    if (!this.isAlive(life)) throw new Killed(call);
    if (fault !== undefined && 'stop' in fault) {
      this.kill();
      throw new Killed(call);
    }
    if (call === 'write') this.writing--;
    if (fault !== undefined && 'error' in fault) {
      throw Object.assign(new Error(`${fault.error}: ${call} ${path}`), { code: fault.error });
    }
    return work();
  }

  lookUp(path: string): Inode {
    const inode = this.names.get(path);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return inode;
  }

  has(path: string): boolean {
    return this.names.has(path);
  }

  list(directory: string): string[] {
    const prefix = `${directory}/`;
    const names = [...this.names.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
    return names.filter((name) => !name.includes('/'));
  }

  /** Puts an inode (or nothing) at a path, in a way that a power cut may undo. */
  name(path: string, inode: Inode | undefined, alsoRemove?: string): void {
    const paths = alsoRemove === undefined ? [path] : [path, alsoRemove];
    this.unsynced.push(paths.map((at) => [at, this.names.get(at)] as const));
    this.set(path, inode);
    if (alsoRemove !== undefined) this.set(alsoRemove, undefined);
  }

  private set(path: string, inode: Inode | undefined): void {
    if (inode === undefined) this.names.delete(path);
    else this.names.set(path, inode);
  }

  syncNames(): void {
    this.unsynced = [];
  }

  write(inode: Inode, bytes: Buffer, position: number): void {
    const end = position + bytes.byteLength;
    if (end > inode.cache.byteLength) {
      if (this.used + end - inode.cache.byteLength > this.capacity) {
        throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      }
      inode.cache = grown(inode.cache, end);
    }
    bytes.copy(inode.cache, position);
    for (let sector = Math.floor(position / SECTOR); sector * SECTOR < end; sector++) {
      const images = inode.pending.get(sector) ?? [];
      images.push(Buffer.from(inode.cache.subarray(sector * SECTOR, (sector + 1) * SECTOR)));
      inode.pending.set(sector, images);
    }
  }

  /** In the cache at once; what was on the disk beyond may be back after a power cut. */
  truncate(inode: Inode, length: number): void {
    inode.cache = Buffer.from(inode.cache.subarray(0, length));
    for (const sector of inode.pending.keys()) if (sector * SECTOR >= length) inode.pending.delete(sector);
    if (this.random.below(2) === 0) inode.disk = Buffer.from(inode.disk.subarray(0, length));
  }

  /** The sectors of a range, or of all, are on the disk as they are in the cache. */
  sync(inode: Inode, from = 0, to = Infinity): void {
    for (const sector of inode.pending.keys()) {
      if ((sector + 1) * SECTOR <= from || sector * SECTOR >= to) continue;
      this.store(inode, sector, inode.cache.subarray(sector * SECTOR, (sector + 1) * SECTOR));
      inode.pending.delete(sector);
    }
  }

  /** A sync failed: some of it is there and some is not, and the cache calls all of it clean. */
  failSync(inode: Inode): void {
    for (const [sector, images] of inode.pending)
      if (this.random.below(2) === 0) this.store(inode, sector, images.at(-1)!);
    inode.pending.clear();
  }

  get used(): number {
    let used = 0;
    for (const inode of new Set(this.names.values())) used += inode.cache.byteLength;
    return used;
  }

  private store(inode: Inode, sector: number, image: Buffer): void {
    const end = sector * SECTOR + image.byteLength;
    if (end > inode.disk.byteLength) inode.disk = grown(inode.disk, end);
    image.copy(inode.disk, sector * SECTOR);
  }

  private settle(inode: Inode): void {
    for (const [sector, images] of inode.pending) {
      const fate = this.random.below(4);
      if (fate === 0) continue;
      const image = images[this.random.below(images.length)]!;
      if (fate < 3) this.store(inode, sector, image);
      else this.store(inode, sector, this.tear(inode.disk.subarray(sector * SECTOR, (sector + 1) * SECTOR), image));
    }
    inode.pending.clear();
    inode.cache = Buffer.from(inode.disk);
  }

  /** The first bytes are new and the rest is old. */
  private tear(old: Buffer, image: Buffer): Buffer {
    const torn = Buffer.from(image);
    const at = this.random.below(image.byteLength);
    for (let i = at; i < torn.byteLength; i++) torn[i] = old[i] ?? 0;
    return torn;
  }
}

/** Memory that grown() made: zeros behind what was asked for. */
const roomy = new WeakSet<ArrayBufferLike>();

/** With zeros at its end; where there is room for more of them, in place. */
function grown(bytes: Buffer, length: number): Buffer {
  const { buffer } = bytes;
  if (roomy.has(buffer) && length <= buffer.byteLength) return Buffer.from(buffer, 0, length);
  const room = new ArrayBuffer(Math.max(length, bytes.byteLength * 2));
  roomy.add(room);
  const longer = Buffer.from(room, 0, length);
  bytes.copy(longer);
  return longer;
}
