import type { Events } from '../events.js';
import type { Handler } from '../message.js';
import type { Agenda } from './agenda.js';
import type { Cursor } from './cursor/cursor.js';
import type { Begun } from './crash/begun.js';
import type { Hand } from './hand.js';
import type { Held, Holder } from './held.js';
import type { Reads } from './reads.js';
import type { Roster, Taker } from './order/roster.js';
import type { Slice } from './slice.js';
import type { TokenBucket } from './token-bucket.js';

/** What subscribers take from. */
export interface Feed {
  readonly roster: Roster;
  readonly slice: Slice;
  readonly agenda: Agenda;
  readonly events: Events;
  /** When the broker was opened. */
  readonly epoch: number;
  /** Whether something may be ready, and what is being read. */
  readonly stock: {
    readonly stocked: boolean;
    readonly loading: boolean;
    readonly picker: { readonly metAlone: boolean };
    /** Where the storage has to know of a delivery before its handler does. */
    readonly begun: Begun | undefined;
    readonly reads: Reads;
  };
  now(): number;
  /**
   * The next message for this consumer, if there is one. `run`: the batch that it would join. `from`: where the slot that asks took,
   * and settled, the last one.
   */
  take(consumer: Consuming, run: readonly Held[] | undefined, from?: Cursor): Held | undefined;
  /** Takes back what is overdue in this hand. */
  overdue(hand: Hand): void;
  /** Acknowledges for a slot that takes what is next itself. */
  settleAndGoOn(held: Held): void;
  /** A slot has nothing to do. */
  rested(): void;
  /** Somebody may take something. */
  restocked(): void;
}

export interface SubscriberOptions {
  readonly name: string;
  readonly handler: Handler<never>;
  readonly concurrency: number;
  readonly ack: 'auto' | 'manual' | 'none';
  readonly prefetch: number;
  /** ms; NEVER: none. */
  readonly ackTimeout: number;
  readonly rate: TokenBucket | undefined;
  /** The handler takes arrays of at most `size`; `wait` ms for a full one, from its first message. */
  readonly batch: { readonly size: number; readonly wait: number } | undefined;
}

/** Who takes with slots of its own. */
export interface Consuming extends Taker, Holder {
  readonly hand: Hand;
  readonly options: SubscriberOptions;
}
