import type { Log, LogTable } from './log-table.js';
import { Ranges } from './ranges.js';
import type { Segment } from './segment.js';

interface Sum {
  /** Live entries at home in the segments so far. */
  count: number;
  /** Where the last run ended. */
  end: number;
  /** Runs come in disorder: copies moved forward, and maybe both copies are there. */
  isMixed: boolean;
}

/**
 * Counts what is live in each segment, and sees to it that every entry has one home: of two copies the later one.
 * Returns the name of a log that has entries nowhere, if there is one.
 */
export function settleHomes(segments: readonly Segment[], table: LogTable): string | undefined {
  const sums = new Map<Log, Sum>();
  for (const segment of segments) {
    segment.each((id, first, count) => {
      const log = table.byId.get(id);
      if (log === undefined) return;
      const from = Math.max(first, log.first);
      const to = Math.min(first + count, log.next);
      if (from >= to) return;
      const sum = sums.get(log) ?? { count: 0, end: 0, isMixed: false };
      sums.set(log, sum);
      if (from < sum.end) sum.isMixed = true;
      sum.end = Math.max(sum.end, to);
      sum.count += to - from - log.holes.overlap(from, to);
    });
  }
  for (const [log, sum] of sums) if (sum.isMixed) sum.count = untangle(log, segments);
  for (const segment of segments) {
    segment.live = 0;
    segment.each((id, first, count) => {
      const log = table.byId.get(id);
      if (log === undefined) return;
      const from = Math.max(first, log.first);
      const to = Math.min(first + count, log.next);
      if (from < to) segment.live += to - from - log.holes.overlap(from, to);
    });
  }
  for (const log of table.written.values()) {
    if ((sums.get(log)?.count ?? 0) !== log.count) return log.name;
  }
  return undefined;
}

/** From the last segment to the first: what a later one has is nothing of an earlier one. Returns how many are live. */
function untangle(log: Log, segments: readonly Segment[]): number {
  const claimed = new Ranges();
  for (const segment of segments.toReversed()) {
    const runs: { first: number; end: number }[] = [];
    segment.each((id, first, count) => {
      if (id === log.id) runs.push({ first, end: first + count });
    });
    for (const { first, end } of runs) {
      const twice: { from: number; to: number }[] = [];
      let open = first;
      claimed.add(first, end, (from, to) => {
        if (open < from) twice.push({ from: open, to: from });
        open = to;
      });
      if (open < end) twice.push({ from: open, to: end });
      for (const { from, to } of twice) segment.exclude(log.id, from, to);
    }
  }
  let count = 0;
  for (let i = 0; i < claimed.length; i++) {
    const from = Math.max(claimed.starts[i]!, log.first);
    const to = Math.min(claimed.ends[i]!, log.next);
    if (from < to) count += to - from - log.holes.overlap(from, to);
  }
  return count;
}
