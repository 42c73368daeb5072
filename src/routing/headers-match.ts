import { checkOneOf, checkOptions, describe } from '../arguments.js';
import type { Headers } from '../message.js';

type HeaderValue = Headers[string];

const MODES = ['all', 'any', 'all-with-x', 'any-with-x'] as const;
const OPTIONS: ReadonlySet<string> = new Set(['match', 'headers']);

/**
 * RabbitMQ's rules. `match`: all (default), any, and the -with-x forms, which also compare headers that begin with 'x-'.
 * A null value matches presence.
 */
export interface HeadersMatch {
  readonly match?: (typeof MODES)[number] | undefined;
  readonly headers: Headers;
}

/**
 * One binding of a headers exchange, by the rules of RabbitMQ's rabbit_exchange_type_headers:
 *
 * - `all`: every header of the binding is in the message and equal; other headers of the message do not matter.
 *   A binding that compares nothing matches everything.
 * - `any`: at least one is. A binding that compares nothing matches nothing.
 * - A null in the binding is equal to whatever value the message has, null included: presence is enough.
 * - Equal is the same type and value: 1 is not '1', true is not 'true', and a null in the message is equal to no value.
 * - Headers of the binding that begin with 'x-' (lower case) are compared in the -with-x forms only; 'x-match', in AMQP the
 *   name of the form itself, in none.
 */
export class HeadersMatcher {
  /** The binding as it was given, in a copy of its own. */
  readonly given: HeadersMatch;
  /** The same text for the same binding, in whatever order its headers were given. */
  readonly identity: string;
  readonly #any: boolean;
  readonly #names: readonly string[];
  readonly #values: readonly HeaderValue[];

  /** Refuses what is no HeadersMatch: TypeError, or RangeError for an unknown `match` and for numbers that are not finite. */
  constructor(match: unknown) {
    checkOptions(match, 'HeadersMatch', OPTIONS);
    const { match: mode, headers } = readable('HeadersMatch', () => ({
      ...(match as Record<string, unknown> | undefined),
    }));
    if (mode !== undefined) checkOneOf(mode, 'HeadersMatch.match', MODES);
    const entries = entriesOf(headers);

    const form = mode ?? 'all';
    const compared = entries.filter(
      ([name]) => name !== 'x-match' && (form.endsWith('-with-x') || !name.startsWith('x-')),
    );
    this.#any = form.startsWith('any');
    this.#names = compared.map(([name]) => name);
    this.#values = compared.map(([, value]) => value);
    // fromEntries, since an assignment to '__proto__' would make no header.
    const copy = Object.freeze(Object.fromEntries(entries));
    this.given = Object.freeze(mode === undefined ? { headers: copy } : { match: mode, headers: copy });
    this.identity = JSON.stringify([form, ...entries.sort(([one], [other]) => (one < other ? -1 : 1))]);
  }

  /** Whether a message with these headers is one for the binding. */
  matches(headers: Headers): boolean {
    for (let i = 0; i < this.#names.length; i++) {
      const name = this.#names[i]!;
      const value = this.#values[i]!;
      // hasOwn last, as it is asked only where the rest fits: `constructor` is a header only if somebody set it.
      const fits = (value === null || headers[name] === value) && Object.hasOwn(headers, name);
      if (fits === this.#any) return fits;
    }
    return !this.#any;
  }
}

function entriesOf(headers: unknown): [string, HeaderValue][] {
  if (typeof headers !== 'object' || headers === null || !isRecord(headers)) {
    throw new TypeError(`HeadersMatch.headers must be a record of header values; got ${describe(headers)}`);
  }
  const entries = readable('HeadersMatch.headers', () => Object.entries(headers));
  for (const [name, value] of entries) {
    if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) continue;
    const kind = typeof value === 'number' ? RangeError : TypeError;
    const where = `HeadersMatch.headers[${describe(name)}]`;
    throw new kind(`${where} must be a string, a finite number, true, false or null; got ${describe(value)}`);
  }
  return entries as [string, HeaderValue][];
}

/** An object literal, of whatever realm, or one without prototype. Not a Map: with its entries unseen it would match everything. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Getters are called once, here; what they throw is the caller's wrong argument. */
function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new TypeError(`${what} cannot be read`, { cause });
  }
}
