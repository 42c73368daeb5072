import { findRow, lastRowFrom } from './segment-index.js';
import type { OpenPositions } from './open-positions.js';
import type { IndexRows } from './segment-index.js';

/**
 * Which offsets a sealed segment is the home of: the rows of its index, less what was copied to a later segment. Each
 * entry has one home, so that counting what is live per segment is exact.
 */
export class Claims {
  private rows: IndexRows;

  constructor(rows: IndexRows) {
    // The counts and firsts change as entries move away; the index that was read stays as it is.
    this.rows = { logs: rows.logs, firsts: rows.firsts.slice(), counts: rows.counts.slice() };
  }

  has(log: number, offset: number): boolean {
    return findRow(this.rows, log, offset) >= 0;
  }

  /** Calls `visit` with each part of [from, to) of a log that is at home here. */
  overlap(log: number, from: number, to: number, visit: (from: number, to: number) => void): void {
    const { logs, firsts, counts } = this.rows;
    for (let row = Math.max(lastRowFrom(this.rows, log, from), 0); row < logs.length; row++) {
      if (logs[row]! < log) continue;
      if (logs[row]! > log || firsts[row]! >= to) return;
      const start = Math.max(firsts[row]!, from);
      const end = Math.min(firsts[row]! + counts[row]!, to);
      if (start < end) visit(start, end);
    }
  }

  /** Calls `visit` with each row in order of log and offset. */
  each(visit: (log: number, first: number, count: number) => void): void {
    const { logs, firsts, counts } = this.rows;
    for (let row = 0; row < logs.length; row++) if (counts[row]! > 0) visit(logs[row]!, firsts[row]!, counts[row]!);
  }

  /** The entries of a log up to, not including, `to` in the row that holds `from` have moved, or are gone. */
  release(log: number, from: number, to: number): void {
    const row = findRow(this.rows, log, from);
    if (row < 0) return;
    const moved = Math.min(to - this.rows.firsts[row]!, this.rows.counts[row]!);
    this.rows.firsts[row]! += moved;
    this.rows.counts[row]! -= moved;
  }

  /** Takes [from, to) of a log out, wherever it lies; for recovery, where a crash left two copies of something. */
  exclude(log: number, from: number, to: number): void {
    const parts: { log: number; first: number; count: number }[] = [];
    this.each((of, first, count) => {
      const end = first + count;
      if (of !== log || end <= from || first >= to) parts.push({ log: of, first, count });
      else {
        if (first < from) parts.push({ log, first, count: from - first });
        if (end > to) parts.push({ log, first: to, count: end - to });
      }
    });
    this.rows = {
      logs: Uint32Array.from(parts, (part) => part.log),
      firsts: Float64Array.from(parts, (part) => part.first),
      counts: Uint32Array.from(parts, (part) => part.count),
    };
  }
}

/** As Claims.overlap, of a segment whose index is not packed yet. */
export function overlapOpen(
  positions: OpenPositions,
  log: number,
  from: number,
  to: number,
  visit: (from: number, to: number) => void,
): void {
  positions.runs(log, (first, count) => {
    const start = Math.max(first, from);
    const end = Math.min(first + count, to);
    if (start < end) visit(start, end);
  });
}
