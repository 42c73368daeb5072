import type { Cursor } from '../cursor/cursor.js';
/**
 * The storage is to know that deliveries may have begun: delivery number `delivery` (1, 2, …) of one offset has; with 0, the first
 * delivery of each offset in the range may have, or may yet.
 */
export type Mark = readonly [cursor: Cursor, from: number, to: number, delivery: number];

/** Offsets whose first delivery may have begun. */
interface Ahead {
  readonly from: number;
  to: number;
  /** Until it is written. */
  written: Promise<void> | undefined;
}

/** Ranges that are remembered for each cursor. What is forgotten is marked once more when its turn comes. */
const MOST = 64;

/** Which deliveries are marked as begun, until they are settled or given back. */
export class Marks {
  private fresh: Mark[] = [];
  private readonly ahead = new Map<Cursor, Ahead[]>();

  /** One that is handed out now. */
  add(cursor: Cursor, offset: number, delivery: number): void {
    this.fresh.push([cursor, offset, offset + 1, delivery]);
  }

  /** Those that are next. */
  addAhead(cursor: Cursor, from: number, to: number, written: Promise<void>): void {
    this.fresh.push([cursor, from, to, 0]);
    const range: Ahead = { from, to, written };
    const ranges = this.ahead.get(cursor);
    if (ranges === undefined) this.ahead.set(cursor, [range]);
    else if (ranges.push(range) > MOST) ranges.splice(0, MOST / 2);
    void written.then(() => this.join(cursor, range));
  }

  /** The range in which the first delivery of this offset is marked. */
  covering(cursor: Cursor, offset: number): Ahead | undefined {
    const ranges = this.ahead.get(cursor);
    if (ranges === undefined) return undefined;
    for (let n = ranges.length - 1; n >= 0; n--) {
      const range = ranges[n]!;
      if (offset >= range.from && offset < range.to) return range;
    }
    return undefined;
  }

  /** It is written: one with what is before it, mostly. */
  private join(cursor: Cursor, range: Ahead): void {
    range.written = undefined;
    const ranges = this.ahead.get(cursor) ?? [];
    const at = ranges.indexOf(range);
    const before = ranges[at - 1];
    if (at < 1 || before!.to !== range.from || before!.written !== undefined) return;
    before!.to = range.to;
    ranges.splice(at, 1);
  }

  /** What is new since this was last asked. */
  take(): Mark[] {
    const { fresh } = this;
    this.fresh = [];
    return fresh;
  }

  /** What is ahead, for a snapshot: what is settled by now is no matter any more. */
  all(): Mark[] {
    const all: Mark[] = [];
    for (const [cursor, ranges] of this.ahead) {
      const left = ranges.filter(({ to }) => to > cursor.settled.low);
      if (left.length === 0) this.ahead.delete(cursor);
      else this.ahead.set(cursor, left);
      for (const { from, to } of left) all.push([cursor, Math.max(from, cursor.settled.low), to, 0]);
    }
    return all;
  }
}
