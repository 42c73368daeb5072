import { describe } from './arguments.js';

/** Milliseconds, or a string with its unit: `'250ms'`, `'5s'`, `'10m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Longest duration accepted, ms: 100 years. What is meant to be longer is meant to be `false` or left out. */
export const LONGEST = 100 * 365 * 86_400_000;

/**
 * Milliseconds of a duration.
 * @param name what it is called in error messages: `options.delay`
 * @throws TypeError when it is neither a number nor a string of that form; RangeError when it is negative, not finite or over 100 years
 */
export function milliseconds(value: unknown, name: string): number {
  if (typeof value === 'number') return inRange(value, value, name);
  const parts = typeof value === 'string' ? FORM.exec(value) : null;
  if (parts === null) {
    throw new TypeError(
      `${name} must be milliseconds or a string such as '250ms', '5s', '10m', '2h', '7d'; got ${describe(value)}`,
    );
  }
  return inRange(Number(parts[1]) * UNITS[parts[2] as string]!, value, name);
}

function inRange(ms: number, given: unknown, name: string): number {
  if (ms >= 0 && ms <= LONGEST) return ms;
  throw new RangeError(`${name} must be between 0 and 100 years; got ${describe(given)}`);
}
