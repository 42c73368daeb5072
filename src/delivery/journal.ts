import { nextTurn } from '../clock.js';
import { plainHead } from './head.js';
import { readHead } from './head-text.js';
import type {
  Durability,
  LogRange,
  OpenLog,
  ReadLimit,
  Storage,
  StorageOp,
  StorageReporter,
  StoredEntry,
  Awaitable,
} from '../storage/storage.js';

/** Has something to say with the next write: drops, and the deltas of a cursor. */
export interface Rider {
  /** Adds what it has to say to a batch that is about to be written. Whether any of it should last as long as the storage can. */
  collect(batch: StorageOp[]): boolean;
  /** The batch it was collected into was not written: say it again, whole. */
  recollect(): void;
}

/**
 * The one way to a storage. Writes are done in call order. What can wait (acknowledgements, drops) rides with the next
 * write, or goes by itself once the event loop turns.
 */
export class Journal {
  readonly durability: Durability;
  /** Something of it is there after a restart, so cursors write themselves down. */
  readonly lasting: boolean;
  private readonly storage: Storage;
  readonly report: (error: unknown) => void;
  private ranges = new Map<string, LogRange>();
  private dirty = new Set<Rider>();
  private scheduled = false;
  private closed = false;
  /** Something that riders said was not written as durably as the storage can. */
  private owing = false;
  private underWay = 0;
  private last: Promise<void> | undefined;
  /** The newest write: what the storage gave for it, and what was given for that. */
  private newest: { readonly result: Promise<void>; readonly done: Promise<void> } | undefined;

  constructor(storage: Storage, report: (error: unknown) => void) {
    this.storage = storage;
    this.durability = storage.durability;
    this.lasting = storage.durability !== 'memory';
    this.report = report;
  }

  /** Opens the storage; its logs are known then. */
  async open(report?: StorageReporter): Promise<ReadonlyMap<string, LogRange>> {
    this.ranges = new Map(await this.storage.open(report));
    return this.ranges;
  }

  /** What a log held when the storage was opened. Asked once: from then on its reader knows better. */
  rangeOf(log: string): LogRange {
    const range = this.ranges.get(log);
    this.ranges.delete(log);
    return range ?? { first: 0, next: 0 };
  }

  /** Messages of a log. */
  read(log: string, from: number, { entries, bytes }: ReadLimit): Awaitable<readonly StoredEntry[]> {
    return this.storage.read(log, from, { entries, bytes, head: readHead });
  }

  /** Entries of a log that is no messages'. */
  readRecords(log: string, from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]> {
    return this.storage.read(log, from, limit);
  }

  /**
   * Writes a batch, with what riders have to say where that must last. Done when it returns or resolves; batches are
   * done in call order, also where a storage answers some at once and others later.
   */
  write(batch: StorageOp[], reach?: Durability): Awaitable<void> {
    if (!this.lasting || this.dirty.size === 0) return this.hand(batch, reach);
    // What riders say is not to be lost with the process, whatever the batch is worth.
    const least = reach === 'memory' ? 'os' : reach;
    const riders = this.collect(batch, least);
    return this.guarded(riders, batch, least);
  }

  /** A log that takes entries one by one, at once. undefined: they have to be written. */
  openLog(name: string): OpenLog | undefined {
    return this.lasting ? undefined : this.storage.openLog?.(name, plainHead);
  }

  /** `rider` has something to say; at the latest when the event loop turns. */
  touch(rider: Rider): void {
    this.dirty.add(rider);
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    nextTurn(this.turn);
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (this.closed) return;
    try {
      const done = this.tidy();
      if (done !== undefined) done.catch(this.report);
    } catch (error) {
      this.report(error);
    }
  };

  /** Writes what riders have to say now. With `reach` it goes only so far for the moment, and all the way when the event loop turns. */
  tidy(reach?: Durability): Awaitable<void> {
    const isOwed = reach === undefined && this.owing;
    if (this.dirty.size === 0 && !isOwed) return this.underWay > 0 ? this.last : undefined;
    const batch: StorageOp[] = [];
    const riders = this.collect(batch, reach);
    return batch.length === 0 && !isOwed ? undefined : this.guarded(riders, batch, reach);
  }

  /** Resolves when everything handed over so far is as durable as the storage makes it. */
  async flush(): Promise<void> {
    do {
      await this.tidy();
      while (this.underWay > 0) await this.last;
    } while (this.dirty.size > 0 || this.owing);
  }

  /** Closes the storage. What riders could not say by now nobody asks for any more. */
  async close(): Promise<void> {
    this.closed = true;
    await this.storage.close();
  }

  private collect(batch: StorageOp[], reach: Durability | undefined): Rider[] {
    const riders = [...this.dirty];
    this.dirty.clear();
    let matters = false;
    for (const rider of riders) matters = rider.collect(batch) || matters;
    if (reach === undefined || reach === this.durability) this.owing = false;
    else if (matters) {
      this.owing = true;
      this.schedule();
    }
    return riders;
  }

  private guarded(riders: readonly Rider[], batch: StorageOp[], reach: Durability | undefined): Awaitable<void> {
    const failed = (): void => {
      for (const rider of riders) {
        rider.recollect();
        this.dirty.add(rider);
      }
    };
    try {
      const done = this.hand(batch, reach);
      // Beside it, not behind it: who shares the promise without riders must not come first.
      done?.then(undefined, failed);
      return done;
    } catch (error) {
      failed();
      throw error;
    }
  }

  private hand(batch: StorageOp[], reach: Durability | undefined): Awaitable<void> {
    const result = this.storage.write(batch, reach);
    if (result === undefined) return this.underWay === 0 ? undefined : this.last;
    // Those who share a commit share its promise: a thousand of them cost as much as one.
    return result === this.newest?.result ? this.newest.done : this.follow(result);
  }

  /** The promise of a commit that nothing was handed to before. */
  private follow(result: Promise<void>): Promise<void> {
    const done = this.last === undefined ? result : inOrder(this.last, result);
    this.newest = { result, done };
    this.underWay++;
    const settled = (): void => {
      this.underWay--;
      if (this.underWay === 0) this.last = this.newest = undefined;
    };
    this.last = done.then(settled, settled);
    return done;
  }
}

/** `result`, not before `earlier`. */
async function inOrder(earlier: Promise<void>, result: Promise<void>): Promise<void> {
  const [, outcome] = await Promise.allSettled([earlier, result]);
  if (outcome.status === 'rejected') throw outcome.reason;
}
