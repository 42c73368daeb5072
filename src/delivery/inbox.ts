import type { Encoded } from '../codec.js';
import { SluiceError } from '../errors.js';
import type { Durability } from '../message.js';
import type { Awaitable, StorageOp } from '../storage/storage.js';
import type { LogEntry } from './buffer.js';
import { Accepted } from './contents.js';
import type { Head } from './head.js';
import { CursorLog } from './cursor-log.js';
import type { Journal } from './journal.js';
import { cursorLogOf, queueLogOf } from './log-names.js';
import { oldest } from './oldest.js';
import type { Taken } from './taken.js';
import type { Subscription } from './subscription.js';

export type Overflow = 'block' | 'reject' | 'drop-head' | 'dead-letter';

export interface Limits {
  readonly maxLength: number;
  readonly maxBytes: number;
  readonly overflow: Overflow;
}

/** What many arrivals at once would take. */
export interface Load {
  count: number;
  bytes: number;
  /** The last of them. */
  head?: Head;
}

/** The append of a message, with its entry as the engine knows it. */
export type Append = StorageOp & { readonly type: 'append'; readonly entry: LogEntry };

/** One message for one queue, on its way in. */
export interface Deposit {
  readonly inbox: Inbox;
  readonly head: Head;
  readonly body: Encoded;
  /** Which of the messages that are sent together it belongs to. */
  readonly parcel: number;
}

/** Where a queue takes messages in: its limits, and the logs that they go to. */
export class Inbox {
  readonly name: string;
  /** What a receipt says of a message that went only here. */
  readonly names: readonly string[];
  readonly subscription: Subscription;
  journal!: Journal;
  limits: Limits = { maxLength: Infinity, maxBytes: Infinity, overflow: 'reject' };
  /** Nothing has to be asked before an append. */
  open = true;
  /** Refuses a body that the queue's schema does not take (ERR_VALIDATION). */
  validate: ((body: unknown) => unknown) | undefined;
  /** Senders that wait for room here. */
  waiting = 0;
  deleted = false;
  /** It is over its limits until something is read. */
  private owing = false;
  /** Appends under way. */
  private readonly reserved: Load = { count: 0, bytes: 0 };

  constructor(name: string, subscription: Subscription) {
    this.name = name;
    this.names = Object.freeze([name]);
    this.subscription = subscription;
  }

  /**
   * Opens a log per priority level. Logs that are there stay, while they hold anything; another journal is for an empty queue
   * only.
   */
  lay(journal: Journal, levels: number): void {
    const { stock } = this.subscription;
    const { cursors } = stock;
    if (journal !== this.journal) {
      this.journal = journal;
      const inHand = (): Iterable<Taken> => this.subscription.inHand();
      const record = journal.lasting ? new CursorLog(cursorLogOf(this.name), cursors, stock.books, inHand) : undefined;
      stock.restart(journal, record);
    }
    for (let level = cursors.length; level < levels; level++) {
      const log = queueLogOf(this.name, level);
      stock.open(log, journal.rangeOf(log));
    }
    while (cursors.length > levels && !cursors.at(-1)!.holds) cursors.pop();
  }

  limit(limits: Limits): void {
    this.limits = limits;
    this.open = limits.maxLength === Infinity && limits.maxBytes === Infinity;
  }

  get durability(): Durability {
    return this.journal.durability;
  }

  /** Whether `load` more fits now, beside what is there and what is under way. */
  fits(load: Load): boolean {
    const { maxLength, maxBytes } = this.limits;
    const { ready, delayed, bytes } = this.subscription.stock.books;
    if (bytes + this.reserved.bytes + load.bytes > maxBytes) return false;
    const coming = ready + this.reserved.count + load.count;
    return coming + delayed <= maxLength || (maxLength === 0 && coming === 1 && this.subscription.handsOver(load.head));
  }

  /** Whether `load` would not even fit into the empty queue. One that holds nothing hands over one message that is due. */
  neverFits({ count, bytes, head }: Load): boolean {
    const { maxLength, maxBytes } = this.limits;
    if (bytes > maxBytes) return true;
    return maxLength > 0 ? count > maxLength : count > 1 || head?.rare?.due !== undefined;
  }

  full(details: Readonly<Record<string, unknown>> = {}): SluiceError {
    const { maxLength, maxBytes, overflow } = this.limits;
    return new SluiceError('ERR_QUEUE_FULL', `queue ${JSON.stringify(this.name)} is full`, {
      details: { queue: this.name, maxLength, maxBytes, overflow, ...details },
    });
  }

  reserve(load: Load, sign: 1 | -1): void {
    this.reserved.count += sign * load.count;
    this.reserved.bytes += sign * load.bytes;
  }

  /** The append of a message to the log of its level. */
  append(head: Head, body: Encoded): Append {
    return { type: 'append', log: this.cursorFor(head).log, entry: { head, body }, offset: undefined };
  }

  /** An append is done: consumers may see it. */
  arrived(op: Append): void {
    if (!this.deleted && !this.enter(op) && !this.open) this.dropHeads();
  }

  /** Several of one write are. What is too much goes when all are in. */
  arrivedTogether(ops: readonly Append[]): void {
    if (this.deleted) return;
    const handedOver = ops.filter((op) => this.enter(op)).length > 0;
    if (!handedOver) this.dropHeads();
  }

  /** Whether somebody gets it whom a queue without room of its own serves. */
  private enter({ entry, offset }: Append): boolean {
    const { subscription } = this;
    const handsOver = this.limits.maxLength === 0 && subscription.handsOver(entry.head);
    subscription.arrive(this.cursorFor(entry.head), offset!, entry);
    const { events } = subscription;
    if (events.heard.accepted) events.emit('accepted', new Accepted(subscription, entry));
    return handsOver;
  }

  /** What is stored here is stored at once, or refused at once. */
  get plain(): boolean {
    return this.open && this.validate === undefined && !this.journal.lasting;
  }

  /** The way of most messages: one queue, no limits. Done when it returns or resolves. */
  store(head: Head, body: Encoded): Awaitable<void> {
    const op = this.append(head, body);
    const written = this.journal.write([op], head.rare?.transient === true ? 'memory' : undefined);
    if (written === undefined) return this.arrived(op);
    const load = { count: 1, bytes: head.size };
    this.reserve(load, 1);
    return written.then(
      () => {
        this.reserve(load, -1);
        this.arrived(op);
      },
      (error: unknown) => {
        this.reserve(load, -1);
        throw error;
      },
    );
  }

  private cursorFor(head: Head) {
    const { cursors } = this.subscription.stock;
    const priority = head.rare === undefined ? 0 : head.rare.priority;
    return cursors[priority < cursors.length ? priority : cursors.length - 1]!;
  }

  /** The oldest of the lowest level that is not empty go, until the rest is within the limits. */
  private dropHeads(): void {
    if (this.open || this.limits.overflow !== 'drop-head') return;
    const { stock } = this.subscription;
    const { maxLength, maxBytes } = this.limits;
    const { books } = stock;
    this.owing = false;
    while (books.ready + books.delayed > maxLength || books.bytes > maxBytes) {
      const cursor = oldest(stock);
      if (cursor === undefined) {
        this.owing = stock.loading;
        return;
      }
      this.subscription.discard(cursor, 'overflow');
    }
  }

  /** What has to be dropped had to be read first. */
  loaded(): void {
    if (this.owing) this.dropHeads();
  }
}
