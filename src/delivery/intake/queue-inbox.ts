import type { Encoded } from '../../codec.js';
import type { OpenLog } from '../../storage/storage.js';
import { Accepted } from '../contents.js';
import type { LogEntry } from '../cursor/buffer.js';
import type { Cursor } from '../cursor/cursor.js';
import { CursorLog } from '../cursor/cursor-log.js';
import type { Head } from '../head.js';
import { Inbox, type Append, type Limits, type Load } from './inbox.js';
import type { Journal } from '../journal.js';
import { cursorLogOf, queueLogOf } from '../log-names.js';
import { oldest } from '../oldest.js';
import type { Subscription } from '../subscription.js';
import type { Taken } from '../taken.js';

/** The append of a message to the log of a level. It arrives there also where the queue has got more levels meanwhile. */
type Leveled = Append & { readonly cursor: Cursor };

/** Where a queue takes messages in: its limits, and the logs of its levels. */
export class QueueInbox extends Inbox {
  readonly subscription: Subscription;
  /** Those of its levels that take messages at once. */
  private logs: (OpenLog | undefined)[] = [];
  /** It is over its limits until something is read. */
  private owing = false;

  constructor(name: string, subscription: Subscription) {
    super(name);
    this.subscription = subscription;
  }

  /**
   * Opens a log per priority level. Logs that are there stay, while they hold anything or something is on its way there;
   * another journal is for an empty queue only.
   */
  lay(journal: Journal, levels: number): void {
    const { stock } = this.subscription;
    const { cursors } = stock;
    if (journal !== this.journal) {
      this.journal = journal;
      this.logs = [];
      const inHand = (): Iterable<Taken> => this.subscription.inHand();
      const record = journal.lasting
        ? new CursorLog(cursorLogOf(this.name), cursors, stock.books, inHand, stock.suspects, stock.expiry)
        : undefined;
      stock.restart(journal, record);
    }
    for (let level = cursors.length; level < levels; level++) {
      const log = queueLogOf(this.name, level);
      stock.open(log, journal.rangeOf(log));
      this.logs[level] = journal.openLog(log);
    }
    while (cursors.length > levels && !this.awaits && !cursors.at(-1)!.holds) cursors.pop();
  }

  limit(limits: Limits): void {
    this.limits = limits;
    this.open = limits.maxLength === Infinity && limits.maxBytes === Infinity;
  }

  override takes(count: number, bytes: number, head: Head): boolean {
    if (this.open) return true;
    // Without room there is somebody to be found who takes it over.
    return this.waiting === 0 && this.limits.maxLength > 0 && this.fits({ count, bytes, head });
  }

  /** Whether `load` more fits now, beside what is there and what is under way. Without room, one message is handed over at a time. */
  override fits(load: Load): boolean {
    const { maxLength, maxBytes } = this.limits;
    const { ready, delayed, bytes } = this.subscription.stock.books;
    const coming = this.reserved.count + load.count;
    if (bytes + this.reserved.bytes + load.bytes > maxBytes) return false;
    return maxLength > 0
      ? ready + delayed + coming <= maxLength
      : coming === 1 && this.subscription.handsOver(load.head);
  }

  /** Whether `load` would not even fit into the empty queue. One that holds nothing hands over one message that is due. */
  override neverFits({ count, bytes, head }: Load): boolean {
    const { maxLength, maxBytes } = this.limits;
    if (bytes > maxBytes) return true;
    return maxLength > 0 ? count > maxLength : count > 1 || head?.rare?.due !== undefined;
  }

  override crowd(crowded: boolean): void {
    this.subscription.crowded = crowded;
  }

  override get atOnce(): boolean {
    return this.open && this.logs[0] !== undefined;
  }

  override put(head: Head, body: Encoded): boolean {
    const cursor = this.cursorFor(head);
    const log = this.logs[cursor.number];
    if (log === undefined) return false;
    const entry = { head, body };
    this.enter(cursor, log.append(head, body), entry);
    // It had room: a listener may have sent more.
    if (!this.open) this.dropHeads();
    return true;
  }

  /** The append of a message to the log of its level. */
  override append(head: Head, body: Encoded): Leveled {
    const cursor = this.cursorFor(head);
    return { type: 'append', log: cursor.log, entry: { head, body }, offset: undefined, cursor };
  }

  /** An append is done: consumers may see it. */
  override arrived(op: Append): void {
    if (this.deleted) return;
    const most = this.most(op);
    this.enterAppended(op);
    if (!this.open) this.dropHeads(most);
  }

  /** Several of one write are. What is too much goes when all are in. */
  override arrivedTogether(ops: readonly Append[]): void {
    if (this.deleted) return;
    const most = this.most(ops.at(-1)!);
    for (const op of ops) this.enterAppended(op);
    this.dropHeads(most);
  }

  /** How many may be here once `last` is in: without room of its own, what somebody is about to take. */
  private most({ entry }: Append): number {
    const { maxLength } = this.limits;
    const { subscription } = this;
    if (maxLength > 0 || !subscription.handsOver(entry.head)) return maxLength;
    const { ready, delayed } = subscription.stock.books;
    return ready + delayed + 1;
  }

  private enterAppended(op: Append): void {
    const { cursor, offset, entry } = op as Leveled;
    this.enter(cursor, offset!, entry);
  }

  private enter(cursor: Cursor, offset: number, entry: LogEntry): void {
    const { subscription } = this;
    subscription.arrive(cursor, offset, entry);
    const { events } = subscription;
    if (events.heard.accepted) events.emit('accepted', new Accepted(subscription, entry));
  }

  private cursorFor(head: Head): Cursor {
    const { cursors } = this.subscription.stock;
    const priority = head.rare === undefined ? 0 : head.rare.priority;
    return cursors[priority < cursors.length ? priority : cursors.length - 1]!;
  }

  /** The oldest of the lowest level that is not empty go, until the rest is within the limits. */
  private dropHeads(most = this.limits.maxLength): void {
    if (this.open || this.limits.overflow !== 'drop-head') return;
    const { stock } = this.subscription;
    const { maxBytes } = this.limits;
    const { books } = stock;
    this.owing = false;
    while (books.ready + books.delayed > most || books.bytes > maxBytes) {
      const cursor = oldest(stock);
      if (cursor === undefined) {
        this.owing = stock.loading;
        return;
      }
      const before = books.ready + books.delayed;
      this.subscription.discard(cursor, 'overflow');
      // It could not be written to the dead letters, and came back.
      if (books.ready + books.delayed >= before) return;
    }
  }

  /** What has to be dropped had to be read first. */
  loaded(): void {
    if (this.owing) this.dropHeads();
  }
}
