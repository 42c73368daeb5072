import type { Hand } from './member-model.js';
import type { Entry } from './topic-model.js';

/** What a restart may find of a message in a group. */
export interface Trace {
  readonly done: boolean;
  readonly waiting: boolean;
  readonly readyAt: number;
  readonly failures: number;
  readonly deliveries: number;
  /** Dead letters of it that wait to be redriven. */
  readonly dead: number;
  /** Somebody had it in hand. */
  readonly hand: boolean;
  /** Counts the changes of a group. */
  readonly at: number;
}

/** A message as one group sees it. */
export class Letter {
  readonly entry: Entry;
  /** Settled: the group does not come back to it without a seek or a redrive. */
  done: boolean;
  /** `none`: done, and nothing to do. `moving`: on its way to the dead letters. */
  state: 'none' | 'waiting' | 'hand' | 'moving';
  readyAt = 0;
  failures = 0;
  deliveries = 0;
  /** Comes by itself: the batch that it was in failed. */
  alone = false;
  hand: Hand | undefined;
  /** Dead letters of it that wait to be redriven. */
  dead = 0;
  /** How often it was handed out is not sure: a process died with it in hand. */
  vague = false;
  /** To be delivered so many times more: there were several dead letters of it. */
  spare = 0;
  /** What was so at this change of the group is written for sure. */
  sure = 0;
  /** After a crash: one of these is so. */
  maybe: readonly Trace[] | undefined;
  /** What was so since the last flush, and the last thing before. */
  private traces: Trace[] = [];

  constructor(entry: Entry, done: boolean) {
    this.entry = entry;
    this.done = done;
    this.state = done ? 'none' : 'waiting';
  }

  /** Something about it has changed. */
  trace(at: number): void {
    this.traces.push({ ...this.last, at });
  }

  /** What is being written, and will be so in a moment. */
  potential(at: number, changes: Partial<Trace>): void {
    this.traces.push({ ...this.last, ...changes, at });
  }

  /** The process died: what may be found of it. `sure`: everything up to this change was flushed. */
  crash(sure: number, attempts: number): void {
    const certain = this.traces.findLastIndex(({ at }) => at <= Math.max(sure, this.sure));
    this.maybe ??= this.traces.slice(Math.max(0, certain));
    // What was in hand then has failed once, and may have died of that.
    for (const trace of this.maybe.filter(({ hand }) => hand)) {
      const failures = trace.failures + 1;
      const dies = { done: true, waiting: false, dead: trace.dead + 1 };
      this.maybe = [
        ...this.maybe,
        { ...trace, failures, readyAt: 0 },
        ...(failures < attempts ? [] : [{ ...trace, ...dies }]),
      ];
    }
    this.spare = 0;
    this.vague = true;
    if (this.state === 'hand' || this.state === 'moving') this.state = 'waiting';
    this.hand = undefined;
    this.alone = false;
  }

  /** Only this can have been so; false: it cannot. */
  narrow(at: number, is: (trace: Trace) => boolean): boolean {
    if (this.maybe === undefined) return is(this.last);
    const left = this.maybe.filter(is);
    if (left.length === 0) return false;
    this.maybe = left;
    if (left.every((trace) => same(trace, left[0]!))) this.settle(at);
    return true;
  }

  /** It is one of those, and nothing more will tell which. */
  settle(at: number): void {
    if (this.maybe === undefined || this.maybe.length === 0) return;
    const { done, waiting, readyAt, failures, dead } = this.maybe[0]!;
    const deliveries = Math.max(...this.maybe.map((trace) => trace.deliveries));
    this.maybe = undefined;
    Object.assign(this, { done, readyAt, failures, deliveries, dead, state: waiting ? 'waiting' : 'none' });
    this.traces = [];
    this.trace(at);
  }

  get last(): Trace {
    const { done, state, readyAt, failures, deliveries, dead } = this;
    return { done, waiting: state !== 'none', readyAt, failures, deliveries, dead, hand: state === 'hand', at: 0 };
  }

  /** Whether it surely waits. */
  get waits(): boolean {
    if (this.entry.gone) return false;
    return this.maybe === undefined ? this.state === 'waiting' : this.maybe.every(({ waiting }) => waiting);
  }

  /** Whether it surely waits, and could be taken now. */
  isReady(now: number): boolean {
    if (this.entry.gone) return false;
    if (this.maybe === undefined) return this.state === 'waiting' && this.readyAt <= now;
    return this.maybe.every(({ waiting, readyAt }) => waiting && readyAt <= now);
  }

  get active(): boolean {
    return this.state !== 'none' && !this.entry.gone;
  }

  toString(): string {
    const { number, partition, offset } = this.entry;
    return `#${number} (${partition}@${offset})`;
  }
}

function same(a: Trace, b: Trace): boolean {
  return (
    a.done === b.done &&
    a.waiting === b.waiting &&
    a.readyAt === b.readyAt &&
    a.failures === b.failures &&
    a.deliveries === b.deliveries &&
    a.dead === b.dead
  );
}
