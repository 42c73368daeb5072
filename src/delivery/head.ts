import type { Death, Headers } from '../message.js';
import type { PlainHead, Remake, SpokenHead } from '../storage/storage.js';
import { COUNTER_BITS, COUNTERS, parsed, tickOf } from './identities.js';

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
export class Head implements SpokenHead, PlainHead {
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

  /** Nothing is rare but a delay, and its id is that of its time. */
  get isPlain(): boolean {
    const { seconds, size, rare: extra } = this;
    if (this.id !== undefined || (seconds | 0) !== seconds || (size | 0) !== size) return false;
    return extra === undefined || onlyDue(extra);
  }

  /** Not delivered before. */
  get due(): number | undefined {
    return this.rare?.due;
  }

  /** It is gone after a restart. */
  get isTransient(): boolean {
    return this.rare?.transient === true;
  }

  /** When it was accepted. */
  get timestamp(): number {
    return this.seconds * 1000 + (this.tick >>> COUNTER_BITS);
  }

  /** Negative: it came before `other`. */
  compareAge(other: Head): number {
    const plain = this.rare === undefined && other.rare === undefined;
    if (plain) return this.seconds - other.seconds || this.tick - other.tick;
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

  /** A head whose JSON a storage gave back, of a body of `size` bytes. */
  static from(stored: object, size: number): Head {
    const json = stored as StoredHead;
    const { time, counter } = json.t === undefined ? parsed(json.i!) : { time: json.t, counter: json.q ?? 0 };
    const seconds = Math.floor(time / 1000);
    const tick = tickOf(time - seconds * 1000, counter);
    return new Head(json.i, seconds, tick, size, json.k, json.r, rareOf(json));
  }
}

/** One of which nothing is rare but a delay, as it was once it was accepted. */
export const plainHead: Remake = (seconds, tick, size, key, routingKey, due) =>
  new Head(undefined, seconds, tick, size, key, routingKey, Number.isNaN(due) ? undefined : rare({ due }));

function onlyDue({ headers, priority, due, expires, arrived, deaths, codec, transient }: Rare): boolean {
  const others = [headers, expires, arrived, deaths, codec];
  return due !== undefined && priority === 0 && !transient && others.every((one) => one === undefined);
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
