import type { StorageOp } from '../storage/storage.js';
import type { Books, Moved } from './books.js';
import type { Cursor } from './cursor.js';
import type { Range } from './settled-set.js';
import type { CursorRecord } from './stock-owner.js';
import type { Taken } from './taken.js';

/** A message that is not as new: where, when it is due (0: now), how often it failed and was handed out. */
export type Deferred = readonly [level: number, offset: number, due: number, failures: number, deliveries: number];
type Settled = readonly [level: number, from: number, to: number];

/**
 * An entry of a cursor's log. `s` and `d` say what changed, or, in a snapshot (`z`), all there is; `b` the books, and `e` the ends
 * of the logs that these books are about.
 */
export interface CursorEntry {
  readonly z?: true;
  readonly s: readonly Settled[];
  readonly d: readonly Deferred[];
  /** As `d`, of what is settled and to be delivered once more; after `s`. */
  readonly r?: readonly Deferred[];
  readonly b: readonly number[];
  readonly e: readonly number[];
}

/** Which of the books are written down, in this order. */
export const WRITTEN = [
  'accepted',
  'acked',
  'deadLettered',
  'dropped',
  'removed',
  'delivered',
  'retried',
  'bytes',
] as const;

/** Deltas between two snapshots; and where hardly anything is out of order, so that a snapshot is as short as a delta. */
const DELTAS = 1000;
const DELTAS_IN_ORDER = 16;
/** Offsets. */
const HARDLY_ANY = 64;
/** Arrivals after which the books are written down, if nothing else makes them. */
const ARRIVALS = 256;

/**
 * The log in which a queue's cursors persist themselves: deltas, one per write, and a snapshot now and then, behind which the
 * log is trimmed. What is in hand is not in it: after a crash it is simply not settled.
 */
export class CursorLog implements CursorRecord {
  readonly log: string;
  private readonly cursors: readonly Cursor[];
  private readonly books: Books;
  private settledNow: [Cursor, number][] = [];
  private deferredNow: [Cursor, number, number, number, number][] = [];
  private revivedNow: [Cursor, number][] = [];
  /** Settled by a write under way: in a delta already, not in the settled set yet. */
  private readonly departing = new Map<Cursor, Map<number, Moved>>();
  private readonly inHand: () => Iterable<Taken>;
  private arrivals = 0;
  private deltas = DELTAS;
  /** The newest snapshot; its offset is known when it is written. */
  private snapshot: { offset?: number | undefined } = {};

  constructor(log: string, cursors: readonly Cursor[], books: Books, inHand: () => Iterable<Taken>) {
    this.log = log;
    this.cursors = cursors;
    this.books = books;
    this.inHand = inHand;
  }

  departs(cursor: Cursor, offset: number, as: Moved): void {
    this.unrevive(cursor, offset);
    this.settledNow.push([cursor, offset]);
    const offsets = this.departing.get(cursor);
    if (offsets === undefined) this.departing.set(cursor, new Map([[offset, as]]));
    else offsets.set(offset, as);
  }

  settled(cursor: Cursor, offset: number): void {
    this.unrevive(cursor, offset);
    if (this.departing.get(cursor)?.delete(offset) !== true) this.settledNow.push([cursor, offset]);
  }

  deferred(cursor: Cursor, offset: number, due: number, failures: number, deliveries: number): void {
    this.departing.get(cursor)?.delete(offset);
    this.deferredNow.push([cursor, offset, due, failures, deliveries]);
  }

  revived(cursor: Cursor, offset: number): void {
    this.revivedNow.push([cursor, offset]);
  }

  private unrevive(cursor: Cursor, offset: number): void {
    if (this.revivedNow.length === 0) return;
    this.revivedNow = this.revivedNow.filter((one) => one[0] !== cursor || one[1] !== offset);
  }

  /** A message came. Whether that has to be written down now. */
  arrived(): boolean {
    return ++this.arrivals >= ARRIVALS;
  }

  upset(): void {
    this.deltas = DELTAS;
  }

  collect(batch: StorageOp[]): void {
    const whole = this.deltas >= (this.isInOrder() ? DELTAS_IN_ORDER : DELTAS);
    const trimmed = this.snapshot.offset;
    const op: StorageOp & { type: 'append' } = {
      type: 'append',
      log: this.log,
      entry: { head: whole ? this.everything() : this.changes() },
      offset: undefined,
    };
    batch.push(op);
    this.settledNow = [];
    this.deferredNow = [];
    this.revivedNow = [];
    this.arrivals = 0;
    this.deltas++;
    if (!whole) return;
    this.deltas = 0;
    this.snapshot = op;
    if (trimmed !== undefined) batch.push({ type: 'drop', log: this.log, from: 0, to: trimmed });
  }

  /** Deltas lie among the messages that came with them: each one costs recovery a read. */
  private isInOrder(): boolean {
    let offsets = 0;
    for (const cursor of this.cursors) offsets += cursor.outOfOrder;
    return offsets <= HARDLY_ANY;
  }

  private changes(): CursorEntry {
    const s: Settled[] = [];
    for (const [cursor, offsets] of byCursor(this.settledNow.filter(current))) {
      for (const { from, to } of rangesOf(offsets)) s.push([cursor.number, from, to]);
    }
    const d = this.deferredNow.filter(current).map(([cursor, ...rest]): Deferred => [cursor.number, ...rest]);
    const r = this.revivedNow.filter(current).map(([cursor, offset]): Deferred => [cursor.number, offset, 0, 0, 0]);
    return { s, d, ...(r.length > 0 ? { r } : {}), ...this.sums() };
  }

  private everything(): CursorEntry {
    const s: Settled[] = [];
    const d: Deferred[] = [];
    const r: Deferred[] = [];
    const waits = (cursor: Cursor, offset: number, ...rest: [number, number, number]): void => {
      (cursor.settled.has(offset) ? r : d).push([cursor.number, offset, ...rest]);
    };
    this.cursors.forEach((cursor, level) => {
      s.push([level, 0, cursor.settled.low]);
      for (const { from, to } of cursor.settled.ranges()) s.push([level, from, to]);
      for (const { offset, due, failures, deliveries } of cursor.waiting())
        waits(cursor, offset, due, failures, deliveries);
    });
    for (const { cursor, offset, failures, deliveries } of this.inHand()) {
      if (cursor.fenced) continue;
      if (deliveries > 1 || cursor.settled.has(offset)) waits(cursor, offset, 0, failures, deliveries);
    }
    for (const [cursor, offsets] of this.departing) {
      if (cursor.fenced) continue;
      for (const offset of offsets.keys()) s.push([cursor.number, offset, offset + 1]);
    }
    return { z: true, s, d, ...(r.length > 0 ? { r } : {}), ...this.sums() };
  }

  private sums(): Pick<CursorEntry, 'b' | 'e'> {
    // What is in hand will be waiting after a crash.
    let { bytes } = this.books;
    for (const { entry } of this.inHand()) bytes += entry.head.size;
    const sums = { ...this.books.snapshot(), bytes };
    for (const offsets of this.departing.values()) for (const as of offsets.values()) sums[as]++;
    return { b: WRITTEN.map((name) => sums[name]), e: this.cursors.map(({ end }) => end) };
  }
}

/** Its cursor still has its place. */
function current([cursor]: readonly [Cursor, ...unknown[]]): boolean {
  return !cursor.fenced;
}

function byCursor(settled: readonly [Cursor, number][]): Map<Cursor, number[]> {
  const groups = new Map<Cursor, number[]>();
  for (const [cursor, offset] of settled) {
    const group = groups.get(cursor);
    if (group === undefined) groups.set(cursor, [offset]);
    else group.push(offset);
  }
  return groups;
}

function rangesOf(offsets: number[]): Range[] {
  const ranges: Range[] = [];
  for (const offset of offsets.sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === offset) ranges[ranges.length - 1] = { from: last.from, to: offset + 1 };
    else ranges.push({ from: offset, to: offset + 1 });
  }
  return ranges;
}
