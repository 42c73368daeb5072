import { checkInteger, checkName, checkOptions, describe } from './arguments.js';
import type { Clock } from './clock.js';
import { json, type Codec } from './codec.js';
import { checkRetry } from './delivery/retry.js';
import type { RetryPolicy } from './message.js';
import { MemoryStorage } from './storage/memory-storage.js';
import type { Storage } from './storage/storage.js';

export interface BrokerOptions {
  /** Where messages live. Default: `new MemoryStorage()`. */
  readonly storage?: Storage | undefined;
  /** How bodies become bytes and back. Default `json`. Each entry remembers its codec's name: `json` and `structured` stay readable after a change. */
  readonly codec?: Codec | undefined;
  /** Source of time for every delay, ttl, timeout and window. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Largest encoded body accepted, headers included, bytes. Default 16 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Retry policy of every queue and group that sets none of its own; merged by field. */
  readonly retry?: RetryPolicy | undefined;
}

const OPTIONS = new Set<keyof BrokerOptions>(['storage', 'codec', 'clock', 'maxMessageBytes', 'retry']);
/** Default of maxMessageBytes. */
export const MAX_MESSAGE_BYTES = 16 * 2 ** 20;

/** What was given, with what holds where nothing is. @throws TypeError, RangeError */
export function checkBrokerOptions(options: BrokerOptions): { readonly storage: Storage; readonly codec: Codec } {
  checkOptions(options, 'broker options', OPTIONS);
  const { storage = new MemoryStorage(), codec = json, clock, maxMessageBytes, retry } = options;
  checkStorage(storage);
  checkCodec(codec);
  if (clock !== undefined) checkClock(clock);
  if (maxMessageBytes !== undefined) checkInteger(maxMessageBytes, 'maxMessageBytes', 1);
  checkRetry(retry, 'retry');
  if (codec.name === 'reference' && storage.durability !== 'memory') {
    throw new TypeError(
      `the reference codec keeps objects; a storage of durability ${describe(storage.durability)} needs json or structured`,
    );
  }
  return { storage, codec };
}

function checkStorage(storage: unknown): asserts storage is Storage {
  checkMethods(storage, 'storage', ['open', 'write', 'read', 'close']);
  const { durability } = storage as Storage;
  if (!['memory', 'os', 'disk'].includes(durability)) {
    throw new TypeError(`storage.durability must be 'memory', 'os' or 'disk'; got ${describe(durability)}`);
  }
}

function checkCodec(codec: unknown): asserts codec is Codec {
  checkMethods(codec, 'codec', ['encode', 'decode']);
  checkName((codec as Codec).name, 'codec.name');
}

function checkClock(clock: unknown): asserts clock is Clock {
  checkMethods(clock, 'clock', ['now', 'setTimer']);
}

function checkMethods(value: unknown, what: string, methods: readonly string[]): void {
  const has = (method: string): boolean => typeof (value as Record<string, unknown>)[method] === 'function';
  if (typeof value !== 'object' || value === null || !methods.every(has)) {
    throw new TypeError(`${what} must be an object with the methods ${methods.join(', ')}; got ${describe(value)}`);
  }
}
