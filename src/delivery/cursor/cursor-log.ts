import type { StorageOp } from '../../storage/storage.js';
import type { Books, Moved } from '../books.js';
import type { Cursor } from './cursor.js';
import { Held } from '../held.js';
import { Marks, type Mark } from '../crash/marks.js';
import type { Range } from './settled-set.js';
import type { CursorRecord } from '../stock-owner.js';
import type { Suspects, Suspicion } from '../crash/suspects.js';
import type { Taken } from '../taken.js';

/** A message that is not as new: where, when it is due (0: now), how often it failed and was handed out, and whether it may have ended a process. */
export type Deferred = readonly [
  level: number,
  offset: number,
  due: number,
  failures: number,
  deliveries: number,
  suspicion?: Suspicion,
];
/** Of one offset this delivery has begun; 0: of all of these the first delivery may have. */
type Begun = readonly [level: number, from: number, to: number, delivery: number];
type Settled = readonly [level: number, from: number, to: number];

/**
 * An entry of a cursor's log. `s`, `d` and `m` say what was settled, put off and begun, or, in a snapshot (`z`), all there is of it;
 * `b` the books, and the ends of the logs that these books are about: `e` all of them, `g` those that have moved since the entry before.
 */
export interface CursorEntry {
  readonly z?: true;
  readonly s: readonly Settled[];
  readonly d: readonly Deferred[];
  /** As `d`, of what is settled and to be delivered once more; after `s`. */
  readonly r?: readonly Deferred[];
  readonly m?: readonly Begun[];
  readonly b: readonly number[];
  readonly e?: readonly number[];
  readonly g?: readonly (readonly [level: number, end: number])[];
  /** Something that came has a ttl: whoever reads it has to look. */
  readonly t?: true;
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
  /** Ranges, each as its two ends, in the order in which they were settled. */
  private settledNow = new Map<Cursor, number[]>();
  private deferredNow: [Cursor, number, number, number, number][] = [];
  private revivedNow: [Cursor, number][] = [];
  readonly marks = new Marks();
  private readonly suspects: Suspects;
  private readonly expiry: { readonly mortal: boolean };
  /** Settled by a write under way: in a delta already, not in the settled set yet. */
  private readonly departing = new Map<Cursor, Map<number, Moved>>();
  private readonly inHand: () => Iterable<Taken>;
  private arrivals = 0;
  /** Where, and where last. */
  private readonly grown = new Set<Cursor>();
  private latest: Cursor | undefined = undefined;
  private deltas = DELTAS;
  /** What lies below is void with the next snapshot: the newest one, whose offset is known when it is written, or what an earlier run left. */
  private snapshot: { offset?: number | undefined } = {};

  constructor(
    log: string,
    cursors: readonly Cursor[],
    books: Books,
    inHand: () => Iterable<Taken>,
    suspects: Suspects,
    expiry: { readonly mortal: boolean },
  ) {
    this.log = log;
    this.cursors = cursors;
    this.books = books;
    this.inHand = inHand;
    this.suspects = suspects;
    this.expiry = expiry;
  }

  resume(end: number): void {
    this.snapshot = { offset: end };
  }

  departs(cursor: Cursor, offset: number, as: Moved): void {
    this.unrevive(cursor, offset);
    this.noteSettled(cursor, offset);
    const offsets = this.departing.get(cursor);
    if (offsets === undefined) this.departing.set(cursor, new Map([[offset, as]]));
    else offsets.set(offset, as);
  }

  settled(cursor: Cursor, offset: number): void {
    this.unrevive(cursor, offset);
    if (this.suspects.any) this.suspects.clear(cursor, offset);
    if (this.departing.get(cursor)?.delete(offset) !== true) this.noteSettled(cursor, offset);
  }

  private noteSettled(cursor: Cursor, offset: number): void {
    const ranges = this.settledNow.get(cursor);
    if (ranges === undefined) this.settledNow.set(cursor, [offset, offset + 1]);
    else if (ranges.at(-1) === offset) ranges[ranges.length - 1] = offset + 1;
    else ranges.push(offset, offset + 1);
  }

  deferred(cursor: Cursor, offset: number, due: number, failures: number, deliveries: number): void {
    this.departing.get(cursor)?.delete(offset);
    this.deferredNow.push([cursor, offset, due, failures, deliveries]);
  }

  fenced(cursor: Cursor, offset: number): void {
    const offsets = this.departing.get(cursor);
    if (offsets?.delete(offset) === true && offsets.size === 0) this.departing.delete(cursor);
  }

  revived(cursor: Cursor, offset: number): void {
    this.revivedNow.push([cursor, offset]);
  }

  private unrevive(cursor: Cursor, offset: number): void {
    if (this.revivedNow.length === 0) return;
    this.revivedNow = this.revivedNow.filter((one) => one[0] !== cursor || one[1] !== offset);
  }

  /** A message came. Whether that has to be written down now. */
  arrived(cursor: Cursor): boolean {
    if (cursor !== this.latest) this.grown.add((this.latest = cursor));
    return ++this.arrivals >= ARRIVALS;
  }

  upset(): void {
    this.deltas = DELTAS;
  }

  collect(batch: StorageOp[]): boolean {
    const matters = this.settledNow.size + this.deferredNow.length + this.revivedNow.length + this.arrivals > 0;
    // A snapshot tells of every log, a delta of those that have changed.
    const few = Math.max(DELTAS_IN_ORDER, this.cursors.length);
    const whole = this.deltas >= DELTAS || (this.deltas >= few && this.isInOrder());
    const trimmed = this.snapshot.offset;
    const op: StorageOp & { type: 'append' } = {
      type: 'append',
      log: this.log,
      entry: { head: whole ? this.everything() : this.changes() },
      offset: undefined,
    };
    batch.push(op);
    this.settledNow.clear();
    this.deferredNow = [];
    this.revivedNow = [];
    this.arrivals = 0;
    this.grown.clear();
    this.latest = undefined;
    this.deltas++;
    if (!whole) return matters;
    this.deltas = 0;
    this.snapshot = op;
    if (trimmed !== undefined) batch.push({ type: 'drop', log: this.log, from: 0, to: trimmed });
    return true;
  }

  /** Deltas lie among the messages that came with them: each one costs recovery a read. */
  private isInOrder(): boolean {
    let offsets = 0;
    for (const cursor of this.cursors) offsets += cursor.outOfOrder;
    return offsets <= HARDLY_ANY;
  }

  private changes(): CursorEntry {
    const s: Settled[] = [];
    for (const [cursor, ends] of this.settledNow) {
      if (!cursor.fenced) for (const { from, to } of joined(ends)) s.push([cursor.number, from, to]);
    }
    const d = this.deferredNow.filter(current).map((one) => this.put(...one));
    const r = this.revivedNow.filter(current).map(([cursor, offset]) => this.put(cursor, offset, 0, 0, 0));
    const m = this.marks.take().filter(current).map(written);
    const g = Array.from(this.grown, ({ number, end }) => [number, end] as const);
    return {
      s,
      d,
      ...(r.length > 0 ? { r } : {}),
      ...(m.length > 0 ? { m } : {}),
      ...(g.length > 0 ? { g } : {}),
      ...this.sums(),
    };
  }

  private put(cursor: Cursor, offset: number, due: number, failures: number, deliveries: number): Deferred {
    const suspicion = this.suspects.any ? this.suspects.of(cursor, offset) : 0;
    const { number } = cursor;
    return suspicion === 0
      ? [number, offset, due, failures, deliveries]
      : [number, offset, due, failures, deliveries, suspicion];
  }

  private everything(): CursorEntry {
    const s: Settled[] = [];
    const d: Deferred[] = [];
    const r: Deferred[] = [];
    const waits = (cursor: Cursor, offset: number, ...rest: [number, number, number]): void => {
      (cursor.settled.has(offset) ? r : d).push(this.put(cursor, offset, ...rest));
    };
    this.cursors.forEach((cursor, level) => {
      s.push([level, 0, cursor.settled.low]);
      for (const { from, to } of cursor.settled.ranges()) s.push([level, from, to]);
      for (const { offset, due, failures, deliveries } of cursor.waiting())
        waits(cursor, offset, due, failures, deliveries);
    });
    this.marks.take();
    const m = this.marks.all().filter(current).map(written);
    for (const taken of this.inHand()) {
      const { cursor, offset, failures, deliveries } = taken;
      if (cursor.fenced || this.departing.get(cursor)?.has(offset) === true) continue;
      const before = taken instanceof Held ? deliveries - 1 : deliveries;
      if (before > 0 || cursor.settled.has(offset) || this.suspects.of(cursor, offset) > 0)
        waits(cursor, offset, 0, failures, before);
      if (taken instanceof Held) m.push([cursor.number, offset, offset + 1, deliveries]);
    }
    for (const [cursor, offsets] of this.departing) {
      if (cursor.fenced) continue;
      for (const offset of offsets.keys()) s.push([cursor.number, offset, offset + 1]);
    }
    const e = this.cursors.map(({ end }) => end);
    return { z: true, s, d, e, ...(r.length > 0 ? { r } : {}), ...(m.length > 0 ? { m } : {}), ...this.sums() };
  }

  private sums(): Pick<CursorEntry, 'b' | 't'> {
    // What is in hand will be waiting after a crash, but for what this very write settles.
    let { bytes } = this.books;
    for (const { cursor, offset, entry } of this.inHand()) {
      if (this.departing.get(cursor)?.has(offset) !== true) bytes += entry.head.size;
    }
    const sums = { ...this.books.snapshot(), bytes };
    for (const offsets of this.departing.values()) for (const as of offsets.values()) sums[as]++;
    const b = WRITTEN.map((name) => sums[name]);
    return { b, ...(this.expiry.mortal ? { t: true } : {}) };
  }
}

/** Its cursor still has its place. */
function current([cursor]: readonly [Cursor, ...unknown[]]): boolean {
  return !cursor.fenced;
}

function written([{ number }, from, to, delivery]: Mark): Begun {
  return [number, from, to, delivery];
}

/** Ranges in ascending order, of their ends. */
function joined(ends: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (let at = 0; at < ends.length; at += 2) ranges.push({ from: ends[at]!, to: ends[at + 1]! });
  const disjoint: Range[] = [];
  for (const range of ranges.sort((a, b) => a.from - b.from)) {
    const last = disjoint.at(-1);
    if (last === undefined || last.to < range.from) disjoint.push(range);
    // One that was settled twice lies within another.
    else disjoint[disjoint.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return disjoint;
}
