import type { File, FileSystem, OpenMode, Owner } from '../../src/storage/file/file-system.js';
import type { Random } from './seeded.js';

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

interface Inode {
  cache: Buffer;
  disk: Buffer;
  readonly pending: Map<number, Buffer[]>;
}

interface NameChange {
  readonly undo: () => void;
}

/** Thrown by every call of a process that was killed: whatever it still does has no effect. */
class Killed extends Error {
  readonly code = 'KILLED';
}

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
  private unsynced: NameChange[] = [];
  private readonly random: Random;
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
    for (const change of this.unsynced.splice(kept).toReversed()) change.undo();
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
    const before = this.names.get(path);
    const other = alsoRemove === undefined ? undefined : this.names.get(alsoRemove);
    const set = (at: string, value: Inode | undefined): void => {
      if (value === undefined) this.names.delete(at);
      else this.names.set(at, value);
    };
    set(path, inode);
    if (alsoRemove !== undefined) set(alsoRemove, undefined);
    this.unsynced.push({
      undo: () => {
        set(path, before);
        if (alsoRemove !== undefined) set(alsoRemove, other);
      },
    });
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
      inode.cache = Buffer.concat([inode.cache, Buffer.alloc(end - inode.cache.byteLength)]);
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
    if (end > inode.disk.byteLength)
      inode.disk = Buffer.concat([inode.disk, Buffer.alloc(end - inode.disk.byteLength)]);
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

class SimulatedFileSystem implements FileSystem {
  readonly writesThrough: boolean;
  private readonly disk: SimulatedDisk;
  private readonly life: number;
  private readonly randomness: Random;

  constructor(disk: SimulatedDisk, life: number, random: Random) {
    this.disk = disk;
    this.life = life;
    this.randomness = random;
    this.writesThrough = disk.writesThrough;
  }

  realpath(path: string): Promise<string> {
    return Promise.resolve(path);
  }

  mkdir(path: string): Promise<string | undefined> {
    return this.disk.call(this.life, 'mkdir', path, () => {
      if (this.disk.directories.has(path)) return undefined;
      this.disk.directories.add(path);
      return path;
    });
  }

  readdir(path: string): Promise<string[]> {
    return this.disk.call(this.life, 'readdir', path, () => this.disk.list(path));
  }

  open(path: string, mode: OpenMode, through = false): Promise<File> {
    return this.disk.call(this.life, 'open', path, () => {
      if (mode === 'make') {
        if (this.disk.has(path)) throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' });
        this.disk.name(path, { cache: Buffer.alloc(0), disk: Buffer.alloc(0), pending: new Map() });
      }
      return new SimulatedFile(this.disk, this.life, path, this.disk.lookUp(path), through);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.disk.call(this.life, 'rename', from, () => this.disk.name(to, this.disk.lookUp(from), from));
  }

  link(from: string, to: string): Promise<void> {
    return this.disk.call(this.life, 'link', from, () => {
      if (this.disk.has(to)) throw Object.assign(new Error(`EEXIST: ${to}`), { code: 'EEXIST' });
      this.disk.name(to, this.disk.lookUp(from));
    });
  }

  unlink(path: string): Promise<void> {
    return this.disk.call(this.life, 'unlink', path, () => {
      this.disk.lookUp(path);
      this.disk.name(path, undefined);
    });
  }

  rmdir(path: string): Promise<void> {
    return this.disk.call(this.life, 'unlink', path, () => void this.disk.directories.delete(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.disk.call(this.life, 'syncDirectory', path, () => this.disk.syncNames());
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(this.disk.capacity - this.disk.used);
  }

  random(): number {
    return this.randomness.below(2 ** 32);
  }

  owner(): Promise<Owner> {
    return Promise.resolve({ pid: this.life, started: 'then', boot: 'this' });
  }

  isAlive(owner: Owner): Promise<boolean> {
    return Promise.resolve(this.disk.isAlive(owner.pid));
  }
}

class SimulatedFile implements File {
  private readonly disk: SimulatedDisk;
  private readonly life: number;
  private readonly path: string;
  private readonly inode: Inode;
  private readonly through: boolean;

  constructor(disk: SimulatedDisk, life: number, path: string, inode: Inode, through: boolean) {
    this.disk = disk;
    this.life = life;
    this.path = path;
    this.inode = inode;
    this.through = through;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return this.disk.call(this.life, 'read', this.path, () => {
      const { cache } = this.inode;
      return position >= cache.byteLength ? 0 : cache.copy(target, 0, position, position + target.byteLength);
    });
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    const { disk, inode, through } = this;
    const fault = disk.decide('write', this.path);
    let bytes = Buffer.concat(parts);
    if (fault !== undefined && 'short' in fault) bytes = bytes.subarray(0, Math.min(fault.short, bytes.byteLength));
    const work = (): number => {
      disk.write(inode, bytes, position);
      if (through) disk.sync(inode, position, position + bytes.byteLength);
      return bytes.byteLength;
    };
    try {
      return await disk.call(this.life, 'write', this.path, work, fault);
    } catch (error) {
      const isTorn = fault !== undefined && 'error' in fault && fault.torn === true;
      if (isTorn || error instanceof Killed) this.leave(bytes, position);
      if (isTorn && through) disk.failSync(inode);
      throw error;
    }
  }

  /** What a write that failed or was interrupted leaves in the cache: nothing, one half, or all of it. */
  private leave(bytes: Buffer, position: number): void {
    const kept = bytes.subarray(0, [0, bytes.byteLength, bytes.byteLength >>> 1][(position + bytes.byteLength) % 3]);
    if (kept.byteLength > 0) this.disk.write(this.inode, kept, position);
  }

  async sync(): Promise<void> {
    const { disk, inode } = this;
    try {
      await disk.call(this.life, 'sync', this.path, () => disk.sync(inode));
    } catch (error) {
      if (!(error instanceof Killed)) disk.failSync(inode);
      throw error;
    }
  }

  truncate(length: number): Promise<void> {
    return this.disk.call(this.life, 'truncate', this.path, () => this.disk.truncate(this.inode, length));
  }

  size(): Promise<number> {
    return this.disk.call(this.life, 'size', this.path, () => this.inode.cache.byteLength);
  }

  close(): Promise<void> {
    return this.disk.call(this.life, 'close', this.path, () => undefined);
  }
}
