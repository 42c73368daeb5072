import { lastNotAbove, PackedPositions } from './segment-index.js';
import type { Positions, Run, SegmentIndex } from './segment-index.js';

/** Offsets and positions in ascending order; `offsets` only where they are not consecutive. */
interface OpenRow {
  readonly log: number;
  readonly first: number;
  readonly offsets: number[] | undefined;
  readonly positions: number[];
  readonly before: OpenRow | undefined;
}

/** A part of a row, or a row that was packed: offset `first` + i stands at positions[at + i], i < count. */
interface Piece extends Run {
  readonly log: number;
  readonly first: number;
}

/**
 * The index of a segment that is being written or scanned. A log's entries come with consecutive offsets; copies of old
 * ones come in ascending order with gaps, and make a row of their own beside it. What an index file knew stays packed.
 */
export class OpenPositions implements Positions {
  readonly frames: number[] = [];
  entries = 0;
  private readonly latest = new Map<number, OpenRow>();
  private last: OpenRow | undefined;
  /** What came before this began: packed, and left as it is. */
  private readonly before: PackedPositions | undefined;

  /** @param before an index that ends in the middle of its segment, to go on from */
  constructor(before?: SegmentIndex) {
    if (before === undefined) return;
    this.before = new PackedPositions(before);
    this.entries = before.positions.length;
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
    return this.before?.find(log, offset);
  }

  frameOf(position: number): number {
    const at = lastNotAbove(this.frames, this.frames.length, position);
    return at < 0 ? this.before!.frameOf(position) : this.frames[at]!;
  }

  frameAfter(position: number): number | undefined {
    const at = lastNotAbove(this.frames, this.frames.length, position);
    return (at < 0 ? this.before?.frameAfter(position) : undefined) ?? this.frames[at + 1];
  }

  /** Calls `visit` with each run of offsets of a log that is here. */
  runs(log: number, visit: (first: number, count: number) => void): void {
    this.before?.runs(log, visit);
    for (let row = this.latest.get(log); row !== undefined; row = row.before) {
      for (const { first, count } of piecesOf(row)) visit(first, count);
    }
  }

  /** As runs(), of all logs. */
  each(visit: (log: number, first: number, count: number) => void): void {
    for (const { log, first, count } of this.pieces()) visit(log, first, count);
  }

  pack(): SegmentIndex {
    const pieces = [...this.pieces()].sort((a, b) => a.log - b.log || a.first - b.first);
    const rows: { readonly log: number; readonly first: number; readonly base: number; count: number }[] = [];
    const positions = new Uint32Array(this.entries);
    let base = 0;
    for (const { log, first, positions: from, at, count } of pieces) {
      positions.set(slice(from, at, at + count), base);
      const last = rows[rows.length - 1];
      if (last?.log === log && last.first + last.count === first) last.count += count;
      else rows.push({ log, first, base, count });
      base += count;
    }
    return {
      rows: {
        logs: Uint32Array.from(rows, (row) => row.log),
        firsts: Float64Array.from(rows, (row) => row.first),
        counts: Uint32Array.from(rows, (row) => row.count),
      },
      bases: Uint32Array.from(rows, (row) => row.base),
      positions,
      frames: Uint32Array.from([...(this.before?.index.frames ?? []), ...this.frames]),
    };
  }

  private *pieces(): Generator<Piece> {
    if (this.before !== undefined) {
      const { rows, bases, positions } = this.before.index;
      for (let row = 0; row < bases.length; row++) {
        yield {
          log: rows.logs[row]!,
          first: rows.firsts[row]!,
          positions,
          at: bases[row]!,
          count: rows.counts[row]!,
        };
      }
    }
    for (const latest of this.latest.values()) {
      for (let row: OpenRow | undefined = latest; row !== undefined; row = row.before) yield* piecesOf(row);
    }
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

function* piecesOf({ log, first, offsets, positions }: OpenRow): Generator<Piece> {
  if (offsets === undefined) {
    yield { log, first, positions, at: 0, count: positions.length };
    return;
  }
  for (let at = 0; at < offsets.length;) {
    const count = runLength(offsets, at);
    yield { log, first: offsets[at]!, positions, at, count };
    at += count;
  }
}

function slice(numbers: ArrayLike<number>, from: number, to: number): ArrayLike<number> {
  if (numbers instanceof Uint32Array) return numbers.subarray(from, to);
  const array = numbers as number[];
  return to - from === array.length ? array : array.slice(from, to);
}
