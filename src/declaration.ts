import { inspect, types } from 'node:util';
import { describe, isRecord } from './arguments.js';
import { milliseconds } from './duration.js';
import { SluiceError } from './errors.js';

/** A copy of options, without those that are left undefined. */
export function said<O extends object>(options: O): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O;
}

const DURATIONS = new Set(['ttl', 'ackTimeout', 'time', 'window']);

/**
 * Options as they are compared: only what was given, by value. Functions and schemas are not compared, handles go by name,
 * durations by their length.
 */
function comparable(name: string, value: unknown): unknown {
  if (typeof value === 'function' || name === 'schema') return undefined;
  if (DURATIONS.has(name) && value !== undefined && value !== false) return milliseconds(value, name);
  if (typeof value !== 'object' || value === null) return value;
  if (types.isDate(value)) return value.toISOString();
  if ('kind' in value && 'name' in value) return value.name;
  const parts = Object.entries(said(value)).map(([key, part]) => JSON.stringify([key, comparable(key, part) ?? null]));
  return parts.toSorted().join();
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
  if (value === undefined) return 'left out';
  if (typeof value === 'object' && value !== null && 'name' in value) return describe(value.name);
  if (types.isDate(value) || isRecord(value)) return inspect(value, { breakLength: Infinity, customInspect: false });
  return describe(value);
}
