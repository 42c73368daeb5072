import type { Alarm } from './agenda.js';
import type { Held } from './held.js';

/** No deadline. Deadlines are small integers, ms since the broker was opened, so that no message needs a boxed number. */
export const NEVER = -1;

/** Slots at first; a power of two, as always. */
const SMALLEST = 8;

/**
 * What one consumer has in hand and has not settled: a ring of slots, in order of deadlines. A message knows its slot, and leaves a gap
 * there; what comes goes behind the last, nearly always. One alarm watches the first; it is not cleared for every message that is
 * settled in time.
 *
 *     │   │ a │   │   │ d │ e │   │   │
 *           ▲ first           ▲ end           the first, and the one before the end, are never gaps
 */
export class Hand {
  size = 0;
  private slots: (Held | undefined)[] = new Array<Held | undefined>(SMALLEST).fill(undefined);
  private first = 0;
  private end = 0;
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
    const { slots, end, first } = this;
    const mask = slots.length - 1;
    if (((end + 1) & mask) === first) return this.addToFull(held);
    slots[end] = held;
    held.at = end;
    this.end = (end + 1) & mask;
    this.size++;
    if (end === first) this.watch(held.deadline);
    else if (sooner(held.deadline, slots[(end - 1) & mask]!.deadline)) this.moveUp(held);
  }

  /** Mostly the last is the latest of all; an extended or a shorter deadline goes to its place. */
  private moveUp(held: Held): void {
    const { slots, first } = this;
    const { deadline } = held;
    const mask = slots.length - 1;
    let { at } = held;
    for (; at !== first; at = (at - 1) & mask) {
      const before = slots[(at - 1) & mask];
      if (before !== undefined) {
        if (!sooner(deadline, before.deadline)) break;
        before.at = at;
      }
      slots[at] = before;
    }
    slots[at] = held;
    held.at = at;
    if (at === first) this.watch(deadline);
  }

  remove(held: Held): void {
    const { slots } = this;
    const mask = slots.length - 1;
    slots[held.at] = undefined;
    if (--this.size === 0) {
      this.first = this.end;
    } else if (held.at === this.first) {
      while (slots[this.first] === undefined) this.first = (this.first + 1) & mask;
    } else {
      while (slots[(this.end - 1) & mask] === undefined) this.end = (this.end - 1) & mask;
    }
  }

  move(held: Held, deadline: number): void {
    this.remove(held);
    held.deadline = deadline;
    this.add(held);
  }

  /** The first whose deadline has come, if any; else the alarm is set for the one that is next. */
  overdue(now: number): Held | undefined {
    const first = this.slots[this.first];
    if (first === undefined || first.deadline === NEVER) return undefined;
    if (this.epoch + first.deadline <= now) return first;
    this.watch(first.deadline);
    return undefined;
  }

  /** In order of deadlines; what is removed meanwhile may be the one that was just given. */
  [Symbol.iterator](): Iterator<Held> {
    return this.all()[Symbol.iterator]();
  }

  private all(): Held[] {
    const all: Held[] = [];
    const mask = this.slots.length - 1;
    for (let at = this.first; at !== this.end; at = (at + 1) & mask) {
      const held = this.slots[at];
      if (held !== undefined) all.push(held);
    }
    return all;
  }

  /** Closes the gaps, or, where they are few, makes room. */
  private addToFull(held: Held): void {
    const all = this.all();
    const { length } = this.slots;
    this.slots = new Array<Held | undefined>(this.size * 2 < length ? length : length * 2).fill(undefined);
    this.first = 0;
    this.end = all.length;
    all.forEach((one, at) => {
      this.slots[at] = one;
      one.at = at;
    });
    this.add(held);
  }

  private watch(deadline: number): void {
    if (deadline === NEVER || (this.alarm.at >= 0 && deadline >= this.watched)) return;
    this.watched = deadline;
    this.alarm.set(this.epoch + deadline);
  }
}

function sooner(one: number, other: number): boolean {
  return one !== NEVER && (other === NEVER || one < other);
}
