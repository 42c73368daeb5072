import type { Delivery, Located } from '../../../src/index.js';
import type { Body } from '../driver.js';
import type { Letter } from './letter.js';

export interface MemberOptions {
  readonly name: string;
  readonly kind: 'single' | 'batch' | 'pull';
  readonly concurrency: number;
  readonly size: number;
  readonly prefetch: number;
  readonly ack: 'auto' | 'manual' | 'none';
  /** ms; Infinity: none. */
  readonly ackTimeout: number;
}

/** A handler that runs. */
export interface Run {
  readonly member: MemberModel;
  readonly hands: readonly Hand[];
  /** Something of it was taken back: its slot is free. */
  lost: boolean;
  ended: 'returned' | Error | undefined;
}

/** A message in hand, or that was. */
export interface Hand {
  readonly letter: Letter;
  readonly member: MemberModel;
  readonly attempt: number;
  readonly deliveries: number;
  readonly alone: boolean;
  /** A process died with it in hand, perhaps: it is handled by itself. */
  readonly suspect: boolean;
  deadline: number;
  live: boolean;
  aborted: boolean;
  run: Run | undefined;
  /** A verb that its event has to follow. */
  intent: 'ack' | 'nack' | 'reject' | undefined;
  delay: number | undefined;
  delivery: (Delivery<Body> & Located) | undefined;
}

/** Who takes messages together: a consumer, or all who pull. */
export class MemberModel {
  readonly options: MemberOptions;
  paused = false;
  /** It takes nothing more, and gives back what its handlers have then. */
  closesAt: number | undefined;
  /** A message of it timed out, and nothing was heard of it since. */
  silent = false;
  readonly running = new Set<Run>();
  readonly lost = new Set<Run>();
  readonly hands = new Set<Hand>();
  /** Of those who pull: how many wait. */
  waiting = 0;

  constructor(options: MemberOptions) {
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }

  /** Whether partitions are shared out to it. Asked at rest. */
  get sits(): boolean {
    return this.options.kind === 'pull' ? this.waiting > 0 || this.hands.size > 0 : this.closesAt === undefined;
  }

  /** Whether it takes what is there. */
  get canTake(): boolean {
    const { kind, concurrency, prefetch } = this.options;
    if (kind === 'pull') return this.waiting > 0;
    if (this.paused || this.closesAt !== undefined) return false;
    return this.running.size < concurrency && this.hands.size < prefetch;
  }

  heard(): void {
    this.silent = false;
  }

  toString(): string {
    return this.name;
  }
}
