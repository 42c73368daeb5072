import { checkBoolean, checkInteger, checkName, checkOneOf, checkOptions } from './arguments.js';
import { checkRoutingKey } from './delivery/intake/envelope.js';
import type { Overflow } from './delivery/intake/inbox.js';
import { checkRetry } from './delivery/retry.js';
import { checkHandle, type Handle } from './destination.js';
import { milliseconds, type Duration } from './duration.js';
import type { RetryPolicy } from './message.js';
import { checkSchema, type StandardSchema } from './standard-schema.js';

export interface QueueOptions {
  /** false: never written to storage. Default true. */
  readonly durable?: boolean | undefined;
  /** Over the broker's, by field. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * Where failed, expired and overflowing messages go. Default: the queue `<name>.dlq`. false: they are dropped, and the
   * event says so. A name that nothing has by then becomes a queue; a queue made that way, or whose name ends in `.dlq`,
   * retries for ever, sets no limits and dead-letters nowhere, until it is declared with options of its own.
   * The move is atomic: never lost, never in both. It passes the target's `block` and `reject` limits and its
   * deduplication, keeps id, key, headers and priority, and drops ttl and delay. An exchange that routes it nowhere, and
   * a cycle without a rejection in it (RabbitMQ's rule), end in `<name>.dlq`.
   */
  readonly deadLetter?: string | Handle | false | undefined;
  /** Routing key of dead letters that go to an exchange. Default: the message's own, or the queue's name where it has none. */
  readonly deadLetterRoutingKey?: string | undefined;
  /** For every message that has no shorter one. */
  readonly ttl?: Duration | undefined;
  /**
   * Ready and delayed messages held at most; what is in hand does not count. Binds producers: retries, dead letters and
   * redriven ones are let in over `block` and `reject`. Default: no limit.
   */
  readonly maxLength?: number | undefined;
  /** Encoded bytes of them, at most. */
  readonly maxBytes?: number | undefined;
  /**
   * When full: `block` makes send() wait, `reject` fails it with ERR_QUEUE_FULL, `drop-head` drops the oldest (dead-letters
   * it only where `deadLetter` was given: a ring buffer by default), `dead-letter` dead-letters the newcomer. A publish to
   * several queues waits for, or fails with, the fullest: all or none. With `block` and `reject`, more at once than the
   * limit is ERR_QUEUE_FULL right away. Default `reject`.
   */
  readonly overflow?: Overflow | undefined;
  /**
   * `key`: messages of one key one after another, in order of acceptance, retries and backoff included, whoever consumes;
   * different keys in parallel. Not together with `priorities`. A message without key, or not yet due, holds nobody back.
   * Default `none`.
   */
  readonly ordering?: 'none' | 'key' | undefined;
  /** Number of priority levels, 1 … 32. Default 1. */
  readonly priorities?: number | undefined;
  /** A delivered message that is not settled in this time is taken back, as a failed attempt. Default 30 min; false: never. */
  readonly ackTimeout?: Duration | false | undefined;
  /** Only one consumer gets messages; the next in line takes over when it goes. */
  readonly singleActiveConsumer?: boolean | undefined;
  /** Deleted when its last consumer goes; before the first has come it stays. Implies `durable: false`. */
  readonly autoDelete?: boolean | undefined;
  /**
   * Any synchronous Standard Schema (zod, valibot, arktype, …). send() refuses what does not validate (ERR_VALIDATION,
   * nothing stored) and stores the body as given; a delivery carries what the schema made of it. A stored body that no
   * longer validates is dead-lettered as `invalid`, without calling the handler.
   */
  readonly schema?: StandardSchema | undefined;
}

/** Default acknowledgement timeout, ms. */
export const ACK_TIMEOUT = 30 * 60_000;
const MOST_PRIORITIES = 32;

/** What holds where nothing is said. */
export const DEFAULTS = {
  durable: true,
  overflow: 'reject',
  ordering: 'none',
  priorities: 1,
  ackTimeout: ACK_TIMEOUT,
  singleActiveConsumer: false,
  autoDelete: false,
  maxLength: Infinity,
  maxBytes: Infinity,
} as const satisfies QueueOptions;

/** What dead-letter queues do that nobody has described: they keep what they get until somebody takes it. */
export const FOR_DEAD_LETTERS: QueueOptions = { retry: { attempts: Infinity }, deadLetter: false };

export function isDurable({ durable, autoDelete }: QueueOptions): boolean {
  return (durable ?? true) && autoDelete !== true;
}

const NAMES = new Set<keyof QueueOptions>([
  'durable',
  'retry',
  'deadLetter',
  'deadLetterRoutingKey',
  'ttl',
  'maxLength',
  'maxBytes',
  'overflow',
  'ordering',
  'priorities',
  'ackTimeout',
  'singleActiveConsumer',
  'autoDelete',
  'schema',
]);
const OVERFLOWS = ['block', 'reject', 'drop-head', 'dead-letter'] as const;
const ORDERINGS = ['none', 'key'] as const;

/** @throws TypeError, RangeError naming the option, what was given, and what is expected */
export function checkQueueOptions(options: QueueOptions | undefined): void {
  checkOptions(options, 'queue options', NAMES);
  if (options === undefined) return;
  const { retry, deadLetter, deadLetterRoutingKey, ttl, maxLength, maxBytes, overflow, ordering, priorities } = options;
  for (const name of ['durable', 'singleActiveConsumer', 'autoDelete'] as const) {
    if (options[name] !== undefined) checkBoolean(options[name], name);
  }
  checkRetry(retry, 'retry');
  if (typeof deadLetter === 'string') checkName(deadLetter, 'deadLetter');
  else if (deadLetter !== undefined && deadLetter !== false) checkHandle(deadLetter, 'deadLetter', 'a name or false');
  if (deadLetterRoutingKey !== undefined) checkRoutingKey(deadLetterRoutingKey, 'deadLetterRoutingKey');
  if (ttl !== undefined) milliseconds(ttl, 'ttl');
  if (maxLength !== undefined) checkInteger(maxLength, 'maxLength', 0, Number.MAX_SAFE_INTEGER, true);
  if (maxBytes !== undefined) checkInteger(maxBytes, 'maxBytes', 0, Number.MAX_SAFE_INTEGER, true);
  if (overflow !== undefined) checkOneOf(overflow, 'overflow', OVERFLOWS);
  if (ordering !== undefined) checkOneOf(ordering, 'ordering', ORDERINGS);
  if (priorities !== undefined) checkInteger(priorities, 'priorities', 1, MOST_PRIORITIES);
  if (ordering === 'key' && priorities !== undefined && priorities > 1) {
    throw new TypeError(`ordering 'key' and priorities exclude each other; got priorities ${priorities}`);
  }
  if (options.autoDelete === true && options.durable === true) {
    throw new TypeError('autoDelete implies durable: false; got durable: true');
  }
  checkAckTimeout(options.ackTimeout, 'ackTimeout');
  if (options.schema !== undefined) checkSchema(options.schema, 'schema');
}

export function checkAckTimeout(value: unknown, what: string): void {
  if (value === undefined || value === false) return;
  if (value === true) throw new TypeError(`${what} must be a duration or false; got true`);
  if (milliseconds(value, what) === 0) throw new RangeError(`${what} must be more than 0, or false for none; got 0`);
}
