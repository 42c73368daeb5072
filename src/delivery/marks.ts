import type { Cursor } from './cursor.js';
import type { Range } from './settled-set.js';

/**
 * The storage is to know that deliveries may have begun: delivery number `delivery` (1, 2, …) of one offset has; with 0, the first
 * delivery of each offset in the range may have, or may yet.
 */
export type Mark = readonly [cursor: Cursor, from: number, to: number, delivery: number];

/** Ranges that are remembered for each cursor. What is forgotten is marked once more when its turn comes. */
const MOST = 64;

/** Which deliveries are marked as begun, until they are settled or given back. */
export class Marks {
  private fresh: Mark[] = [];
  private readonly ahead = new Map<Cursor, Range[]>();

  /** One that is handed out now. */
  add(cursor: Cursor, offset: number, delivery: number): void {
    this.fresh.push([cursor, offset, offset + 1, delivery]);
  }

  /** Those that are next. */
  addAhead(cursor: Cursor, from: number, to: number): void {
    this.fresh.push([cursor, from, to, 0]);
    const ranges = this.ahead.get(cursor);
    const last = ranges?.at(-1);
    if (ranges === undefined) this.ahead.set(cursor, [{ from, to }]);
    else if (last!.to === from) ranges[ranges.length - 1] = { from: last!.from, to };
    else if (ranges.push({ from, to }) > MOST) ranges.splice(0, MOST / 2);
  }

  /** The first delivery of this offset needs no mark of its own. */
  covers(cursor: Cursor, offset: number): boolean {
    const ranges = this.ahead.get(cursor);
    if (ranges === undefined) return false;
    for (let n = ranges.length - 1; n >= 0; n--) {
      const { from, to } = ranges[n]!;
      if (offset >= from && offset < to) return true;
    }
    return false;
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
