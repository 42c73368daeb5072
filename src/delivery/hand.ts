import type { Alarm } from './agenda.js';
import type { Held } from './held.js';

/** No deadline. Deadlines are small integers, ms since the broker was opened, so that no message needs a boxed number. */
export const NEVER = -1;

/**
 * What one consumer has in hand and has not settled: a ring through the messages themselves, in order of their deadlines.
 * One alarm watches the first; it is not cleared for every message that is settled in time.
 *
 *     last ──next──► first ──next──► second ──next──► … ──next──► last
 */
export class Hand {
  size = 0;
  private last: Held | undefined;
  private readonly alarm: Alarm;
  /** The deadline that the alarm is set to, while it is. */
  private watched = NEVER;
  /** When the broker was opened. */
  private readonly epoch: number;

  constructor(alarm: Alarm, epoch: number) {
    this.alarm = alarm;
    this.epoch = epoch;
  }

  add(held: Held): void {
    const { last } = this;
    const { deadline } = held;
    if (this.size++ === 0) {
      held.previous = held;
      held.next = held;
      this.last = held;
      if (deadline !== NEVER) this.watch(deadline);
      return;
    }
    // Mostly the latest of all; an extended or a shorter deadline goes to its place.
    let after = last!;
    let place = this.size - 1;
    for (; place > 0 && sooner(deadline, after.deadline); place--) after = after.previous;
    held.previous = after;
    held.next = after.next;
    after.next.previous = held;
    after.next = held;
    if (place === this.size - 1) this.last = held;
    if (place === 0 && deadline !== NEVER) this.watch(deadline);
  }

  remove(held: Held): void {
    const { previous, next } = held;
    if (--this.size === 0) {
      this.last = undefined;
    } else {
      previous.next = next;
      next.previous = previous;
      if (this.last === held) this.last = previous;
    }
    held.previous = held;
    held.next = held;
  }

  move(held: Held, deadline: number): void {
    this.remove(held);
    held.deadline = deadline;
    this.add(held);
  }

  /** The first whose deadline has come, if any; else the alarm is set for the one that is next. */
  overdue(now: number): Held | undefined {
    const first = this.last?.next;
    if (first === undefined || first.deadline === NEVER) return undefined;
    if (this.epoch + first.deadline <= now) return first;
    this.watch(first.deadline);
    return undefined;
  }

  /** In order of deadlines; what is removed meanwhile may be the one that was just given. */
  *[Symbol.iterator](): Generator<Held> {
    const all: Held[] = [];
    for (let held = this.last?.next, left = this.size; left > 0; left--, held = held!.next) all.push(held!);
    yield* all;
  }

  private watch(deadline: number): void {
    if (this.alarm.at >= 0 && deadline >= this.watched) return;
    this.watched = deadline;
    this.alarm.set(this.epoch + deadline);
  }
}

function sooner(one: number, other: number): boolean {
  return one !== NEVER && (other === NEVER || one < other);
}
