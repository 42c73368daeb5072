import { types } from 'node:util';
import { checkFunction, describe } from '../arguments.js';
import { type Clock, nextTurn, type Timer } from '../clock.js';
import { type Duration, milliseconds } from '../duration.js';

/** Where a clock stands that was not told: an instant like any other, the same in every run. */
const START = Date.UTC(2026, 0, 1);

/** Nobody is at work any more when so many turns of the event loop passed without a look at the clock. */
const QUIET_TURNS = 10;
/** Who looks at the clock for ever, such as a handler that requeues its own message, is not waited for longer. */
const MOST_TURNS = 1000;

/**
 * A clock that stands still until told. Nothing falls due by itself, not even a timer without delay; advance() fires
 * what does, and lets handlers run between.
 */
export class ManualClock implements Clock {
  private time: number;
  /** Those that wait, the next to fire at the end. */
  private readonly timers: ManualTimer[] = [];
  private created = 0;
  /** How often somebody asked for something: what goes on moves it. */
  private asked = 0;
  /** Each says whether something is under way that comes from outside the process. */
  private readonly errands: (() => boolean)[] = [];
  /** The advance() under way, and those behind it. */
  private advancing: Promise<void> = Promise.resolve();

  /**
   * @param start Default 2026-01-01T00:00:00Z.
   * @throws TypeError when it is neither a valid Date nor a number; RangeError when the number is not finite
   */
  constructor(start: Date | number = START) {
    this.time = checkStart(start);
  }

  now(): number {
    this.asked++;
    return this.time;
  }

  /**
   * @param delay of any length, milliseconds; Infinity never fires
   * @throws TypeError when an argument is of the wrong kind, RangeError when `delay` is negative or NaN
   */
  setTimer(delay: number, fire: () => void): Timer {
    if (typeof delay !== 'number') throw new TypeError(`delay must be milliseconds; got ${describe(delay)}`);
    if (!(delay >= 0)) throw new RangeError(`delay must not be negative; got ${describe(delay)}`);
    checkFunction(fire, 'fire');
    this.asked++;
    const timer: ManualTimer = { due: this.time + delay, order: this.created++, fire };
    this.timers.splice(this.place(timer), 0, timer);
    return { cancel: () => this.cancel(timer) };
  }

  /**
   * Moves the time on by `by`, firing what falls due on the way, by due time and then by age; `now()` is each timer's
   * due time while it fires. Before, between and after, everything that can run without the time moving is let run:
   * promises and turns of the event loop, but not files or sockets (see waitFor()). Timers set on the way fire too, if they
   * fall due.
   *
   * Resolves when the time has come. Called during another advance(), it begins when that is over. Rejects with what a
   * timer throws, and stops there; with TypeError or RangeError for what is no duration.
   */
  async advance(by: Duration): Promise<void> {
    const ms = milliseconds(by, 'by');
    const advanced = this.advancing.then(() => this.moveTo(this.time + ms));
    this.advancing = advanced.catch(() => undefined);
    return advanced;
  }

  /**
   * From now on advance() also waits while `busy()` is true: for files or sockets, say a storage that counts the calls it has not
   * answered yet.
   * @throws TypeError when it is no function
   */
  waitFor(busy: () => boolean): void {
    checkFunction(busy, 'busy');
    this.errands.push(busy);
  }

  /** How many timers wait. */
  pending(): number {
    return this.timers.length;
  }

  /** When the next timer falls due, or undefined where none waits. */
  nextDue(): number | undefined {
    return this.timers.at(-1)?.due;
  }

  private async moveTo(end: number): Promise<void> {
    await this.quiet();
    for (let next = this.timers.at(-1); next !== undefined && next.due <= end; next = this.timers.at(-1)) {
      this.timers.pop();
      this.time = next.due;
      next.fire();
      await this.quiet();
    }
    this.time = end;
    await this.quiet();
  }

  private async quiet(): Promise<void> {
    let { asked } = this;
    for (let turns = 0, idle = 0; idle < QUIET_TURNS && turns < MOST_TURNS; turns++) {
      do await new Promise<void>(nextTurn);
      while (this.errands.some((busy) => busy()));
      idle = this.asked === asked ? idle + 1 : 0;
      ({ asked } = this);
    }
  }

  private cancel(timer: ManualTimer): void {
    this.asked++;
    const at = this.place(timer);
    if (this.timers[at] === timer) this.timers.splice(at, 1);
  }

  /** Index where `timer` is or belongs: behind those that fire later. */
  private place({ due, order }: ManualTimer): number {
    let low = 0;
    let high = this.timers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.timers[middle]!;
      if (other.due > due || (other.due === due && other.order > order)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface ManualTimer {
  readonly due: number;
  readonly order: number;
  readonly fire: () => void;
}

function checkStart(start: unknown): number {
  if (typeof start === 'number' && !Number.isFinite(start)) {
    throw new RangeError(`start must be a finite number of milliseconds; got ${describe(start)}`);
  }
  const time = types.isDate(start) ? start.getTime() : start;
  if (typeof time !== 'number' || Number.isNaN(time)) {
    throw new TypeError(`start must be a Date or milliseconds since 1970; got ${describe(start)}`);
  }
  return time;
}
