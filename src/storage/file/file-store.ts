import { stopwatchOf, type Clock } from '../../clock.js';
import { SluiceError } from '../../errors.js';
import type { Durability, LogRange, ReadLimit, StorageOp, StorageReporter, StoredEntry } from '../storage.js';
import type { Appender } from './appender.js';
import { Chain } from './chain.js';
import { makeDirectory, readSeed } from './directory.js';
import { isNoSpace, replaceFile } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { Flusher } from './flusher.js';
import { CLEAN_FILE, encodeClean, indexName, segmentName } from './format.js';
import { checkBatch } from './group.js';
import { encodeIndex } from './index-file.js';
import { DirectoryLock } from './lock.js';
import { LookAhead } from './look-ahead.js';
import { Pace } from './pace.js';
import { Reader } from './reader.js';
import { Reclaimer } from './reclaimer.js';
import type { RecordView } from './record.js';
import { recover } from './recovery.js';
import type { Recovered } from './recovery.js';
import type { Salvage } from './salvage.js';
import { Reserve } from './reserve.js';
import { SegmentFiles } from './segment-files.js';
import { settle } from './settle.js';
import { Space } from './space.js';
import { Spares } from './spares.js';
import { Writer } from './writer.js';

/** Where a storage runs. */
export interface Machine {
  readonly fs: FileSystem;
  readonly clock: Clock;
}

/** The options of a FileStorage, checked and complete. */
export interface StoreOptions {
  readonly flush: 'sync' | 'async';
  readonly flushInterval: number;
  readonly segmentBytes: number;
  readonly maxBytes: number;
  readonly keepFree: number;
}

/** Entries of a salvaged directory that are written together. */
const ADOPTED = 256;

/** A directory that is open: the parts, wired. */
export class FileStore {
  private readonly machine: Machine;
  private readonly lock: DirectoryLock;
  private readonly recovered: Recovered;
  private readonly files: SegmentFiles;
  private readonly appender: Appender;
  private readonly spares: Spares;
  private readonly writer: Writer;
  private readonly reader: Reader;
  private readonly reclaimer: Reclaimer;
  private readonly flusher: Flusher;
  private readonly space: Space;
  private readonly durability: Durability;
  private closing: Promise<void> | undefined;
  private reads = 0;
  private readsDone: (() => void) | undefined;

  private constructor(
    machine: Machine,
    options: StoreOptions,
    lock: DirectoryLock,
    files: SegmentFiles,
    recovered: Recovered,
    { appender, spares }: Awaited<ReturnType<typeof settle>>,
    report: StorageReporter,
  ) {
    const { fs, clock } = machine;
    const { directory, seed } = files;
    const { segments, table } = recovered;
    const isSync = options.flush === 'sync';
    this.machine = machine;
    this.lock = lock;
    this.files = files;
    this.recovered = recovered;
    this.appender = appender;
    this.durability = isSync ? 'disk' : 'os';
    const next = (spares.at(-1)?.number ?? appender.segment) + 1;
    this.spares = new Spares(fs, directory, isSync && fs.writesThrough, next);
    this.spares.ready.push(...spares);
    const fail = (error: unknown): void =>
      this.writer.stop(
        new SluiceError('ERR_STORAGE_FAILED', `${directory}: ${(error as Error).message}`, { cause: error }),
      );
    const chain = new Chain(seed, recovered.lastChecksum, recovered.stateBytes, () => fs.random());
    const reserve = new Reserve(this.spares, options.segmentBytes, chain);
    this.writer = new Writer({
      appender,
      spares: this.spares,
      reserve,
      segments,
      table,
      segmentBytes: options.segmentBytes,
      durability: this.durability,
      pace: new Pace(stopwatchOf(clock)),
      chain,
      sinceState: recovered.sinceState,
      onSealed: (segment) => this.reclaimer.sealed(segment),
      onPrefix: (segment, prefix) => this.reclaimer.prefixed(segment, prefix),
      onWritten: () => {
        this.flusher.written();
        this.reclaimer.kick();
      },
      onFailed: (error) => report({ type: 'failed', error }),
    });
    this.space = new Space(fs, directory, clock, options, () => segments.bytes, reserve, report);
    this.writer.space = this.space;
    appender.lookAhead = new LookAhead({
      segmentBytes: options.segmentBytes,
      hasRoomFor: (bytes) => this.space.hasRoomFor(bytes),
      onFailed: fail,
    });
    this.reader = new Reader(segments, files, table);
    const interval = isSync ? undefined : options.flushInterval;
    this.flusher = new Flusher(clock, appender, this.writer, interval, () => this.reclaimer.tick(), fail);
    this.reclaimer = new Reclaimer(
      {
        appender,
        writer: this.writer,
        segments,
        table,
        files,
        reader: this.reader,
        spares: this.spares,
        space: this.space,
        segmentBytes: options.segmentBytes,
        onFailed: fail,
      },
      recovered.unindexed,
    );
  }

  static async open(
    machine: Machine,
    path: string,
    options: StoreOptions,
    report: StorageReporter,
  ): Promise<FileStore> {
    const { fs } = machine;
    let lock: DirectoryLock | undefined;
    try {
      const directory = await makeDirectory(fs, path);
      lock = await DirectoryLock.take(fs, directory);
      const seed = await readSeed(fs, directory);
      const recovered = await recover(fs, directory, seed);
      const settled = await settle(fs, directory, recovered, options.flush === 'sync');
      if (recovered.isTorn) {
        const file = `${directory}/${segmentName(recovered.end.segment)}`;
        report({ type: 'torn-tail', file, position: recovered.end.offset });
      }
      const files = new SegmentFiles(fs, directory, seed);
      const store = new FileStore(machine, options, lock, files, recovered, settled, report);
      await store.space.look();
      store.reclaimer.kick();
      return store;
    } catch (error) {
      // What was wrong matters more than a lock that cannot be given back: it is stale as soon as this process ends.
      await lock?.release().catch(() => undefined);
      if (SluiceError.is(error)) throw error;
      const code = isNoSpace(error) ? 'ERR_STORAGE_FULL' : 'ERR_STORAGE_FAILED';
      throw new SluiceError(code, `${path} cannot be opened: ${(error as Error).message}`, {
        details: { directory: path },
        cause: error,
      });
    }
  }

  ranges(): ReadonlyMap<string, LogRange> {
    const ranges = new Map<string, LogRange>();
    for (const { name, first, next } of this.recovered.table.written.values()) ranges.set(name, { first, next });
    return ranges;
  }

  write(batch: readonly StorageOp[], reach: Durability = this.durability): Promise<void> {
    if (this.closing !== undefined) return Promise.reject(closedError());
    try {
      return this.writer.write(checkBatch(batch), reach);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  async read(log: string, from: number, limit: ReadLimit): Promise<StoredEntry[]> {
    if (this.closing !== undefined) throw closedError();
    this.reads++;
    try {
      return await this.reader.read(log, from, limit);
    } finally {
      this.reads--;
      if (this.reads === 0) this.readsDone?.();
    }
  }

  close(): Promise<void> {
    return (this.closing ??= this.shut());
  }

  /** Takes over all logs of a directory that was salvaged, at their offsets; this one must be new. */
  async adopt(
    { table, segments }: Salvage,
    source: { readonly directory: string; readonly seed: number },
  ): Promise<void> {
    const files = new SegmentFiles(this.machine.fs, source.directory, source.seed);
    const reader = new Reader(segments, files, table);
    for (const log of table.written.values()) this.recovered.table.declare(log);
    this.recovered.table.nextId = table.nextId;
    for (const log of table.written.values()) {
      for (let offset = log.holes.skip(log.first); offset < log.next; offset = log.holes.skip(offset)) {
        const views: RecordView[] = [];
        offset += await reader.some(log, offset, ADOPTED, (record) => {
          views.push(record.copied());
          return true;
        });
        await this.writer.copy(log, views);
      }
    }
    await files.close();
  }

  /** Resolves when nothing is left to reclaim. */
  reclaimed(): Promise<void> {
    return this.reclaimer.idle();
  }

  stats(): Record<string, number | string> {
    const { segments, table } = this.recovered;
    return {
      directory: this.files.directory,
      state: this.writer.failure === undefined ? (this.closing === undefined ? 'open' : 'closed') : 'failed',
      logs: table.written.size,
      segments: segments.sealed.length + 1,
      bytes: segments.bytes,
      spareBytes: this.spares.allocated,
      writes: this.appender.writes,
      syncs: this.appender.syncs,
      reclaimedSegments: this.reclaimer.reclaimed,
      copiedEntries: this.reclaimer.copied,
      tornTails: this.recovered.isTorn ? 1 : 0,
      ...this.space.stats(),
    };
  }

  /** Everything under way ends, then the end is written down, then the directory is given back. */
  private async shut(): Promise<void> {
    await this.writer.drained();
    await this.reclaimer.close();
    await this.writer.drained();
    await this.flusher.close();
    await this.space.close();
    if (this.reads > 0) await new Promise<void>((resolve) => (this.readsDone = resolve));
    try {
      if (this.writer.failure === undefined) await this.sign();
    } catch (error) {
      // A full disk has no room for it: the next open looks for itself. Anything else is a failure like others.
      if (!isNoSpace(error)) {
        this.writer.stop(new SluiceError('ERR_STORAGE_FAILED', `close: ${(error as Error).message}`, { cause: error }));
      }
    }
    // Whatever fails from here on, the process has nothing left to lose here, and the others are to be let go.
    for (const part of [this.spares, this.appender, this.files]) await part.close().catch(() => undefined);
    await this.lock.release().catch(() => undefined);
  }

  /** Writes where everything ends, so that the next open can start there, and knows if something is missing. */
  private async sign(): Promise<void> {
    const { fs } = this.machine;
    const { directory, seed } = this.files;
    const stateAt = await this.writer.finish();
    const { active } = this.recovered.segments;
    const summary = {
      segment: active.number,
      sealed: false,
      end: active.end,
      lastChecksum: active.lastChecksum,
      firstChecksum: active.firstChecksum,
      stateAt,
    };
    await replaceFile(fs, `${directory}/${indexName(active.number)}`, encodeIndex(summary, active.open!.pack(), seed));
    const end = { segment: active.number, offset: active.end, checksum: active.lastChecksum };
    await replaceFile(fs, `${directory}/${CLEAN_FILE}`, [encodeClean(end, seed)]);
    await fs.syncDirectory(directory);
  }
}

export function closedError(): SluiceError {
  return new SluiceError('ERR_CLOSED', 'the storage is closed');
}
