import { nextTurn, type Random } from '../clock.js';
import { SluiceError } from '../errors.js';
import type { Durability, LogRange, ReadLimit, Storage, StorageOp, StoredEntry } from '../storage/storage.js';
import { DiskImage, writeDown, type WrittenOp } from './disk-image.js';

export interface JournalStorageOptions {
  /**
   * Makes it slow on purpose: each read, and each group of writes, takes up to three turns, of the microtask queue or of
   * the event loop, as drawn from here; and how many of the waiting writes share a group is drawn, too. Default: one
   * microtask, and all of them.
   */
  readonly latency?: Random | undefined;
}

export interface Crash {
  /** What lives on: writes that reached the operating system (default; the process was killed), or only the disk (power cut). */
  readonly survives?: 'os' | 'disk' | undefined;
  /** How much of what came after them had reached it all the same, 0 (default, nothing) to 1 (everything). */
  readonly luck?: number | undefined;
}

const REACHES: readonly Durability[] = ['memory', 'os', 'disk'];
const MOST_LAG = 3;

/**
 * For tests: a storage that says `disk`, and forgets in a crash what a disk could forget. It lives on the heap, but gives
 * back nothing that it was given: heads pass through JSON, bodies are copied. Every answer is a promise. What it holds
 * outlives close() and open(); crash() makes another storage of what would be found after the process died.
 *
 *     written, in call order:    b0  b1  b2  b3  b4 │ b5  b6
 *     done, and how far:         d   m   o   d   m  │ not done
 *                                └── certain ──┘└── open ──┘
 *
 * A batch that reached nothing but memory, or is not done at all, may be found or not; but what is found is always the
 * batches in call order up to some point, for offsets are dense, and what came later may build on what came before. So
 * certain is everything up to the last batch that reached far enough, and what lies behind it is cut off somewhere.
 */
export class JournalStorage implements Storage {
  readonly durability = 'disk';
  private readonly latency: Random | undefined;
  /** What a power cut leaves, and what read() sees: the former and every batch of `journal`. */
  private synced: DiskImage;
  private current: DiskImage;
  private journal: { readonly ops: readonly WrittenOp[]; readonly reach: Durability }[] = [];
  private waiting: Waiting[] = [];
  private working: Promise<void> | undefined;
  private closed = false;
  private crashed = false;

  constructor(options: JournalStorageOptions = {}, image = new DiskImage()) {
    this.latency = options.latency;
    this.synced = image;
    this.current = image.clone();
  }

  async open(): Promise<ReadonlyMap<string, LogRange>> {
    await this.lag();
    if (this.crashed) throw closedError();
    await this.working;
    this.closed = false;
    return this.current.ranges();
  }

  async write(batch: readonly StorageOp[], reach: Durability = this.durability): Promise<void> {
    if (this.closed) throw closedError();
    const ops = batch.map(writeDown);
    return new Promise((resolve, reject) => {
      this.waiting.push({ batch, ops, reach, resolve, reject });
      this.working ??= this.work();
    });
  }

  async read(log: string, from: number, limit: ReadLimit): Promise<readonly StoredEntry[]> {
    if (this.closed) throw closedError();
    await this.lag();
    if (this.crashed) throw closedError();
    return this.current.read(log, from, limit);
  }

  /** What was written without reaching the disk does so now. */
  async close(): Promise<void> {
    this.closed = true;
    await this.working;
    this.sync();
  }

  /**
   * The process dies: this storage rejects everything with ERR_CLOSED, what waits in it included. The one returned holds
   * what would be found, and wants to be opened. It is as slow as this one.
   */
  crash({ survives = 'os', luck = 0 }: Crash = {}): JournalStorage {
    const certain = this.journal.findLastIndex(({ reach }) => REACHES.indexOf(reach) >= REACHES.indexOf(survives)) + 1;
    const written = [...this.journal, ...this.waiting];
    const lucky = Math.min(Math.floor(luck * (written.length - certain + 1)), written.length - certain);
    const found = this.synced.clone();
    for (const { ops } of written.slice(0, certain + lucky)) found.apply(ops);
    this.closed = this.crashed = true;
    for (const { reject } of this.waiting.splice(0)) reject(closedError());
    return new JournalStorage({ latency: this.latency }, found);
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0) {
      await this.lag();
      const group =
        this.latency === undefined ? this.waiting.length : 1 + Math.floor(this.latency() * this.waiting.length);
      for (const write of this.waiting.splice(0, group)) this.finish(write);
    }
    this.working = undefined;
  }

  private finish({ batch, ops, reach, resolve }: Waiting): void {
    const offsets = this.current.apply(ops);
    for (const [i, op] of batch.entries()) if (op.type === 'append') op.offset = offsets[i];
    this.journal.push({ ops, reach });
    if (reach === 'disk') this.sync();
    resolve();
  }

  private sync(): void {
    for (const { ops } of this.journal) this.synced.apply(ops);
    this.journal = [];
  }

  private async lag(): Promise<void> {
    const turns = this.latency === undefined ? 1 : Math.floor(this.latency() * (MOST_LAG + 1));
    for (let i = 0; i < turns; i++) {
      if (this.latency === undefined || this.latency() < 0.5) await Promise.resolve();
      else await new Promise<void>(nextTurn);
    }
  }
}

interface Waiting {
  readonly batch: readonly StorageOp[];
  readonly ops: readonly WrittenOp[];
  readonly reach: Durability;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

function closedError(): SluiceError {
  return new SluiceError('ERR_CLOSED', 'the storage is closed');
}
