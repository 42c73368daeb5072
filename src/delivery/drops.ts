import type { StorageOp } from '../storage/storage.js';
import type { Moved } from './books.js';
import type { Cursor } from './cursor/cursor.js';
import type { Journal, Rider } from './journal.js';
import type { CursorRecord } from './stock-owner.js';

/** Who keeps the logs that several cursors read. */
export interface LogKeeper {
  /** Something of these was settled. */
  passed(cursors: Iterable<Cursor>): void;
  /** Nothing was settled, and less is in hand. */
  released(): void;
}

/** Settled offsets of a log in memory that are dropped together. */
const TOGETHER = 256;

/**
 * Tells the storage what is settled: drops of ranges, and, where anything of it is to last, the deltas of the cursors. The logs of a
 * topic are not its to drop: whoever keeps them is told instead.
 */
export class Drops implements Rider {
  private record: CursorRecord | undefined;
  private journal!: Journal;
  private readonly cursors: readonly Cursor[];
  private readonly report: (error: unknown) => void;
  /** Who keeps the logs, and decides what is dropped from them. */
  private readonly keeper: LogKeeper | undefined;
  /** Settled, and not dropped from the log yet. */
  private pending = 0;
  /** Of which cursors; or of any. */
  private changed: Cursor[] = [];
  private any = true;
  /** Something was in hand that is not any more. */
  private released = false;
  private closed = false;

  constructor(cursors: readonly Cursor[], report: (error: unknown) => void, keeper: LogKeeper | undefined) {
    this.keeper = keeper;
    this.cursors = cursors;
    this.report = report;
  }

  restart(journal: Journal, record: CursorRecord | undefined): void {
    this.journal = journal;
    this.record = record;
    this.pending = 0;
    this.any = true;
  }

  /** An earlier run wrote its record up to `end`. */
  resume(end: number): void {
    this.any = true;
    this.record?.resume(end);
  }

  /** An offset is settled. */
  settled(cursor: Cursor, offset: number): void {
    this.pending++;
    if (!cursor.settled.changed) this.change(cursor);
    this.record?.settled(cursor, offset);
    if (this.pending === 1 || this.record !== undefined) this.journal.touch(this);
    else if (this.pending === TOGETHER) this.drop();
  }

  private change(cursor: Cursor): void {
    cursor.settled.changed = true;
    this.changed.push(cursor);
  }

  /** An offset will be settled by the very next write. */
  departs(cursor: Cursor, offset: number, as: Moved): void {
    if (this.record === undefined) return;
    this.record.departs(cursor, offset, as);
    this.journal.touch(this);
  }

  /** A message came; `due`: it waits for its time. */
  arrived(cursor: Cursor, offset: number, due: number | undefined): void {
    if (this.record === undefined) return;
    if (due !== undefined) this.record.deferred(cursor, offset, due, 0, 0);
    if (this.record.arrived(cursor) || due !== undefined) this.journal.touch(this);
  }

  deferred(cursor: Cursor, offset: number, due: number, failures: number, deliveries: number): void {
    this.released = true;
    this.record?.deferred(cursor, offset, due, failures, deliveries);
    if (this.record !== undefined || this.keeper !== undefined) this.journal.touch(this);
  }

  /** As settled() and deferred(), of a cursor that has lost its place: only the books have changed. */
  fenced(cursor: Cursor, offset: number): void {
    if (this.record === undefined) return;
    this.record.fenced(cursor, offset);
    this.journal.touch(this);
  }

  /** A settled message is to be delivered once more. */
  revived(cursor: Cursor, offset: number): void {
    this.record?.revived(cursor, offset);
    this.journal.touch(this);
  }

  /** Many offsets are settled at once, or not any more. */
  upset(): void {
    this.released = true;
    this.any = true;
    this.record?.upset();
    this.journal.touch(this);
  }

  /** Nothing more is told: the logs may be gone, and must not be begun anew. */
  close(): void {
    this.closed = true;
  }

  collect(batch: StorageOp[]): boolean {
    if (this.closed) return false;
    const { released } = this;
    const passed = this.pending > 0;
    this.pending = 0;
    this.released = false;
    const changed = this.takeChanged();
    const before = batch.length;
    for (const { log, settled } of changed) {
      const drops = settled.takeDrops();
      if (this.keeper === undefined) for (const { from, to } of drops) batch.push({ type: 'drop', log, from, to });
    }
    if (passed) this.keeper?.passed(changed);
    else if (released) this.keeper?.released();
    const dropped = batch.length > before;
    return this.record?.collect(batch) === true || dropped;
  }

  private takeChanged(): readonly Cursor[] {
    const changed = this.any ? this.cursors : this.changed.filter(({ fenced }) => !fenced);
    this.changed = [];
    this.any = false;
    return changed;
  }

  recollect(): void {
    this.any = true;
    for (const { settled } of this.cursors) settled.forgetDrops();
    this.record?.upset();
  }

  private drop(): void {
    const batch: StorageOp[] = [];
    const failed = (error: unknown): void => {
      this.recollect();
      this.report(error);
    };
    this.collect(batch);
    try {
      this.journal.write(batch)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
