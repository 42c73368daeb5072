import type { Letter } from './letter.js';

/** One delivery: what its verbs may still do. */
export interface Hand {
  readonly letter: Letter;
  taker: Taker;
  readonly since: number;
  deadline: number;
  /** Not settled, and not taken back. */
  live: boolean;
  /** Taken back: its signal says so. */
  aborted: boolean;
  run: Run | undefined;
  /** The attempt it was announced with. */
  readonly attempt: number;
  readonly deliveries: number;
}

/** One call of a handler. */
export interface Run {
  readonly hands: readonly Hand[];
  state: 'running' | 'returned' | 'threw';
  error: Error | undefined;
  /** One of its messages was taken back: it has no slot any more. */
  lost: boolean;
}

export interface TakerOptions {
  readonly name: string;
  readonly concurrency: number;
  readonly prefetch: number;
  readonly ack: 'auto' | 'manual' | 'none';
  readonly ackTimeout: number;
  readonly batch: { readonly size: number; readonly wait: number } | undefined;
  readonly rate: { readonly max: number; readonly per: number } | undefined;
  /** A pending receive(): when it gives up. */
  readonly until: number | undefined;
}

/** A consumer, or a pending receive(). */
export class Taker {
  readonly options: TakerOptions;
  readonly runs: Run[] = [];
  /** Delivered, and its handler is not called yet. */
  gathered: Hand[] = [];
  paused = false;
  /** When close() gives up. undefined: it is open. */
  closesAt: number | undefined;
  closed = false;
  private tokens: number;
  private tokensAt: number;

  constructor(options: TakerOptions, now: number) {
    this.options = options;
    this.tokens = options.rate?.max ?? 0;
    this.tokensAt = now;
  }

  get name(): string {
    return this.options.name;
  }

  get pulls(): boolean {
    return this.options.until !== undefined;
  }

  /** Handlers that run and are waited for. */
  get running(): number {
    return this.runs.filter((run) => run.state === 'running' && !run.lost).length;
  }

  /** Whether it may take `letter`, while it has `held` in hand. */
  hasRoom(letter: Letter, held: number, now: number): boolean {
    const { concurrency, prefetch, batch, rate } = this.options;
    if (this.paused || this.closesAt !== undefined || held >= prefetch) return false;
    if (rate !== undefined && this.tokensNow(now) < 1 - 1e-9) return false;
    const slots = concurrency - this.running;
    const { gathered } = this;
    if (batch === undefined) return gathered.length < slots;
    if (gathered.length === 0) return slots > 0;
    if (letter.alone || gathered[0]!.letter.alone) return slots > 1;
    return gathered.length < slots * batch.size;
  }

  /** How many messages it could take at once, while it has `held` in hand: one for each slot that does nothing. */
  slots(held: number, now: number): number {
    const { concurrency, prefetch, batch, rate } = this.options;
    const idle = concurrency - this.running - (batch === undefined ? this.gathered.length : 0);
    return Math.min(idle, prefetch - held, rate === undefined ? Infinity : Math.floor(this.tokensNow(now) + 1e-9));
  }

  /** A token of its rate is gone. */
  spend(now: number): void {
    if (this.options.rate === undefined) return;
    this.tokens = this.tokensNow(now) - 1;
    this.tokensAt = now;
  }

  /** When it has a whole token again. */
  nextToken(now: number): number {
    const { rate } = this.options;
    if (rate === undefined) return Infinity;
    const tokens = this.tokensNow(now);
    return tokens >= 1 - 1e-9 ? Infinity : now + Math.ceil((1 - tokens) * (rate.per / rate.max) - 1e-9);
  }

  /** When a batch that is not full goes to its handler. */
  get fillsUntil(): number {
    const [first] = this.gathered;
    return first === undefined || this.options.batch === undefined ? Infinity : first.since + this.options.batch.wait;
  }

  private tokensNow(now: number): number {
    const { max, per } = this.options.rate!;
    return Math.min(max, this.tokens + ((now - this.tokensAt) * max) / per);
  }
}
