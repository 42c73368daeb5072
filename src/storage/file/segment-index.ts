/**
 * Where the entries of one segment are, packed: a row per run of offsets of a log.
 *
 *     rows        log │ first │ count │ base        sorted by (log, first)
 *                   3 │   100 │     2 │    0 ──┐
 *                   3 │   205 │     1 │    2 ──┼─┐
 *     positions   ▼ 40  ▼ 980  ▼ 1204 …   ◄────┘ │   a row's records stand at positions[base … base + count)
 *                              ▲─────────────────┘
 *     frames      0  │ 960 │ 1200 …                 where frames begin
 */
export interface IndexRows {
  readonly logs: Uint32Array;
  readonly firsts: Float64Array;
  readonly counts: Uint32Array;
}

export interface SegmentIndex {
  readonly rows: IndexRows;
  readonly bases: Uint32Array;
  readonly positions: Uint32Array;
  readonly frames: Uint32Array;
}

/** Records of consecutive offsets, one after the other: offset + i stands at positions[at + i], i < count. */
export interface Run {
  readonly positions: ArrayLike<number>;
  readonly at: number;
  readonly count: number;
}

/** What a reader needs of a segment, whether it is packed or still being written. */
export interface Positions {
  find(log: number, offset: number): Run | undefined;
  /** Where the frame begins that holds `position`. */
  frameOf(position: number): number;
  /** Where the frame after that one begins; undefined behind the last. */
  frameAfter(position: number): number | undefined;
}

export class PackedPositions implements Positions {
  readonly index: SegmentIndex;

  constructor(index: SegmentIndex) {
    this.index = index;
  }

  find(log: number, offset: number): Run | undefined {
    const { rows, bases, positions } = this.index;
    const row = findRow(rows, log, offset);
    if (row < 0) return undefined;
    const into = offset - rows.firsts[row]!;
    return { positions, at: bases[row]! + into, count: rows.counts[row]! - into };
  }

  /** Calls `visit` with each run of offsets of a log that is here. */
  runs(log: number, visit: (first: number, count: number) => void): void {
    const { logs, firsts, counts } = this.index.rows;
    for (let row = lastRowFrom(this.index.rows, log, -1) + 1; logs[row] === log; row++)
      visit(firsts[row]!, counts[row]!);
  }

  frameOf(position: number): number {
    return this.index.frames[lastNotAbove(this.index.frames, this.index.frames.length, position)]!;
  }

  frameAfter(position: number): number | undefined {
    return this.index.frames[lastNotAbove(this.index.frames, this.index.frames.length, position) + 1];
  }
}

/** Index of the row that holds (log, offset), or -1. */
export function findRow(rows: IndexRows, log: number, offset: number): number {
  const row = lastRowFrom(rows, log, offset);
  return row >= 0 && rows.logs[row] === log && offset < rows.firsts[row]! + rows.counts[row]! ? row : -1;
}

/** Index of the last row that is not after (log, offset), or -1. */
export function lastRowFrom(rows: IndexRows, log: number, offset: number): number {
  let low = 0;
  let high = rows.logs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const isAfter = rows.logs[middle]! > log || (rows.logs[middle] === log && rows.firsts[middle]! > offset);
    if (isAfter) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

export function lastNotAbove(sorted: ArrayLike<number>, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}
