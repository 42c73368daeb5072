/**
 * The only file that knows the machine's time. Everything else asks a Clock, so that tests can stand time still.
 */

/** Source of time. `now()` is milliseconds since 1970, UTC. A timer fires once, not before `delay` ms. */
export interface Clock {
  now(): number;
  setTimer(delay: number, fire: () => void): Timer;
}

/** `ref`/`unref` as Node's timers have them; a clock whose timers never keep a process alive leaves them out. */
export interface Timer {
  cancel(): void;
  ref?(): void;
  unref?(): void;
}

/** setTimeout fires at once for longer delays than this, ms. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Reads answered from one look at the machine's clock, at most; keeps a long burst from standing still. */
const READS_PER_LOOK = 64;

/**
 * The system's time. It starts at the wall clock and follows the monotonic one, so that a wall clock that jumps neither
 * fires everything at once nor stalls it. One look serves a burst: it is forgotten when the event loop turns.
 */
class SystemClock implements Clock {
  private readonly origin = Date.now() - performance.now();
  private looked = 0;
  private reads = 0;
  private inTurn = false;

  now(): number {
    return this.reads-- > 0 ? this.looked : this.look();
  }

  private look(): number {
    this.looked = Math.floor(this.origin + performance.now());
    this.reads = READS_PER_LOOK;
    if (!this.inTurn) {
      this.inTurn = true;
      setImmediate(this.turned);
    }
    return this.looked;
  }

  private readonly turned = (): void => {
    this.inTurn = false;
    this.reads = 0;
  };

  setTimer(delay: number, fire: () => void): Timer {
    return new SystemTimer(delay, fire);
  }
}

/** A timeout of any length: what is longer than setTimeout can take is taken in steps. */
class SystemTimer implements Timer {
  private handle: NodeJS.Timeout;
  private readonly due: number;
  private readonly fire: () => void;
  private alive = true;

  constructor(delay: number, fire: () => void) {
    this.due = performance.now() + delay;
    this.fire = fire;
    this.handle = this.step(delay);
  }

  private step(delay: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        const left = this.due - performance.now();
        // setTimeout may fire up to a millisecond early; "not before" is a promise.
        if (left <= 0) return this.fire();
        this.handle = this.step(left);
        if (!this.alive) this.handle.unref();
      },
      Math.min(Math.ceil(delay), LONGEST_TIMEOUT),
    );
  }

  cancel(): void {
    clearTimeout(this.handle);
  }

  ref(): void {
    this.alive = true;
    this.handle.ref();
  }

  unref(): void {
    this.alive = false;
    this.handle.unref();
  }
}

export const systemClock: Clock = new SystemClock();

/** A `Date` somebody names is wall time; this is when it is on `clock`. Only the system's clock can differ from the wall. */
export function onClock(clock: Clock, date: Date): number {
  return clock === systemClock ? clock.now() + (date.getTime() - Date.now()) : date.getTime();
}

/** Milliseconds that only ever grow, for measuring how long something took. */
export function monotonic(): number {
  return performance.now();
}

/** monotonic() where `clock` is the system's; what goes by another clock takes as long as that says. */
export function stopwatchOf(clock: Clock): () => number {
  return clock === systemClock ? monotonic : () => clock.now();
}

/** Runs `fn` after the event loop has had a turn: timers, I/O and everybody else first. */
export function nextTurn(fn: () => void): void {
  setImmediate(fn);
}

/** Uniform in [0, 1), for jitter. */
export type Random = () => number;
export const systemRandom: Random = Math.random;
