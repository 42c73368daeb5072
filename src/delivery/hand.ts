import type { Alarm } from './agenda.js';
import type { Held } from './held.js';

/** No deadline. Deadlines are small integers, ms since the broker was opened, so that no message needs a boxed number. */
export const NEVER = -1;

/**
 * What one consumer has in hand and has not settled: a list through the messages themselves, in order of their deadlines.
 * One alarm watches the first; it is not cleared for every message that is settled in time.
 */
export class Hand {
  size = 0;
  first: Held | undefined;
  private last: Held | undefined;
  private readonly alarm: Alarm;
  /** When the broker was opened. */
  private readonly epoch: number;

  constructor(alarm: Alarm, epoch: number) {
    this.alarm = alarm;
    this.epoch = epoch;
  }

  add(held: Held): void {
    this.size++;
    let after = this.last;
    if (held.deadline !== NEVER) {
      while (after !== undefined && (after.deadline === NEVER || after.deadline > held.deadline))
        after = after.previous;
    }
    held.previous = after;
    if (after === undefined) {
      held.next = this.first;
      this.first = held;
    } else {
      held.next = after.next;
      after.next = held;
    }
    if (held.next === undefined) this.last = held;
    else held.next.previous = held;
    if (held.deadline !== NEVER && (this.alarm.at < 0 || after === undefined)) this.watch();
  }

  remove(held: Held): void {
    this.size--;
    const { previous, next } = held;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    held.previous = undefined;
    held.next = undefined;
  }

  move(held: Held, deadline: number): void {
    this.remove(held);
    held.deadline = deadline;
    this.add(held);
  }

  /** The first whose deadline has come, if any; else the alarm is set for the one that is next. */
  overdue(now: number): Held | undefined {
    const first = this.first;
    if (first === undefined || first.deadline === NEVER) return undefined;
    if (this.epoch + first.deadline <= now) return first;
    this.watch();
    return undefined;
  }

  *[Symbol.iterator](): Generator<Held> {
    for (let held = this.first; held !== undefined;) {
      const next: Held | undefined = held.next;
      yield held;
      held = next;
    }
  }

  private watch(): void {
    const due = this.epoch + this.first!.deadline;
    if (this.alarm.at < 0 || due < this.alarm.due) this.alarm.set(due);
  }
}
