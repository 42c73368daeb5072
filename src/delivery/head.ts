import { randomInt } from 'node:crypto';
import type { Death, Headers } from '../message.js';
import type { SpokenHead } from '../storage/storage.js';

/**
 * What most messages do not have, kept apart so that the many stay small. All times are ms on the broker's clock.
 */
export interface Rare {
  readonly headers: Headers | undefined;
  readonly priority: number;
  /** Not delivered before. */
  readonly due: number | undefined;
  /** `due` is a date that was named, not a delay. */
  readonly dated: boolean;
  /** Not delivered at or after. */
  readonly expires: number | undefined;
  /** When it came into the log it is in, where that is not when it was accepted (a dead letter). */
  readonly arrived: number | undefined;
  readonly deaths: readonly Death[] | undefined;
  /** Name of its body's codec, where that is not `json`. */
  readonly codec: string | undefined;
  /** true: gone after a restart. */
  readonly transient: boolean;
}

/** Bits of `tick` that count messages within a millisecond. 999 · 2²¹ + 2²¹ − 1 still is a small integer. */
const COUNTER_BITS = 21;
const COUNTERS = 2 ** COUNTER_BITS;

/** Below 2³¹. `| 0` says so: without it V8 boxes what came out of a calculation with a time, 16 bytes a message. */
function tickOf(ms: number, counter: number): number {
  return (ms * COUNTERS + counter) | 0;
}

const NOTHING: Rare = {
  headers: undefined,
  priority: 0,
  due: undefined,
  dated: false,
  expires: undefined,
  arrived: undefined,
  deaths: undefined,
  codec: undefined,
  transient: false,
};

/** `given` over `base`, or undefined when nothing in it is rare. */
export function rare(given: Partial<Rare>, base?: Rare): Rare {
  return { ...(base ?? NOTHING), ...given };
}

/**
 * The envelope of a message as a log keeps it: one for all logs of a fan-out, never written to after it was accepted.
 *
 *     time      ms since 1970, in two small integers: whole seconds, and `tick` = ms in the second · 2²¹ + counter
 *     id        text where somebody gave one, or where it is stored; else (run of the broker, time, counter) make it
 *     size      bytes of the encoded body
 */
export class Head implements SpokenHead {
  readonly id: string | undefined;
  readonly seconds: number;
  readonly tick: number;
  readonly size: number;
  readonly key: string | undefined;
  readonly routingKey: string | undefined;
  readonly rare: Rare | undefined;

  constructor(
    id: string | undefined,
    seconds: number,
    tick: number,
    size: number,
    key: string | undefined,
    routingKey: string | undefined,
    extra: Rare | undefined,
  ) {
    this.id = id;
    this.seconds = seconds;
    this.tick = tick;
    this.size = size;
    this.key = key;
    this.routingKey = routingKey;
    this.rare = extra;
  }

  /** When it was accepted. */
  get timestamp(): number {
    return this.seconds * 1000 + (this.tick >>> COUNTER_BITS);
  }

  /** Negative: it came before `other`. */
  compareAge(other: Head): number {
    return this.arrived - other.arrived || this.seconds - other.seconds || this.tick - other.tick;
  }

  /** When it came into the log it is in. */
  get arrived(): number {
    return this.rare?.arrived ?? this.timestamp;
  }

  /** The same message in another log: id, key, routing key and time stay. */
  moved(changes: Partial<Rare>, routingKey: string | undefined = this.routingKey): Head {
    return new Head(this.id, this.seconds, this.tick, this.size, this.key, routingKey, rare(changes, this.rare));
  }

  /** The same message, accepted later: its delay and ttl begin then. `id`: its text, which does not change. */
  acceptedAt(now: number, id: string): Head {
    const seconds = Math.floor(now / 1000);
    const later = now - this.timestamp;
    const tick = tickOf(now - seconds * 1000, this.tick & (COUNTERS - 1));
    return new Head(
      id,
      seconds,
      tick,
      this.size,
      this.key,
      this.routingKey,
      this.rare && accepted(this.rare, now, later),
    );
  }

  /** Its id says when it was accepted. */
  protected get isNamed(): boolean {
    return false;
  }

  /** What a storage that outlives the process keeps. Short names: it is written once per message. */
  toJSON(): StoredHead {
    const extra = this.rare;
    return {
      i: this.id,
      t: this.isNamed ? undefined : this.timestamp,
      q: this.isNamed ? undefined : this.tick & (COUNTERS - 1) || undefined,
      k: this.key,
      r: this.routingKey,
      h: extra?.headers,
      p: extra?.priority || undefined,
      d: extra?.due,
      e: extra?.expires,
      a: extra?.arrived,
      c: extra?.codec,
      x: extra?.deaths,
      n: extra?.transient || undefined,
    };
  }

  /** As JSON.stringify() has it, in a fifth of the time where nothing is rare. */
  json(): string {
    const { id, key, routingKey } = this;
    if (this.rare !== undefined || id === undefined) return JSON.stringify(this);
    let text = this.isNamed ? `{"i":"${id}"` : this.dated(id);
    if (key !== undefined) text += `,"k":${JSON.stringify(key)}`;
    if (routingKey !== undefined) text += `,"r":${JSON.stringify(routingKey)}`;
    return `${text}}`;
  }

  private dated(id: string): string {
    const counter = this.tick & (COUNTERS - 1);
    const text = `{"i":${JSON.stringify(id)},"t":${this.timestamp}`;
    return counter === 0 ? text : `${text},"q":${counter}`;
  }

  /** A head as a storage gave it back: the object itself from memory, its JSON from anywhere else. */
  static from(stored: object, size: () => number): Head {
    if (stored instanceof Head) return stored;
    const json = stored as StoredHead;
    const { time, counter } = json.t === undefined ? parsed(json.i!) : { time: json.t, counter: json.q ?? 0 };
    const seconds = Math.floor(time / 1000);
    const tick = tickOf(time - seconds * 1000, counter);
    return new Head(json.i, seconds, tick, size(), json.k, json.r, rareOf(json));
  }
}

/** A head whose id is the text of its identity, which has its time in it: that is not stored beside it. */
export class NamedHead extends Head {
  protected override get isNamed(): boolean {
    return true;
  }
}

/** Times of a message that is accepted `later` than it was sent: a delay and a ttl begin then, a date stays. */
function accepted(extra: Rare, now: number, later: number): Rare {
  const { due, dated, expires } = extra;
  if (due === undefined && expires === undefined) return extra;
  const moved = due === undefined || dated ? due : due + later;
  const ttl = expires === undefined ? undefined : expires - (due ?? now - later);
  return rare({ due: moved, expires: ttl === undefined ? undefined : Math.max(moved ?? now, now) + ttl }, extra);
}

interface StoredHead {
  readonly i: string | undefined;
  /** Neither it nor `q` is there where the id says both. */
  readonly t: number | undefined;
  readonly q: number | undefined;
  readonly k: string | undefined;
  readonly r: string | undefined;
  readonly h: Headers | undefined;
  readonly p: number | undefined;
  readonly d: number | undefined;
  readonly e: number | undefined;
  readonly a: number | undefined;
  readonly c: string | undefined;
  readonly x: readonly StoredDeath[] | undefined;
  readonly n: boolean | undefined;
}
/** JSON makes a string of `at`. */
type StoredDeath = Omit<Death, 'at'> & { readonly at: Date | string };

function rareOf(json: StoredHead): Rare | undefined {
  const plain =
    json.h === undefined &&
    json.p === undefined &&
    json.d === undefined &&
    json.e === undefined &&
    json.a === undefined &&
    json.c === undefined &&
    json.x === undefined &&
    json.n === undefined;
  if (plain) return undefined;
  return {
    headers: json.h,
    priority: json.p ?? 0,
    due: json.d,
    dated: false,
    expires: json.e,
    arrived: json.a,
    codec: json.c,
    deaths: json.x?.map((death) => ({ ...death, at: new Date(death.at) })),
    transient: json.n ?? false,
  };
}

/** The last two digits of an id, so that a burst makes each with one concatenation. */
const LAST = Array.from({ length: 1024 }, (_, n) => n.toString(32).padStart(2, '0'));

const COUNTER_DIGITS = 5;
const RUN_AND_COUNTER = 6 + COUNTER_DIGITS;

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
  private prefixStem = -1;
  private prefixSeconds = -1;

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
      this.prefix = this.stem(this.seconds, this.tick);
      this.prefixStem = stem;
      this.prefixSeconds = this.seconds;
    }
    return this.prefix + LAST[this.tick & 1023];
  }

  /** A message's id: what it was given, or the text of its identity. */
  of(head: Head): string {
    return head.id ?? this.stem(head.seconds, head.tick) + LAST[head.tick & 1023];
  }

  private stem(seconds: number, tick: number): string {
    const time = seconds * 1000 + (tick >>> COUNTER_BITS);
    const high = (tick & (COUNTERS - 1)) >>> 10;
    return time.toString(36).padStart(9, '0') + this.run + high.toString(32).padStart(3, '0');
  }
}

/** What the text of an identity says of its time. */
function parsed(text: string): { readonly time: number; readonly counter: number } {
  return { time: parseInt(text.slice(0, -RUN_AND_COUNTER), 36), counter: parseInt(text.slice(-COUNTER_DIGITS), 32) };
}
