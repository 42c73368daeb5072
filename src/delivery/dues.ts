import type { Agenda, Alarm } from './agenda.js';
import type { Cursor } from './cursor.js';

export interface DuesOwner {
  readonly cursors: readonly Cursor[];
  readonly owner: { readonly vital: boolean };
  now(): number;
  /** So many deferred messages are back in their places. */
  ripened(count: number): void;
}

/** One alarm for all that is deferred in a stock: delays and backoffs. */
export class Dues {
  private readonly stock: DuesOwner;
  private readonly alarm: Alarm;

  constructor(agenda: Agenda, stock: DuesOwner) {
    this.stock = stock;
    this.alarm = agenda.alarm(() => this.ripen());
  }

  watch(vital: boolean): void {
    let due = Infinity;
    for (const { deferred } of this.stock.cursors) if (deferred.size > 0 && deferred.rank < due) due = deferred.rank;
    this.alarm.set(due, vital);
  }

  close(): void {
    this.alarm.clear();
  }

  private ripen(): void {
    const now = this.stock.now();
    let count = 0;
    for (const cursor of this.stock.cursors) count += cursor.ripen(now);
    this.watch(this.stock.owner.vital);
    if (count > 0) this.stock.ripened(count);
  }
}
