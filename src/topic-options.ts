import { types } from 'node:util';
import { checkBoolean, checkInteger, checkOptions, checkSignal, describe } from './arguments.js';
import { checkMessageOptions, MESSAGE_OPTIONS } from './delivery/intake/envelope.js';
import type { Position } from './delivery/topic/partition.js';
import type { RetentionLimits } from './delivery/topic/retention.js';
import { milliseconds, type Duration } from './duration.js';
import type { MessageOptions } from './message.js';
import { checkSchema, type StandardSchema } from './standard-schema.js';

export interface TopicOptions {
  /**
   * A message with a key goes where Kafka's default partitioner puts it (murmur2); one without goes round robin. Default 1.
   * Declaring more grows the topic, in this run or the next; fewer is ERR_DECLARATION_MISMATCH. Growth moves keys: order per
   * key holds before and after, not across.
   */
  readonly partitions?: number | undefined;
  /** false: never written to storage. Default true. */
  readonly durable?: boolean | undefined;
  /**
   * What is deleted, oldest first, whichever limit is passed first; limits are of the topic, all partitions together.
   * `consumed`: also whatever every group has passed. What a group has in hand is never deleted. Default: time 7 d; an
   * empty record keeps everything.
   */
  readonly retention?: RetentionOptions | undefined;
  /** As a queue's. */
  readonly schema?: StandardSchema | undefined;
}

export interface RetentionOptions {
  readonly time?: Duration | undefined;
  /** Of encoded bodies. */
  readonly bytes?: number | undefined;
  readonly messages?: number | undefined;
  readonly consumed?: boolean | undefined;
}

/** A topic keeps what it is given, in order: no priority, delay or ttl. */
export type TopicMessageOptions = Pick<MessageOptions, 'id' | 'key' | 'headers' | 'persistent' | 'signal'> & {
  /** Where to, whatever the key says. */
  readonly partition?: number | undefined;
};

export interface ReadOptions {
  /** Default `earliest`. An offset needs a partition; it is clamped to what the log holds. */
  readonly from?: Position | undefined;
  /** Default: all. */
  readonly partition?: number | undefined;
  /** Waits at the end for what comes. Default true. */
  readonly follow?: boolean | undefined;
  /** Ends the reading. */
  readonly signal?: AbortSignal | undefined;
}

/** What holds where nothing is said. */
export const TOPIC_DEFAULTS = {
  partitions: 1,
  durable: true,
  retention: { time: '7d' },
} as const satisfies TopicOptions;

const MOST_PARTITIONS = 10_000;

const TOPIC = new Set<keyof TopicOptions>(['partitions', 'durable', 'retention', 'schema']);
const RETENTION = new Set<keyof RetentionOptions>(['time', 'bytes', 'messages', 'consumed']);
const READ = new Set<keyof ReadOptions>(['from', 'partition', 'follow', 'signal']);
/** Names that a message has: what a topic refuses, it refuses with a reason. */
const MESSAGE = [...MESSAGE_OPTIONS.filter((name) => name !== 'retry'), 'partition'];
const SINGLE = new Set(MESSAGE);
const MANY = new Set([...MESSAGE, 'body']);

/** @throws TypeError, RangeError naming the option, what was given, and what is expected */
export function checkTopicOptions(options: TopicOptions | undefined): void {
  checkOptions(options, 'topic options', TOPIC);
  if (options === undefined) return;
  const { partitions, durable, retention, schema } = options;
  if (partitions !== undefined) checkInteger(partitions, 'partitions', 1, MOST_PARTITIONS);
  if (durable !== undefined) checkBoolean(durable, 'durable');
  if (schema !== undefined) checkSchema(schema, 'schema');
  if (retention === undefined) return;
  checkOptions(retention, 'retention', RETENTION);
  const { time, bytes, messages, consumed } = retention;
  if (time !== undefined) milliseconds(time, 'retention.time');
  if (bytes !== undefined) checkInteger(bytes, 'retention.bytes', 0, Number.MAX_SAFE_INTEGER, true);
  if (messages !== undefined) checkInteger(messages, 'retention.messages', 0, Number.MAX_SAFE_INTEGER, true);
  if (consumed !== undefined) checkBoolean(consumed, 'retention.consumed');
}

export function limitsOf({ retention = TOPIC_DEFAULTS.retention }: TopicOptions): RetentionLimits {
  const { time, bytes = Infinity, messages = Infinity, consumed = false }: RetentionOptions = retention;
  return { time: time === undefined ? Infinity : milliseconds(time, 'retention.time'), bytes, messages, consumed };
}

/** @throws TypeError, RangeError */
export function checkTopicMessageOptions(
  options: TopicMessageOptions | undefined,
  what: string,
  partitions: number,
  many: boolean,
): void {
  if (options === undefined) return;
  checkMessageOptions(options as MessageOptions, what, many ? MANY : SINGLE);
  const { partition } = options;
  if (partition !== undefined) checkInteger(partition, `${what}.partition`, 0, partitions - 1);
}

/** @throws TypeError, RangeError */
export function checkReadOptions(options: ReadOptions | undefined, partitions: number): void {
  checkOptions(options, 'read()', READ);
  const { from, partition, follow, signal } = options ?? {};
  checkPartition(partition, 'read() partition', partitions);
  if (from !== undefined) {
    checkPosition(from, 'read() from');
    checkPlaced(from, partition, 'read() from');
  }
  if (follow !== undefined) checkBoolean(follow, 'read() follow');
  if (signal !== undefined) checkSignal(signal, 'read() signal');
}

/** @throws TypeError, RangeError */
export function checkPosition(position: unknown, what: string): asserts position is Position {
  if (typeof position === 'number') return checkInteger(position, what, 0, Number.MAX_SAFE_INTEGER);
  if (types.isDate(position)) {
    if (Number.isFinite(position.getTime())) return;
    throw new TypeError(`${what} must be a valid Date; got ${describe(position)}`);
  }
  if (position === 'earliest' || position === 'latest') return;
  throw new TypeError(`${what} must be 'earliest', 'latest', a Date or an offset; got ${describe(position)}`);
}

/** An offset means nothing without a partition. */
export function checkPlaced(position: Position, partition: number | undefined, what: string): void {
  if (typeof position !== 'number' || partition !== undefined) return;
  throw new TypeError(`${what}: an offset needs a partition; got ${position} without one`);
}

export function checkPartition(partition: unknown, what: string, partitions: number): void {
  if (partition !== undefined) checkInteger(partition as number, what, 0, partitions - 1);
}
