import { randomInt } from 'node:crypto';

/** Bits of `tick` that count messages within a millisecond. 999 · 2²¹ + 2²¹ − 1 still is a small integer. */
export const COUNTER_BITS = 21;
export const COUNTERS = 2 ** COUNTER_BITS;

/** Below 2³¹. `| 0` says so: without it V8 boxes what came out of a calculation with a time, 16 bytes a message. */
export function tickOf(ms: number, counter: number): number {
  return (ms * COUNTERS + counter) | 0;
}

/** The last two digits of an id, so that a burst makes each with one concatenation. */
const LAST = Array.from({ length: 1024 }, (_, n) => n.toString(32).padStart(2, '0'));

/** The same digits as bytes, two after two. */
export const LAST_BYTES = Buffer.from(LAST.join(''), 'latin1');

const COUNTER_DIGITS = 5;
const RUN_AND_COUNTER = 6 + COUNTER_DIGITS;
const ZERO = 0x30;
const A = 0x61;

/** What of a head names its message. */
export interface Identified {
  readonly id: string | undefined;
  readonly seconds: number;
  readonly tick: number;
}

/**
 * Identities of one broker's messages: unique, and sorting by time as text.
 *
 *     time, base 36 (9) │ run, base 36 (6, random per broker) │ counter in the millisecond, base 32 (5)
 */
export class Identities {
  private readonly run = randomInt(36 ** 6)
    .toString(36)
    .padStart(6, '0');
  /** Of the newest identity. */
  seconds = 0;
  tick = 0;
  private time = -1;
  private lastOfTime = 0;
  private prefix = '';
  /** Of the newest identity, once text() was asked for: its head's JSON up to the last two digits of the id. */
  stem: Uint8Array = new Uint8Array();
  private prefixStem = -1;
  private prefixSeconds = -1;
  /** As prefix, of what was asked for last: who asks asks for one after the other. */
  private asked = '';
  private askedStem = -1;
  private askedSeconds = -1;

  /**
   * Makes the next identity, at `now`; it is in `seconds` and `tick`. Time never goes back here: a clock that does, or
   * that stands still for 2²¹ messages, is overtaken by a millisecond at a time.
   */
  next(now: number): void {
    if (now > this.time) this.begin(Math.floor(now));
    else if (this.tick === this.lastOfTime) this.begin(this.time + 1);
    else this.tick++;
  }

  private begin(time: number): void {
    this.time = time;
    this.seconds = Math.floor(time / 1000);
    this.tick = tickOf(time - this.seconds * 1000, 0);
    this.lastOfTime = this.tick + COUNTERS - 1;
  }

  /** The newest identity as text. */
  text(): string {
    const stem = this.tick >>> 10;
    if (stem !== this.prefixStem || this.seconds !== this.prefixSeconds) {
      this.prefix = this.prefixOf(this.seconds, this.tick);
      this.stem = Buffer.from(`{"i":"${this.prefix}`, 'latin1');
      this.prefixStem = stem;
      this.prefixSeconds = this.seconds;
    }
    return this.prefix + LAST[this.tick & 1023];
  }

  /** A message's id: what it was given, or the text of its identity. */
  of({ id, seconds, tick }: Identified): string {
    if (id !== undefined) return id;
    const stem = tick >>> 10;
    if (stem !== this.askedStem || seconds !== this.askedSeconds) {
      this.asked = this.prefixOf(seconds, tick);
      this.askedStem = stem;
      this.askedSeconds = seconds;
    }
    return this.asked + LAST[tick & 1023];
  }

  private prefixOf(seconds: number, tick: number): string {
    const time = seconds * 1000 + (tick >>> COUNTER_BITS);
    const high = (tick & (COUNTERS - 1)) >>> 10;
    return time.toString(36).padStart(9, '0') + this.run + high.toString(32).padStart(3, '0');
  }
}

/** What the text of an identity, which may stand in another, says of its time. */
export function parsed(text: string, from = 0, to = text.length): { readonly time: number; readonly counter: number } {
  return { time: digits(text, from, to - RUN_AND_COUNTER, 36), counter: digits(text, to - COUNTER_DIGITS, to, 32) };
}

/** As parseInt() of what stands there, which is lower case; it makes no string of that. */
function digits(text: string, from: number, to: number, radix: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    value = value * radix + code - (code < A ? ZERO : A - 10);
  }
  return value;
}
