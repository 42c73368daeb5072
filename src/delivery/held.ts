import { checkOptions, checkString } from '../arguments.js';
import { milliseconds, type Duration } from '../duration.js';
import type { Delivery } from '../message.js';
import type { LogEntry } from './cursor/buffer.js';
import type { Cursor } from './cursor/cursor.js';
import type { KeyLane } from './order/key-lanes.js';
import type { Lane } from './lanes.js';
import type { Outcome } from './settle.js';
import type { Member, Share } from './order/share.js';
import type { Suspicion } from './crash/suspects.js';
import { StoredMessage, type Place } from './stored-message.js';

/** Who settles what is in hand. */
export interface Keeper extends Place {
  /** false when it is not in hand any more. */
  settle(held: Held, outcome: Outcome, delay?: number, error?: unknown): boolean;
  extend(held: Held, by: number | undefined): boolean;
}

/** Whose it is while it is in hand: a consumer, or somebody who called receive(). */
export interface Holder extends Member {
  readonly name: string;
  /** How long it may keep a message, ms; NEVER: for ever. */
  readonly ackTimeout: number;
  /** What it takes from. undefined: everything. */
  readonly share: Share | undefined;
  /** What it has in hand. */
  readonly hand: Iterable<Held>;
  /** No handler of it runs: it may take a message that is to be alone. */
  readonly calm: boolean;
  /** It has taken such a message. */
  tries(suspect: Held): void;
  /** It got one. */
  took(): void;
  /** It is settled, or taken back. */
  released(held: Held): void;
  /** It is about to be taken back while somebody may work on it. */
  lose(held: Held): void;
  /** It has a new deadline. */
  reschedule(held: Held, deadline: number): void;
}

const NACK = new Set(['delay', 'error']);
const REQUEUE = new Set(['delay']);

/**
 * A message in hand, made from the candidate that a cursor has found. Its body is decoded when it is out of the stock. In memory only: after a crash it is simply not settled.
 * `inHand` is the fence: whatever takes the message back clears it, and every later verb returns false.
 */
export class Held extends StoredMessage implements Delivery {
  /** @internal */ readonly cursor: Cursor;
  /** @internal */ readonly offset: number;
  /** @internal */ readonly holder: Holder;
  /** @internal */ inHand = true;
  /** @internal When it was delivered, and when it times out: ms on the broker's clock since the broker was opened. */
  readonly since: number;
  /** @internal */ deadline: number;
  /** @internal Its slot in the hand. */
  at = 0;
  /** @internal The slot whose handler got it, and in which of its runs. */
  lane: Lane | undefined = undefined;
  /** @internal */ run = 0;
  /** @internal Its key's turn, where the queue keeps order by key. */
  turn: KeyLane | undefined = undefined;
  /** @internal It comes by itself, after a batch it was in failed. */
  readonly alone: boolean;
  /** @internal It may have ended an earlier process. */
  suspicion: Suspicion = 0;
  private abort: AbortController | undefined = undefined;

  constructor(
    keeper: Keeper,
    entry: LogEntry,
    failures: number,
    deliveries: number,
    cursor: Cursor,
    offset: number,
    alone: boolean,
    holder: Holder,
    since: number,
    deadline: number,
  ) {
    super(keeper, entry, undefined, failures, deliveries);
    this.cursor = cursor;
    this.offset = offset;
    this.alone = alone;
    this.holder = holder;
    this.since = since;
    this.deadline = deadline;
  }

  /** Where it is in a topic; a queue has no partitions. */
  get partition(): number | undefined {
    return this.keeper.origin.group === undefined ? undefined : this.cursor.number;
  }

  override toJSON(): ReturnType<StoredMessage['toJSON']> {
    const { partition, offset } = this;
    return partition === undefined ? super.toJSON() : Object.assign(super.toJSON(), { partition, offset });
  }

  private get keeper(): Keeper {
    return this.place as Keeper;
  }

  /** Made when it is first read: most handlers never look. */
  get signal(): AbortSignal {
    this.abort ??= new AbortController();
    return this.abort.signal;
  }

  /** @internal Aborts the signal, if anybody has it. A later reader gets an aborted one. */
  giveUp(reason: unknown): void {
    this.abort ??= new AbortController();
    this.abort.abort(reason);
  }

  ack(): boolean {
    return this.keeper.settle(this, 'ack');
  }

  nack(options?: { readonly delay?: Duration | undefined; readonly error?: unknown }): boolean {
    if (options === undefined) return this.keeper.settle(this, 'nack');
    checkOptions(options, 'nack()', NACK);
    return this.keeper.settle(this, 'nack', delayOf(options, 'nack().delay'), options.error);
  }

  /** @internal Back, to be delivered by itself: a batch of several failed, and nobody knows by whose fault. */
  unbatch(error: unknown): boolean {
    return this.keeper.settle(this, 'unbatch', undefined, error);
  }

  reject(reason?: string): boolean {
    if (reason === undefined) return this.keeper.settle(this, 'reject');
    checkString(reason, 'reject(reason)');
    return this.keeper.settle(this, 'reject', undefined, new Error(reason));
  }

  requeue(options?: { readonly delay?: Duration | undefined }): boolean {
    if (options === undefined) return this.keeper.settle(this, 'requeue');
    checkOptions(options, 'requeue()', REQUEUE);
    return this.keeper.settle(this, 'requeue', delayOf(options, 'requeue().delay'));
  }

  extend(by?: Duration): boolean {
    return this.keeper.extend(this, by === undefined ? undefined : milliseconds(by, 'extend(by)'));
  }
}

function delayOf(options: { readonly delay?: Duration | undefined }, what: string): number | undefined {
  return options.delay === undefined ? undefined : milliseconds(options.delay, what);
}
