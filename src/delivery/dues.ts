import type { Agenda, Alarm } from './agenda.js';
import type { Books } from './books.js';
import type { Cursor } from './cursor/cursor.js';
import { LOADING, READY } from './cursor/next.js';
import type { Expiry } from './expiry.js';
import type { StockOwner } from './stock-owner.js';

/** Whose dues they are. */
export interface DuesOwner {
  readonly cursors: readonly Cursor[];
  readonly books: Books;
  readonly expiry: Expiry;
  readonly owner: StockOwner;
  now(): number;
}

/** One alarm for all that is deferred in a stock: delays and backoffs. */
export class Dues {
  private readonly stock: DuesOwner;
  private readonly alarm: Alarm;
  /** Something is handed over once it is read. */
  private owing = false;

  constructor(agenda: Agenda, stock: DuesOwner) {
    this.stock = stock;
    this.alarm = agenda.alarm(() => this.ripen());
  }

  watch(vital: boolean): void {
    let due = Infinity;
    for (const { returned } of this.stock.cursors) {
      const { deferred } = returned;
      if (deferred.size > 0 && deferred.rank < due) due = deferred.rank;
    }
    this.alarm.set(due, vital);
  }

  close(): void {
    this.alarm.clear();
  }

  /** What had to be read first is there. */
  loaded(): void {
    if (this.owing) this.handOver();
  }

  /** A ttl of 0 begins and ends when a message is due: who waits for it gets it all the same. */
  private handOver(): void {
    this.owing = false;
    for (const cursor of this.stock.cursors) {
      const found = cursor.next();
      if (found === LOADING) this.owing = true;
      if (found !== READY || cursor.deliveries > 0) continue;
      const { head } = cursor;
      if (head.rare?.due !== undefined && this.stock.expiry.of(head) === head.rare.due)
        this.stock.expiry.came(head, true);
    }
  }

  /** What is due goes back to its place. */
  private ripen(): void {
    const { stock } = this;
    const { cursors, books, expiry, owner } = stock;
    const now = stock.now();
    const awaited = expiry.mortal && owner.handsOver(undefined);
    let count = 0;
    for (const cursor of cursors) count += cursor.returned.ripen(now);
    books.delayed -= count;
    books.ready += count;
    this.watch(owner.vital);
    if (count === 0) return;
    if (awaited) this.handOver();
    expiry.watch();
    owner.restocked();
  }
}
