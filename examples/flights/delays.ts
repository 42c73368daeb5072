import type { Flight } from './flights.js';

/** Minutes from which on a flight is late in the statistics of the U.S. Department of Transportation. */
const LATE = 15;
/** How far a flight draws the trend to its own delay: so little that it shows a thousand flights later when two changed places. */
const WEIGHT = 1 / 64;

/** The punctuality of one airport up to now. Trend and rows depend on the order of its flights. */
export interface Delays {
  readonly flights: number;
  readonly late: number;
  /** Moving average of the delay, minutes. */
  readonly trend: number;
  /** Late flights in a row, up to now and at most. */
  readonly row: number;
  readonly longestRow: number;
}

/** The figures after one more flight; `before` the first one there are none. */
export function withFlight(before: Delays | undefined, { delay }: Flight): Delays {
  if (before === undefined) before = { flights: 0, late: 0, trend: 0, row: 0, longestRow: 0 };
  const isLate = delay >= LATE;
  const row = isLate ? before.row + 1 : 0;
  return {
    flights: before.flights + 1,
    late: before.late + (isLate ? 1 : 0),
    trend: before.trend + (delay - before.trend) * WEIGHT,
    row,
    longestRow: Math.max(before.longestRow, row),
  };
}
