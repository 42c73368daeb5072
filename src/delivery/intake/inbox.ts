import type { Encoded } from '../../codec.js';
import { SluiceError } from '../../errors.js';
import type { Durability, MessageOptions } from '../../message.js';
import type { StorageOp } from '../../storage/storage.js';
import type { LogEntry } from '../cursor/buffer.js';
import type { Head } from '../head.js';
import type { Journal } from '../journal.js';

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

/** One message for one queue or topic, on its way in. */
export interface Deposit {
  readonly inbox: Inbox;
  readonly head: Head;
  readonly body: Encoded;
  /** Which of the messages that are sent together it belongs to. */
  readonly parcel: number;
}

const UNLIMITED: Limits = { maxLength: Infinity, maxBytes: Infinity, overflow: 'reject' };

/** How far what is written together has to reach: a message that need not last is not waited for. */
export function reachOf(entries: readonly { readonly head: Head }[]): Durability | undefined {
  return entries.every(({ head }) => head.isTransient) ? 'memory' : undefined;
}

/** Where a queue or topic takes messages in. This one has no limits: whoever has some says so. */
export abstract class Inbox {
  readonly name: string;
  /** What a receipt says of a message that went only here. */
  readonly names: readonly string[];
  journal!: Journal;
  limits: Limits = UNLIMITED;
  /** Nothing has to be asked before an append. */
  open = true;
  /** Refuses a body that the schema does not take (ERR_VALIDATION). */
  validate: ((body: unknown) => unknown) | undefined;
  /** Senders that wait for room here. */
  waiting = 0;
  deleted = false;
  /** Appends under way. */
  protected readonly reserved: Load = { count: 0, bytes: 0 };
  /** What the newest commit brings. */
  private coming: { readonly written: Promise<void>; readonly ops: Append[]; bytes: number } | undefined;

  constructor(name: string) {
    this.name = name;
    this.names = Object.freeze([name]);
  }

  /** Stores a message at once, in a queue or topic without limits. false: it has to be written. */
  abstract put(head: Head, body: Encoded): boolean;

  /** The append of a message to the log where it belongs. */
  abstract append(head: Head, body: Encoded): Append;

  /** An append is done: consumers may see it. */
  abstract arrived(op: Append): void;

  /** Several of one write are. */
  abstract arrivedTogether(ops: readonly Append[]): void;

  /** Refuses options that mean nothing here (TypeError). */
  checkOptions(_options: MessageOptions): void {}

  /**
   * Whether so many messages, and bytes, may come in now, the last of them with this head: there is nothing to wait for, nothing else has
   * to go for them, and they need not go elsewhere.
   */
  takes(_count: number, _bytes: number, _head: Head): boolean {
    return true;
  }

  /** Whether `load` more fits now, beside what is there and what is under way. */
  fits(_load: Load): boolean {
    return true;
  }

  /** Whether `load` would not even fit where nothing else is. */
  neverFits(_load: Load): boolean {
    return false;
  }

  /** Appends of so many messages and bytes are under way; negative: are not any more. */
  reserve(count: number, bytes: number): void {
    this.reserved.count += count;
    this.reserved.bytes += bytes;
  }

  /** Something is on its way here. */
  get awaits(): boolean {
    return this.reserved.count > 0;
  }

  /** Somebody waits for room, or nobody any more. */
  crowd(_crowded: boolean): void {}

  get durability(): Durability {
    return this.journal.durability;
  }

  /** What is stored here is stored at once, or refused at once. */
  abstract get atOnce(): boolean;

  /** What is stored in another way comes now: what is sent after it arrives after it, in the order of the log. */
  part(): void {
    this.coming = undefined;
  }

  /** `op` arrives when `written` is done, before whoever sent it goes on. Those of one commit share its promise, and arrive at once. */
  comes(op: Append, written: Promise<void>): void {
    const bytes = op.entry.head.size;
    this.reserve(1, bytes);
    if (this.coming?.written !== written) return this.comesFirst(op, written, bytes);
    this.coming.ops.push(op);
    this.coming.bytes += bytes;
  }

  /** As comes(), the first of its commit. Apart from it: a function that makes closures pays for them also where it makes none. */
  private comesFirst(op: Append, written: Promise<void>, bytes: number): void {
    const coming = { written, ops: [op], bytes };
    this.coming = coming;
    const released = (): void => {
      if (this.coming === coming) this.coming = undefined;
      this.reserve(-coming.ops.length, -coming.bytes);
    };
    written.then(() => {
      released();
      for (const each of coming.ops) this.arrived(each);
    }, released);
  }

  full(details: Readonly<Record<string, unknown>> = {}): SluiceError {
    const { maxLength, maxBytes, overflow } = this.limits;
    return new SluiceError('ERR_QUEUE_FULL', `queue ${JSON.stringify(this.name)} is full`, {
      details: { queue: this.name, maxLength, maxBytes, overflow, ...details },
    });
  }
}
