import { checkInteger, checkOneOf, checkOptions, checkString } from '../arguments.js';
import { systemClock } from '../clock.js';
import { milliseconds } from '../duration.js';
import type { Duration } from '../duration.js';
import { SluiceError } from '../errors.js';
import { FileStore, closedError } from './file/file-store.js';
import type { Machine, StoreOptions } from './file/file-store.js';
import { nodeFileSystem } from './file/node-file-system.js';
import { repair } from './file/repair.js';
import type { RepairReport } from './file/repair.js';
import type { Durability, LogRange, ReadLimit, Storage, StorageOp, StorageReporter, StoredEntry } from './storage.js';

export interface FileStorageOptions {
  /**
   * `sync` (default): a write resolves after it reached the disk; concurrent writes share one sync.
   * `async`: after it reached the operating system; on the disk within `flushInterval`. A power cut can lose that much, a
   * killed process nothing.
   */
  readonly flush?: 'sync' | 'async' | undefined;
  /** With `async`, how long a write may wait for the disk. Default '1s'. */
  readonly flushInterval?: Duration | undefined;
  /** Size of a segment file, bytes, at most 1 GiB: space comes back in such steps. Default 64 MiB, and an eighth of `maxBytes` at most. */
  readonly segmentBytes?: number | undefined;
  /**
   * Past this, or with less than `keepFree` left on the disk, writes of messages reject with ERR_STORAGE_FULL;
   * acknowledgements and deletions have a reserve and go on. Bytes. Default: no limit.
   */
  readonly maxBytes?: number | undefined;
  /** Bytes. Default 64 MiB. */
  readonly keepFree?: number | undefined;
}

const MEBI = 1024 * 1024;
const LARGEST_SEGMENT = 1024 * MEBI;
const OPTIONS = new Set(['flush', 'flushInterval', 'segmentBytes', 'maxBytes', 'keepFree']);

/**
 * Keeps everything in one directory, which belongs to one process at a time. What a write has survived when it resolves is
 * `durability`. Plain files, no native code; the format is docs/storage-format.md.
 *
 * A failed write or sync ends it for good: every later write rejects with ERR_STORAGE_FAILED, since what the disk holds is
 * no longer known. Close it, and open it anew.
 */
export class FileStorage implements Storage {
  readonly durability: 'disk' | 'os';
  private readonly directory: string;
  private readonly options: StoreOptions;
  private machine: Machine = { fs: nodeFileSystem, clock: systemClock };
  private report: StorageReporter | undefined;
  private opening: Promise<FileStore> | undefined;
  private store: FileStore | undefined;

  /** @throws TypeError, RangeError when an argument or option is wrong; nothing is touched before open() */
  constructor(directory: string, options?: FileStorageOptions) {
    checkString(directory, 'directory');
    if (directory.length === 0 || directory.includes('\0')) {
      throw new RangeError('directory must be a path: not empty, and without a NUL character');
    }
    this.directory = directory;
    this.options = checked(options);
    this.durability = this.options.flush === 'sync' ? 'disk' : 'os';
  }

  /**
   * Salvages what is left of a directory that open() calls corrupt: an explicit act, since what is damaged is lost by it.
   * What can be trusted is written anew; the files that were there are moved to a directory `damaged-1` (…) in it, never
   * deleted. Of a directory in which nothing is wrong nothing is changed. Interrupted, it can be called again.
   * @throws ERR_STORAGE_LOCKED, ERR_STORAGE_VERSION; ERR_STORAGE_CORRUPT when the file `format` is damaged
   */
  static repair(directory: string, options?: FileStorageOptions): Promise<RepairReport> {
    return FileStorage.on({ fs: nodeFileSystem, clock: systemClock }, directory, options).repaired();
  }

  /** @internal One that runs on another machine than this. */
  static on(machine: Machine, directory: string, options?: FileStorageOptions): FileStorage {
    const storage = new FileStorage(directory, options);
    storage.machine = machine;
    return storage;
  }

  /**
   * Takes the directory, makes it if it is missing (mode 0700), and recovers what it holds: a torn end, as a crash leaves
   * it, is cut and reported. After close() it can be opened again.
   * @throws ERR_STORAGE_LOCKED with `{ directory, pid }` when a process, this one included, has it open
   * @throws ERR_STORAGE_CORRUPT with `{ file, position }` when what was confirmed is damaged or missing; nothing is changed then
   * @throws ERR_STORAGE_VERSION when a later release wrote it
   * @throws ERR_STORAGE_FULL, ERR_STORAGE_FAILED when the disk refuses
   */
  async open(report?: StorageReporter): Promise<ReadonlyMap<string, LogRange>> {
    if (this.opening !== undefined) {
      // Two brokers on one storage would each count the offsets of its logs by themselves.
      const { directory } = this;
      const details = { directory, pid: process.pid };
      throw new SluiceError('ERR_STORAGE_LOCKED', `${directory} is open by this very storage`, { details });
    }
    this.report = report;
    this.opening = FileStore.open(this.machine, this.directory, this.options, (told) => this.report?.(told));
    try {
      this.store = await this.opening;
    } catch (error) {
      this.opening = undefined;
      throw error;
    }
    return this.store.ranges();
  }

  write(batch: readonly StorageOp[], reach?: Durability): Promise<void> {
    return this.store === undefined ? Promise.reject(closedError()) : this.store.write(batch, reach);
  }

  read(log: string, from: number, limit: ReadLimit): Promise<readonly StoredEntry[]> {
    return this.store === undefined ? Promise.reject(closedError()) : this.store.read(log, from, limit);
  }

  /** Waits for writes under way, notes that nothing follows, and gives the directory back. Resolves also when the disk refuses. */
  async close(): Promise<void> {
    const store = await this.opening?.catch(() => undefined);
    await store?.close();
    if (this.store === store) this.store = this.opening = undefined;
  }

  /** @internal repair() of this one, which must not be open. */
  repaired(): Promise<RepairReport> {
    return repair(this.machine, this.directory, this.options);
  }

  /** @internal Resolves when there is nothing left to give back or to copy. */
  async reclaimed(): Promise<void> {
    await this.store?.reclaimed();
  }

  /** Plain numbers and texts: `state`, `bytes`, `segments`, `logs`, `writes`, `syncs`, `tornTails`, `full`, … */
  stats(): Readonly<Record<string, number | string>> {
    return this.store?.stats() ?? { directory: this.directory, state: 'closed' };
  }
}

function checked(options: FileStorageOptions | undefined): StoreOptions {
  checkOptions(options, 'options', OPTIONS);
  const {
    flush = 'sync',
    flushInterval = '1s',
    segmentBytes = 64 * MEBI,
    maxBytes,
    keepFree = 64 * MEBI,
  } = options ?? {};
  checkOneOf(flush, 'options.flush', ['sync', 'async']);
  const interval = milliseconds(flushInterval, 'options.flushInterval');
  checkInteger(segmentBytes, 'options.segmentBytes', 1, LARGEST_SEGMENT);
  if (maxBytes !== undefined) checkInteger(maxBytes, 'options.maxBytes', 1, Number.MAX_SAFE_INTEGER, true);
  checkInteger(keepFree, 'options.keepFree', 0);
  const limit = maxBytes ?? Infinity;
  return {
    flush,
    flushInterval: interval,
    // Space comes back by whole segments: with few of them, it would hardly ever.
    segmentBytes: Math.max(Math.min(segmentBytes, Math.floor(limit / 8)), 1),
    maxBytes: limit,
    keepFree,
  };
}
