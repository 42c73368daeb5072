import { checkFunction, checkInteger, checkOneOf, checkOptions, describe } from '../arguments.js';
import { systemRandom, type Random } from '../clock.js';
import { LONGEST, milliseconds, type Duration } from '../duration.js';
import type { Backoff, Message, RetryPolicy } from '../message.js';

/** Always the same wait. */
export function fixed(delay: Duration): Backoff {
  const ms = milliseconds(delay, 'delay');
  return () => ms;
}

const LINEAR = new Set(['base', 'step', 'max']);

/** base + step · (n−1), at most max. Default step: base. */
export function linear(options: {
  readonly base: Duration;
  readonly step?: Duration | undefined;
  readonly max?: Duration | undefined;
}): Backoff {
  checkOptions(required(options, 'linear()'), 'linear()', LINEAR);
  const base = milliseconds(options.base, 'base');
  const step = options.step === undefined ? base : milliseconds(options.step, 'step');
  const max = options.max === undefined ? LONGEST : milliseconds(options.max, 'max');
  return (attempt) => Math.min(max, base + step * (attempt - 1));
}

const EXPONENTIAL = new Set(['base', 'factor', 'max', 'jitter']);
const JITTER = ['none', 'full', 'equal'] as const;

/**
 * base · factor^(n−1), at most max (default: 100 years, so that it stays finite); jitter `none`, `full` (uniform in 0…d)
 * or `equal` (d/2 + uniform in 0…d/2). Defaults: factor 2, jitter `full`.
 */
export function exponential(options: {
  readonly base: Duration;
  readonly factor?: number | undefined;
  readonly max?: Duration | undefined;
  readonly jitter?: 'none' | 'full' | 'equal' | undefined;
}): Backoff {
  return seededExponential(options, systemRandom);
}

/** exponential() with a random source of one's own. */
export function seededExponential(options: Parameters<typeof exponential>[0], random: Random): Backoff {
  checkOptions(required(options, 'exponential()'), 'exponential()', EXPONENTIAL);
  const base = milliseconds(options.base, 'base');
  const factor = options.factor === undefined ? 2 : options.factor;
  if (typeof factor !== 'number') throw new TypeError(`factor must be a number; got ${describe(factor)}`);
  if (!(factor >= 1 && factor <= 1e6))
    throw new RangeError(`factor must be between 1 and 1000000; got ${describe(factor)}`);
  const max = options.max === undefined ? LONGEST : milliseconds(options.max, 'max');
  const jitter = options.jitter === undefined ? 'full' : options.jitter;
  checkOneOf(jitter, 'jitter', JITTER);
  return (attempt) => {
    const delay = base === 0 ? 0 : Math.min(max, base * factor ** (attempt - 1));
    if (jitter === 'none') return delay;
    return jitter === 'full' ? random() * delay : delay / 2 + (random() * delay) / 2;
  };
}

function required<T>(options: T, what: string): T {
  if (options === undefined) throw new TypeError(`${what} needs options; got undefined`);
  return options;
}

/** Default wait between attempts. */
const DEFAULT_BACKOFF: Backoff = exponential({ base: '200ms', max: '30s' });
export const DEFAULT_ATTEMPTS = 5;

const POLICY = new Set(['attempts', 'backoff', 'retryIf']);

/** @throws TypeError, RangeError */
export function checkRetry(retry: RetryPolicy | undefined, what: string): void {
  checkOptions(retry, what, POLICY);
  if (retry === undefined) return;
  if (retry.attempts !== undefined) {
    checkInteger(retry.attempts, `${what}.attempts`, 1, Number.MAX_SAFE_INTEGER, true);
  }
  if (retry.backoff !== undefined) checkFunction(retry.backoff, `${what}.backoff`);
  if (retry.retryIf !== undefined) checkFunction(retry.retryIf, `${what}.retryIf`);
}

/** What decide() asks: the retry options with their defaults, never throwing, and where the dead go. */
export interface Policy {
  readonly attempts: number;
  backoff(attempt: number, error: unknown): number;
  retryIf(error: unknown, message: Message): boolean;
  /** There is a place for dead letters. */
  readonly buries: boolean;
  /** …and for what a full queue pushes out. */
  readonly buriesOverflow: boolean;
}

/**
 * Option functions that throw or return nonsense are reported and fall back: to a retry, after the default backoff.
 * @param retries from the weakest to the strongest: merged by field
 */
export function policyOf(
  retries: readonly (RetryPolicy | undefined)[],
  burial: { readonly buries: boolean; readonly buriesOverflow: boolean },
  report: (error: unknown) => void,
): Policy {
  const merged: RetryPolicy = {};
  for (const retry of retries) {
    for (const [name, value] of Object.entries(retry ?? {})) {
      if (value !== undefined) Object.assign(merged, { [name]: value });
    }
  }
  const given = merged.backoff ?? DEFAULT_BACKOFF;
  const retryIf = merged.retryIf;
  return {
    ...burial,
    attempts: merged.attempts ?? DEFAULT_ATTEMPTS,
    backoff(attempt, error) {
      try {
        const delay: unknown = given(attempt, error);
        if (typeof delay === 'number' && delay >= 0) return Math.min(delay, LONGEST);
        throw new TypeError(`backoff must return milliseconds, 0 or more; got ${describe(delay)}`);
      } catch (failure) {
        report(failure);
        return DEFAULT_BACKOFF(attempt);
      }
    },
    retryIf(error, message) {
      if (retryIf === undefined) return true;
      try {
        const verdict: unknown = retryIf(error, message);
        if (typeof verdict === 'boolean') return verdict;
        throw new TypeError(`retryIf must return true or false; got ${describe(verdict)}`);
      } catch (failure) {
        report(failure);
        return true;
      }
    },
  };
}
