import type { Group } from './group.js';

/** About what the bytes of a write take beside its sync. */
const BYTES_PER_MS = 1_000_000;
/** About how many records a broker makes. */
const RECORDS_PER_MS = 1500;
/** ms */
const SHORTEST_SYNC = 0.05;
/** So slowly is it believed that syncs take longer than they did. */
const GROWTH = 1.02;

/**
 * How much should share a write. More records in a group save a sync each, and nothing but that: where it takes twice as long
 * as a sync to make a group, it is written while others are encoded, so that the disk and this process work at the same time.
 *
 *     syncs take long      encode ───────────► write ════════════════════► encode ───────────► write …
 *     encoding does        encode ─────►│─────►│─────►│─────►
 *                                 write ═════► ═════► ═════►
 */
export class Pace {
  /** Milliseconds, with fractions. */
  readonly time: () => number;
  /** What a write takes however small it is. ms */
  private sync = 1;

  constructor(time: () => number) {
    this.time = time;
  }

  /** A write that was begun at `began` is done. Of what the event loop was late to hear of, the shortest counts. */
  wrote(bytes: number, began: number): void {
    const took = this.time() - began - bytes / BYTES_PER_MS;
    this.sync = Math.max(Math.min(took, this.sync * GROWTH), SHORTEST_SYNC);
  }

  /** Nobody should wait for more; and for as many to come back, neither. */
  isEnough(group: Group): boolean {
    return group.effects.length >= 2 * this.sync * RECORDS_PER_MS;
  }
}
