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

function lastNotAbove(sorted: ArrayLike<number>, length: number, value: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

/** Offsets and positions in ascending order; `offsets` only where they are not consecutive. */
interface OpenRow {
  readonly log: number;
  readonly first: number;
  readonly offsets: number[] | undefined;
  readonly positions: number[];
  readonly before: OpenRow | undefined;
}

/**
 * The index of a segment that is being written or scanned. A log's entries come with consecutive offsets; copies of old
 * ones come in ascending order with gaps, and make a row of their own beside it.
 */
export class OpenPositions implements Positions {
  readonly frames: number[] = [];
  entries = 0;
  private readonly latest = new Map<number, OpenRow>();
  private last: OpenRow | undefined;

  /** Goes on from an index that ends in the middle of its segment. */
  static from({ rows, bases, positions, frames }: SegmentIndex): OpenPositions {
    const open = new OpenPositions();
    for (const at of frames) open.frames.push(at);
    open.entries = positions.length;
    const { logs, firsts, counts } = rows;
    for (let row = 0; row < logs.length; row++) {
      const log = logs[row]!;
      // Only the last row of a log can grow; those before it are kept together, however many gaps there are.
      const offsets: number[] = [];
      const at = bases[row]!;
      for (; logs[row + 1] === log; row++) {
        for (let i = 0; i < counts[row]!; i++) offsets.push(firsts[row]! + i);
      }
      const gathered = Array.from(positions.subarray(at, bases[row]!));
      const before = { log, first: offsets[0] ?? 0, offsets, positions: gathered, before: undefined };
      open.latest.set(log, {
        log,
        first: firsts[row]!,
        offsets: undefined,
        positions: Array.from(positions.subarray(bases[row]!, bases[row]! + counts[row]!)),
        before: offsets.length > 0 ? before : undefined,
      });
    }
    return open;
  }

  frame(at: number): void {
    this.frames.push(at);
  }

  add(log: number, offset: number, position: number, isCopy: boolean): void {
    this.entries++;
    const last = this.last;
    if (last !== undefined && last.log === log && extend(last, offset, position, isCopy)) return;
    const latest = this.latest.get(log);
    this.last = latest;
    if (latest !== undefined) {
      if (extend(latest, offset, position, isCopy)) return;
      if (latest.before !== undefined && extend(latest.before, offset, position, isCopy)) return;
    }
    const row = { log, first: offset, offsets: isCopy ? [offset] : undefined, positions: [position], before: latest };
    this.latest.set(log, row);
    this.last = row;
  }

  find(log: number, offset: number): Run | undefined {
    for (let row = this.latest.get(log); row !== undefined; row = row.before) {
      const { offsets, positions } = row;
      if (offsets === undefined) {
        const at = offset - row.first;
        if (at >= 0 && at < positions.length) return { positions, at, count: positions.length - at };
      } else {
        const at = lastNotAbove(offsets, offsets.length, offset);
        if (at >= 0 && offsets[at] === offset) return { positions, at, count: runLength(offsets, at) };
      }
    }
    return undefined;
  }

  frameOf(position: number): number {
    return this.frames[lastNotAbove(this.frames, this.frames.length, position)]!;
  }

  frameAfter(position: number): number | undefined {
    return this.frames[lastNotAbove(this.frames, this.frames.length, position) + 1];
  }

  /** Calls `visit` with each run of offsets of a log that begins here. */
  runs(log: number, visit: (first: number, count: number) => void): void {
    for (let row = this.latest.get(log); row !== undefined; row = row.before) {
      for (const run of runsOf(row)) visit(run.first, run.count);
    }
  }

  /** As runs(), of all logs. */
  each(visit: (log: number, first: number, count: number) => void): void {
    for (const log of this.latest.keys()) this.runs(log, (first, count) => visit(log, first, count));
  }

  pack(): SegmentIndex {
    const runs: OpenRun[] = [];
    for (const latest of this.latest.values()) {
      for (let row: OpenRow | undefined = latest; row !== undefined; row = row.before) {
        for (const run of runsOf(row)) runs.push(run);
      }
    }
    runs.sort((a, b) => a.row.log - b.row.log || a.first - b.first);
    const index: SegmentIndex = {
      rows: {
        logs: new Uint32Array(runs.length),
        firsts: new Float64Array(runs.length),
        counts: new Uint32Array(runs.length),
      },
      bases: new Uint32Array(runs.length),
      positions: new Uint32Array(this.entries),
      frames: Uint32Array.from(this.frames),
    };
    let base = 0;
    runs.forEach(({ row, first, at, count }, i) => {
      index.rows.logs[i] = row.log;
      index.rows.firsts[i] = first;
      index.rows.counts[i] = count;
      index.bases[i] = base;
      index.positions.set(count === row.positions.length ? row.positions : row.positions.slice(at, at + count), base);
      base += count;
    });
    return index;
  }
}

function extend(row: OpenRow, offset: number, position: number, isCopy: boolean): boolean {
  if (row.offsets === undefined) {
    if (offset !== row.first + row.positions.length) return false;
  } else {
    if (!isCopy || offset <= row.offsets[row.offsets.length - 1]!) return false;
    row.offsets.push(offset);
  }
  row.positions.push(position);
  return true;
}

function runLength(offsets: readonly number[], at: number): number {
  let end = at + 1;
  while (end < offsets.length && offsets[end] === offsets[end - 1]! + 1) end++;
  return end - at;
}

interface OpenRun {
  readonly row: OpenRow;
  readonly first: number;
  readonly at: number;
  readonly count: number;
}

function* runsOf(row: OpenRow): Generator<OpenRun> {
  const { offsets, positions } = row;
  if (offsets === undefined) {
    yield { row, first: row.first, at: 0, count: positions.length };
    return;
  }
  for (let at = 0; at < offsets.length;) {
    const count = runLength(offsets, at);
    yield { row, first: offsets[at]!, at, count };
    at += count;
  }
}
