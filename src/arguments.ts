import { types } from 'node:util';

/**
 * Checks of what callers give. Each throws TypeError (wrong kind) or RangeError (right kind, wrong value), and names what
 * was given and what is expected. Of bodies and headers only type and path are named: payloads do not belong in logs.
 */

/** A value as an error message shows it: short, on one line. Nothing of it is called, no getter, no trap. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 60
        ? `${JSON.stringify(value.slice(0, 60))}… (${value.length} characters)`
        : JSON.stringify(value);
    case 'number':
    case 'boolean':
    case 'undefined':
      return String(value);
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? `${value}n` : 'a huge bigint';
    case 'symbol':
      return 'a symbol';
    case 'function':
      return 'a function';
    default:
      return value === null ? 'null' : kindOf(value as object);
  }
}

function kindOf(value: object): string {
  if (types.isProxy(value)) return 'a Proxy';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (types.isDate(value)) return Number.isNaN(Date.prototype.getTime.call(value)) ? 'an invalid Date' : 'a Date';
  if (types.isNativeError(value)) return 'an Error';
  if (types.isPromise(value)) return 'a promise';
  if (types.isMap(value)) return 'a Map';
  if (types.isSet(value)) return 'a Set';
  return 'an object';
}

/** An object that may carry options or headers: a literal, or an instance of a class of somebody's own, but no Map, Date, promise, … */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Longest name of a queue, exchange, topic, group or consumer, in UTF-16 code units. */
const LONGEST_NAME = 255;

export function checkName(value: unknown, what: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string; got ${describe(value)}`);
  if (value.length === 0 || value.length > LONGEST_NAME) {
    throw new RangeError(`${what} must have 1 to ${LONGEST_NAME} characters; got ${describe(value)}`);
  }
}

export function checkString(value: unknown, what: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string; got ${describe(value)}`);
}

export function checkFunction(value: unknown, what: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a function; got ${describe(value)}`);
}

export function checkBoolean(value: unknown, what: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw new TypeError(`${what} must be true or false; got ${describe(value)}`);
}

/** A whole number from `min` to `max`; `Infinity` only where `max` is Infinity and `infinite` is set. */
export function checkInteger(
  value: unknown,
  what: string,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
  infinite = false,
): asserts value is number {
  const expected = `a whole number from ${min} to ${infinite ? 'Infinity' : max}`;
  if (typeof value !== 'number') throw new TypeError(`${what} must be ${expected}; got ${describe(value)}`);
  if (infinite && value === Infinity) return;
  if (!Number.isSafeInteger(value) || value < min || value > max) {
    throw new RangeError(`${what} must be ${expected}; got ${describe(value)}`);
  }
}

export function checkOneOf<T extends string | boolean>(
  value: unknown,
  what: string,
  allowed: readonly T[],
): asserts value is T {
  if (allowed.includes(value as T)) return;
  const expected = allowed.map((one) => describe(one)).join(', ');
  const kind = typeof value === 'string' ? RangeError : TypeError;
  throw new kind(`${what} must be one of ${expected}; got ${describe(value)}`);
}

/** An options bag with no unknown names in it. `undefined` is an empty one. */
export function checkOptions(value: unknown, what: string, known: ReadonlySet<string>): void {
  if (value === undefined) return;
  if (!isRecord(value)) {
    throw new TypeError(`${what} must be an object; got ${describe(value)}; it takes ${[...known].join(', ')}`);
  }
  // Asked for every message: Object.keys() would make an array each time.
  for (const name in value) {
    if (!known.has(name) && Object.hasOwn(value, name)) {
      throw new TypeError(`${what} has no ${describe(name)}; it takes ${[...known].join(', ')}`);
    }
  }
}

export function checkSignal(value: unknown, what: string): asserts value is AbortSignal {
  const signal = value as Partial<AbortSignal> | null;
  if (
    typeof signal !== 'object' ||
    signal === null ||
    typeof signal.aborted !== 'boolean' ||
    typeof signal.addEventListener !== 'function'
  ) {
    throw new TypeError(`${what} must be an AbortSignal; got ${describe(value)}`);
  }
}
