import type { Clock, Timer } from '../../clock.js';
import type { Appender } from './appender.js';
import type { Writer } from './writer.js';

/** How often a storage that is written to looks around; one that was not writes down that everything is on the disk, once. ms. */
const TICK = 1000;

/**
 * The two timers of a storage, neither of which keeps a process alive: with `flush: 'async'` the sync that is due
 * `interval` ms after something was written, and the mark of an idle storage. The last group before a mark could be damaged
 * and taken for a torn tail; after it, damage there is damage.
 */
export class Flusher {
  private readonly clock: Clock;
  private readonly appender: Appender;
  private readonly writer: Writer;
  /** Undefined where every write is on the disk when it is done. */
  private readonly interval: number | undefined;
  private readonly onTick: () => void;
  private readonly onFailed: (error: unknown) => void;
  private flushTimer: Timer | undefined;
  private idleTimer: Timer | undefined;
  private flushing: Promise<void> = Promise.resolve();
  private seen = 0;
  private marked = -1;

  constructor(
    clock: Clock,
    appender: Appender,
    writer: Writer,
    interval: number | undefined,
    onTick: () => void,
    onFailed: (error: unknown) => void,
  ) {
    this.clock = clock;
    this.appender = appender;
    this.writer = writer;
    this.interval = interval;
    this.onTick = onTick;
    this.onFailed = onFailed;
  }

  /** Something was written. */
  written(): void {
    if (this.interval !== undefined && this.flushTimer === undefined && !this.appender.isSynced) {
      this.flushTimer = this.timer(this.interval, () => {
        this.flushTimer = undefined;
        this.flushing = this.appender.sync().catch(this.onFailed);
      });
    }
    if (this.idleTimer === undefined && this.appender.writes !== this.marked) this.watch();
  }

  /** Stops, and waits for a sync under way. */
  async close(): Promise<void> {
    this.flushTimer?.cancel();
    this.idleTimer?.cancel();
    this.marked = Infinity;
    await this.flushing;
  }

  private watch(): void {
    this.seen = this.appender.writes;
    this.idleTimer = this.timer(TICK, () => {
      this.idleTimer = undefined;
      this.onTick();
      if (this.appender.writes !== this.seen) return this.watch();
      // The mark is a write as well: the one after which there is nothing to mark.
      this.marked = this.appender.writes + 1;
      this.writer.mark().catch(() => {
        // A failed write has been reported as such; a full disk has no mark.
      });
    });
  }

  private timer(delay: number, fire: () => void): Timer {
    const timer = this.clock.setTimer(delay, fire);
    timer.unref?.();
    return timer;
  }
}
