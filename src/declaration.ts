import { describe } from './arguments.js';
import { milliseconds } from './duration.js';
import { SluiceError } from './errors.js';

/**
 * Options as they are compared: only what was given, by value. Functions and schemas are not compared, handles go by name,
 * durations by their length.
 */
const DURATIONS = new Set(['ttl', 'ackTimeout', 'time', 'window']);

function comparable(name: string, value: unknown): unknown {
  if (typeof value === 'function' || name === 'schema') return undefined;
  if (DURATIONS.has(name) && value !== undefined && value !== false) return milliseconds(value, name);
  if (typeof value !== 'object' || value === null) return value;
  if ('kind' in value && 'name' in value) return value.name;
  const parts = Object.keys(value)
    .sort()
    .map((key) => [key, comparable(key, (value as Readonly<Record<string, unknown>>)[key]) ?? null]);
  return JSON.stringify(parts);
}

/** @throws SluiceError ERR_DECLARATION_MISMATCH where `given` has another value for an option than `declared` */
export function checkSame(what: string, declared: object, given: object): void {
  const before = declared as Readonly<Record<string, unknown>>;
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (option === 'retry') {
      checkSame(`${what}: retry`, before[option] ?? {}, value as object);
      continue;
    }
    const was = comparable(option, before[option]);
    const is = comparable(option, value);
    if (is === undefined || was === is) continue;
    throw mismatch(`${what} is declared with ${option} ${shown(before[option])}; got ${shown(value)}`, { option });
  }
}

export function mismatch(message: string, details: Readonly<Record<string, unknown>> = {}): SluiceError {
  return new SluiceError('ERR_DECLARATION_MISMATCH', message, { details });
}

/** Nothing has this name. */
export function unknown(name: string): SluiceError {
  return new SluiceError('ERR_UNKNOWN_DESTINATION', `nothing has the name ${describe(name)}`, { details: { name } });
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'name' in value) return describe(value.name);
  return value === undefined ? 'left out' : describe(value);
}
