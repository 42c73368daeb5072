import type { Group } from './group.js';

/** About what the bytes of a write take beside its sync. */
const BYTES_PER_MS = 1_000_000;
/** About how many records a broker makes. */
const RECORDS_PER_MS = 1500;
/** What is saved by not waiting for less is what another write takes in this process. ms */
const SHORTEST_SYNC = 0.2;
/** So slowly is it believed that syncs take longer than they did. */
const GROWTH = 1.02;

/**
 * How much should share a write. More records in a group save a sync each, and nothing but that: where it takes longer than a
 * sync to make all that wait at a time, half of them are written while the other half is encoded, so that the disk and this
 * process work at the same time. Halves, since nothing is won by a part that waits for a larger one.
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
  /** Records that were written last, and those that came meanwhile: as many wait at a time. */
  private waiting = 0;

  constructor(time: () => number) {
    this.time = time;
  }

  /**
   * The write of `group`, begun at `began`, is done; `next` came meanwhile. Of what the event loop was late to hear of, the
   * shortest counts.
   */
  wrote(group: Group, began: number, next: Group | undefined): void {
    const took = this.time() - began - group.length / BYTES_PER_MS;
    this.sync = Math.max(Math.min(took, this.sync * GROWTH), SHORTEST_SYNC);
    this.waiting = group.effects.count + (next === undefined ? 0 : next.effects.count);
  }

  /** Nobody should wait for more; and for as many to come back, neither. */
  isEnough({ effects: { count } }: Group): boolean {
    const all = Math.max(this.waiting, count);
    return 2 * count >= all && all >= this.sync * RECORDS_PER_MS;
  }
}
