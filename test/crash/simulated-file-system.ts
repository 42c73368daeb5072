import type { File, FileSystem, OpenMode, Owner } from '../../src/storage/file/file-system.js';
import type { Random } from './seeded.js';
import type { Inode, SimulatedDisk } from './simulated-disk.js';

/** Thrown by every call of a process that was killed: whatever it still does has no effect. */
export class Killed extends Error {
  readonly code = 'KILLED';
}

/** What one process sees of a simulated disk. */
export class SimulatedFileSystem implements FileSystem {
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
    // What a process does after its end reaches nothing.
    if (!disk.isAlive(this.life)) throw new Killed('write');
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
