export { Broker, type BrokerStats } from './broker.js';
export type { BrokerOptions } from './broker-options.js';
export { Consumer, type BatchOptions, type ConsumeOptions } from './consumer.js';
export { systemClock, type Clock } from './clock.js';
export { json, reference, structured, type Codec } from './codec.js';
export { exponential, fixed, linear } from './delivery/retry.js';
export type { Overflow } from './delivery/intake/inbox.js';
export type { Duration } from './duration.js';
export { SluiceError, type ErrorCode } from './errors.js';
export type { BrokerEvents } from './events.js';
export {
  Exchange,
  type AnyMessages,
  type Destination,
  type ExchangeOptions,
  type ExchangeStats,
  type Messages,
  type PublishOptions,
} from './exchange.js';
export type {
  Backoff,
  Death,
  Delivery,
  Durability,
  Handler,
  Headers,
  Message,
  MessageOptions,
  Receipt,
  RetryPolicy,
} from './message.js';
export { Queue } from './queue.js';
export type { QueueStats } from './queue-stats.js';
export type { QueueOptions } from './queue-options.js';
export type { HeadersMatch } from './routing/headers-match.js';
export type { Matching } from './routing/matching.js';
export { ConsumerGroup, Topic } from './topic.js';
export type { Located } from './consumer-group.js';
export type { ConsumerGroupOptions } from './consumer-group-options.js';
export type { GroupOffsets } from './delivery/topic/group-position.js';
export type { Position } from './delivery/topic/partition.js';
export type { ReadOptions, RetentionOptions, TopicMessageOptions, TopicOptions } from './topic-options.js';
export type { GroupStats, TopicStats } from './topic-stats.js';
export type { TopicReceipt } from './delivery/topic/topic-post.js';
export type { Source } from './source.js';
export type { StandardSchema } from './standard-schema.js';
export type { RepairReport } from './storage/file/repair.js';
export { FileStorage, type FileStorageOptions } from './storage/file-storage.js';
export { MemoryStorage, type MemoryStorageOptions } from './storage/memory-storage.js';
export type {
  Awaitable,
  Body,
  Entry,
  LogRange,
  ReadLimit,
  Storage,
  StorageOp,
  StorageReport,
  StorageReporter,
  StoredEntry,
} from './storage/storage.js';
