import { types } from 'node:util';
import {
  checkBoolean,
  checkInteger,
  checkOptions,
  checkSignal,
  checkString,
  describe,
  isRecord,
} from '../../arguments.js';
import { onClock, type Clock } from '../../clock.js';
import { encodedBytes, json, type Codec, type Encoded } from '../../codec.js';
import { milliseconds } from '../../duration.js';
import { SluiceError } from '../../errors.js';
import type { Headers, MessageOptions } from '../../message.js';
import { Head, rare, type Rare } from '../head.js';
import type { Identities } from '../identities.js';
import { NamedHead } from '../named-head.js';
import { checkRetry } from '../retry.js';
import { Slab } from './slab.js';

/** Option names of a message, and those that some callers add. */
export const MESSAGE_OPTIONS: readonly (keyof MessageOptions)[] = [
  'id',
  'key',
  'headers',
  'priority',
  'delay',
  'deliverAt',
  'ttl',
  'persistent',
  'signal',
  'retry',
];

/** Longest id or key, in UTF-16 code units. */
const LONGEST_TEXT = 65_535;
/** Of a routing key: AMQP's short string, in UTF-16 code units. */
const LONGEST_ROUTING_KEY = 255;
/** Of a retry policy, what a sender can use. */
const SEND_RETRY: ReadonlySet<string> = new Set(['attempts', 'backoff']);

/** Makes envelopes: validates what a sender gives, encodes the body once, and fits both into one head. */
export class Envelopes {
  readonly codec: Codec;
  private readonly clock: Clock;
  private readonly identities: Identities;
  private readonly maxBytes: number;
  /** Ids are kept as text, since something outlives this broker. */
  private readonly lasting: boolean;
  /** Named in heads unless it is json. */
  private readonly codecName: string | undefined;
  /** Bodies pass by reference: they have no size. */
  private readonly weightless: boolean;
  /** Where bodies that are bytes are copied to, unless each gets memory of its own. */
  private readonly pooled: Slab | undefined;
  /** The id of the envelope made last. */
  id = '';

  constructor(clock: Clock, identities: Identities, codec: Codec, maxBytes: number, lasting: boolean) {
    this.clock = clock;
    this.identities = identities;
    this.codec = codec;
    this.maxBytes = maxBytes;
    this.lasting = lasting;
    // What does not outlive the broker needs no name: its codec is the broker's.
    this.codecName = codec.name === 'json' || !lasting ? undefined : codec.name;
    this.weightless = codec.name === 'reference';
    this.pooled = lasting && codec === json ? new Slab() : undefined;
  }

  /** @throws SluiceError ERR_NOT_SERIALIZABLE */
  encode(body: unknown): Encoded {
    if (this.pooled !== undefined && types.isUint8Array(body)) return this.pooled.copy(body);
    return this.codec.encode(body);
  }

  /**
   * The head of a message with this body, accepted now. Its id is in `id`.
   * @throws SluiceError ERR_MESSAGE_TOO_LARGE; TypeError, RangeError
   */
  head(body: Encoded, options: MessageOptions | undefined, routingKey: string | undefined): Head {
    const { identities } = this;
    const now = this.clock.now();
    const size = this.weightless ? 0 : encodedBytes(body);
    let total = size;
    let extra: Rare | undefined = this.codecName === undefined ? undefined : this.named();
    if (options !== undefined) {
      extra = this.rareOf(options, now, extra);
      if (extra?.headers !== undefined) total += this.bytesOf(extra.headers, size);
    }
    if (total > this.maxBytes) {
      throw new SluiceError(
        'ERR_MESSAGE_TOO_LARGE',
        `body and headers have ${total} bytes; at most ${this.maxBytes} are accepted`,
        {
          details: { bytes: total, maxMessageBytes: this.maxBytes },
        },
      );
    }
    identities.next(now);
    const given = options?.id;
    const { seconds, tick } = identities;
    this.id = given ?? identities.text();
    if (given === undefined && this.lasting) {
      return new NamedHead(this.id, identities, size, options?.key, routingKey, extra);
    }
    return new Head(given, seconds, tick, size, options?.key, routingKey, extra);
  }

  /** Of headers beside a body of `size` bytes. More than there are, where all that cannot be too large in any case. */
  private bytesOf(headers: Headers, size: number): number {
    const most = mostBytes(headers);
    return size + most <= this.maxBytes ? most : Buffer.byteLength(JSON.stringify(headers));
  }

  private named(): Rare {
    return (this.codecOnly ??= rare({ codec: this.codecName }));
  }
  private codecOnly: Rare | undefined;

  private rareOf(options: MessageOptions, now: number, base: Rare | undefined): Rare | undefined {
    const { headers, priority, ttl, persistent } = options;
    const due = dueOf(options, now, this.clock);
    const plain = headers === undefined && !priority && ttl === undefined && due === undefined && persistent !== false;
    if (plain) return base;
    return rare(
      {
        headers: headers === undefined ? undefined : copied(headers),
        priority: priority ?? 0,
        due,
        dated: options.deliverAt !== undefined,
        expires: ttl === undefined ? undefined : (due ?? now) + milliseconds(ttl, 'options.ttl'),
        transient: persistent === false,
      },
      base,
    );
  }
}

/** A copy, so that what is checked is what is used: getters are asked once. What is no record stays what it is, for the check to refuse. */
export function once<T extends object | undefined>(options: T): T {
  if (!isRecord(options)) return options;
  try {
    return { ...options };
  } catch (cause) {
    throw new TypeError('options that cannot be read were given', { cause });
  }
}

/**
 * Checks what a sender gives beside the body.
 * @param known the names that this call takes
 */
export function checkMessageOptions(
  options: MessageOptions | undefined,
  what: string,
  known: ReadonlySet<string>,
): void {
  if (options === undefined) return;
  checkOptions(options, what, known);
  const { id, key, headers, priority, delay, deliverAt, ttl, persistent, signal, retry } = options;
  // A name is made only where it is needed.
  if (id !== undefined && !isText(id, 1)) checkText(id, `${what}.id`, 1);
  if (key !== undefined && !isText(key, 0)) checkText(key, `${what}.key`, 0);
  if (headers !== undefined) checkHeaders(headers, `${what}.headers`);
  if (priority !== undefined) checkInteger(priority, `${what}.priority`, 0, 2 ** 31 - 1);
  if (delay !== undefined && deliverAt !== undefined) {
    throw new TypeError(`${what} must have delay or deliverAt, not both`);
  }
  if (delay !== undefined) milliseconds(delay, `${what}.delay`);
  if (deliverAt !== undefined && !(types.isDate(deliverAt) && Number.isFinite(deliverAt.getTime()))) {
    throw new TypeError(`${what}.deliverAt must be a valid Date; got ${describe(deliverAt)}`);
  }
  if (ttl !== undefined) milliseconds(ttl, `${what}.ttl`);
  if (persistent !== undefined) checkBoolean(persistent, `${what}.persistent`);
  if (signal !== undefined) checkSignal(signal, `${what}.signal`);
  if (retry !== undefined) {
    checkOptions(retry, `${what}.retry`, SEND_RETRY);
    checkRetry(retry, `${what}.retry`);
  }
}

function isText(value: unknown, shortest: number, longest = LONGEST_TEXT): value is string {
  return typeof value === 'string' && value.length >= shortest && value.length <= longest;
}

export function checkText(value: unknown, what: string, shortest: number, longest = LONGEST_TEXT): void {
  checkString(value, what);
  if (!isText(value, shortest, longest)) {
    throw new RangeError(`${what} must have ${shortest} to ${longest} characters; got ${describe(value)}`);
  }
}

export function checkRoutingKey(value: unknown, what: string): void {
  checkText(value, what, 0, LONGEST_ROUTING_KEY);
}

/** Names the path of what is wrong, never a value: payloads do not belong in logs. */
function checkHeaders(headers: unknown, what: string): asserts headers is Headers {
  if (!isRecord(headers)) throw new TypeError(`${what} must be a flat record; got ${describe(headers)}`);
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    const kind = typeof value;
    if (value === null || kind === 'string' || kind === 'boolean' || (kind === 'number' && Number.isFinite(value)))
      continue;
    const given =
      kind === 'number' ? 'a number that is not finite' : value === undefined ? 'undefined' : `a value of type ${kind}`;
    throw new TypeError(
      `${what}[${describe(name)}] must be a string, a finite number, true, false or null; got ${given}`,
    );
  }
}

/** The sender's record may change later, and a key named __proto__ is plain data. */
function copied(headers: Headers): Headers {
  const copy: Record<string, string | number | boolean | null> = {};
  for (const name of Object.keys(headers)) {
    const value = headers[name]!;
    if (name === '__proto__') Object.defineProperty(copy, name, { value, enumerable: true });
    else copy[name] = value;
  }
  return Object.freeze(copy);
}

/** What their JSON cannot have more of: a character takes 6 bytes at most, a number 24. */
function mostBytes(headers: Headers): number {
  let most = 2;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    most += (name.length + (typeof value === 'string' ? value.length : 4)) * 6 + 6;
  }
  return most;
}

function dueOf(options: MessageOptions, now: number, clock: Clock): number | undefined {
  const { delay, deliverAt } = options;
  if (delay === undefined && deliverAt === undefined) return undefined;
  const due = deliverAt === undefined ? now + milliseconds(delay, 'options.delay') : onClock(clock, deliverAt);
  return due > now ? due : undefined;
}
