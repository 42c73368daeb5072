/* oxlint-disable vitest/expect-expect -- what compiles is the assertion */
import { describe, expectTypeOf, test } from 'vitest';
import type * as sluice from '../../src/index.js';
import type * as testing from '../../src/testing/index.js';

/**
 * The public surface, written down a second time: what programs are written against. Whatever these shapes allow has to
 * compile, and whatever they promise has to be there. Growing is fine; to shrink or to rename breaks this file.
 */
type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;
type Headers = Readonly<Record<string, string | number | boolean | null>>;
type Durability = 'memory' | 'os' | 'disk';
type Backoff = (attempt: number, error?: unknown) => number;

interface RetryPolicy {
  readonly attempts?: number | undefined;
  readonly backoff?: Backoff | undefined;
  readonly retryIf?: ((error: unknown, message: Message) => boolean) | undefined;
}
interface BrokerOptions {
  readonly storage?: sluice.Storage | undefined;
  readonly codec?: Codec | undefined;
  readonly clock?: Clock | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
}
interface MessageOptions {
  readonly id?: string | undefined;
  readonly key?: string | undefined;
  readonly headers?: Headers | undefined;
  readonly priority?: number | undefined;
  readonly delay?: Duration | undefined;
  readonly deliverAt?: Date | undefined;
  readonly ttl?: Duration | undefined;
  readonly persistent?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly retry?: Pick<RetryPolicy, 'attempts' | 'backoff'> | undefined;
}
interface PublishOptions extends MessageOptions {
  readonly mandatory?: boolean | undefined;
}
interface Receipt {
  readonly id: string;
  readonly duplicate: boolean;
  readonly destinations: readonly string[];
  readonly durability: Durability;
}
interface Death {
  readonly source: string;
  readonly reason: 'rejected' | 'attempts' | 'expired' | 'overflow' | 'invalid';
  readonly at: Date;
  readonly count: number;
  readonly attempts: number;
  readonly routingKey?: string | undefined;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string | undefined };
}
interface Message<T = unknown> {
  readonly id: string;
  readonly body: T;
  readonly headers: Headers;
  readonly key?: string | undefined;
  readonly routingKey?: string | undefined;
  readonly priority: number;
  readonly timestamp: Date;
  readonly source: string;
  readonly attempt: number;
  readonly deliveries: number;
  readonly deaths: readonly Death[];
}
interface Delivery<T = unknown> extends Message<T> {
  readonly signal: AbortSignal;
  ack(this: Delivery<any>): boolean;
  nack(this: Delivery<any>, options?: { readonly delay?: Duration | undefined; readonly error?: unknown }): boolean;
  reject(this: Delivery<any>, reason?: string): boolean;
  requeue(this: Delivery<any>, options?: { readonly delay?: Duration | undefined }): boolean;
  extend(this: Delivery<any>, by?: Duration): boolean;
}
interface QueueOptions {
  readonly durable?: boolean | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly deadLetter?: string | sluice.Destination | false | undefined;
  readonly deadLetterRoutingKey?: string | undefined;
  readonly ttl?: Duration | undefined;
  readonly maxLength?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly overflow?: 'block' | 'reject' | 'drop-head' | 'dead-letter' | undefined;
  readonly ordering?: 'none' | 'key' | undefined;
  readonly priorities?: number | undefined;
  readonly ackTimeout?: Duration | false | undefined;
  readonly singleActiveConsumer?: boolean | undefined;
  readonly autoDelete?: boolean | undefined;
  readonly schema?: StandardSchema | undefined;
}
type Position = 'earliest' | 'latest' | Date | number;
interface TopicOptions {
  readonly partitions?: number | undefined;
  readonly durable?: boolean | undefined;
  readonly retention?: {
    readonly time?: Duration | undefined;
    readonly bytes?: number | undefined;
    readonly messages?: number | undefined;
    readonly consumed?: boolean | undefined;
  };
  readonly schema?: StandardSchema | undefined;
}
type TopicMessageOptions = Pick<MessageOptions, 'id' | 'key' | 'headers' | 'persistent' | 'signal'> & {
  readonly partition?: number | undefined;
};
interface ReadOptions {
  readonly from?: Position | undefined;
  readonly partition?: number | undefined;
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}
interface ConsumerGroupOptions {
  readonly from?: Position | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly deadLetter?: string | sluice.Destination | false | undefined;
  readonly ordering?: 'partition' | 'key' | 'none' | undefined;
  readonly assignor?: 'range' | 'round-robin' | 'sticky' | undefined;
  readonly ackTimeout?: Duration | false | undefined;
}
interface Located {
  readonly partition: number;
  readonly offset: number;
}
interface ConsumeOptions {
  readonly name?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly ack?: 'auto' | 'manual' | 'none' | undefined;
  readonly prefetch?: number | undefined;
  readonly rateLimit?: { readonly max: number; readonly per: Duration };
  readonly ackTimeout?: Duration | false | undefined;
  readonly signal?: AbortSignal | undefined;
}
interface BatchOptions {
  readonly size?: number | undefined;
  readonly wait?: Duration | undefined;
}
interface ExchangeOptions {
  readonly type?: 'direct' | 'fanout' | 'topic' | 'headers' | undefined;
  readonly durable?: boolean | undefined;
  readonly alternate?: string | sluice.Destination | undefined;
  readonly internal?: boolean | undefined;
  readonly autoDelete?: boolean | undefined;
}
interface HeadersMatch {
  readonly match?: 'all' | 'any' | 'all-with-x' | 'any-with-x' | undefined;
  readonly headers: Headers;
}
interface Codec {
  readonly name: string;
  encode(body: unknown): unknown;
  decode(data: unknown): unknown;
}
interface Clock {
  now(): number;
  setTimer(delay: number, fire: () => void): { cancel(): void };
}
interface StandardSchema<I = any, O = any> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly types?: { readonly input: I; readonly output: O } | undefined;
    readonly validate: (value: unknown) => unknown;
  };
}

type Event<E extends keyof BrokerEvents> = BrokerEvents[E];
interface BrokerEvents {
  accepted: { readonly source: string; readonly id: string };
  delivered: { readonly source: string; readonly id: string; readonly attempt: number; readonly consumer: string };
  acked: { readonly source: string; readonly id: string; readonly duration: number };
  retried: {
    readonly source: string;
    readonly id: string;
    readonly attempt: number;
    readonly delay: number;
    readonly error?: unknown;
  };
  deadLettered: {
    readonly source: string;
    readonly id: string;
    readonly reason: Death['reason'];
    readonly to: string | null;
    readonly error?: unknown;
  };
  deduplicated: { readonly source: string; readonly id: string };
  unroutable: { readonly exchange: string; readonly routingKey: string; readonly id: string };
  blocked: { readonly source: string };
  unblocked: { readonly source: string };
  rebalanced: {
    readonly topic: string;
    readonly group: string;
    readonly assignment: Readonly<Record<string, readonly number[]>>;
  };
  rolledBack: { readonly producer: string; readonly id: string; readonly checks: number };
  warning: { readonly code: string; readonly message: string; readonly details: Readonly<Record<string, unknown>> };
  error: { readonly error: Error };
  closed: { readonly abandoned: readonly { readonly source: string; readonly id: string }[] };
}
interface QueueStats {
  readonly name: string;
  readonly ready: number;
  readonly delayed: number;
  readonly unacked: number;
  readonly bytes: number;
  readonly consumers: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly removed: number;
  readonly deduplicated: number;
  readonly oldest?: Date | undefined;
  readonly declared: boolean;
}
interface GroupStats {
  readonly name: string;
  readonly topic: string;
  readonly members: number;
  readonly lag: number;
  readonly unacked: number;
  readonly delivered: number;
  readonly acked: number;
  readonly retried: number;
  readonly deadLettered: number;
}
interface TopicStats {
  readonly name: string;
  readonly partitions: readonly { readonly first: number; readonly next: number; readonly bytes: number }[];
  readonly groups: readonly GroupStats[];
}
interface BrokerStats {
  readonly topics: readonly TopicStats[];
  readonly queues: readonly QueueStats[];
  readonly exchanges: readonly {
    readonly name: string;
    readonly type: string;
    readonly bindings: number;
    readonly published: number;
    readonly unroutable: number;
  }[];
  readonly storage: Readonly<Record<string, number | string>>;
}

/** `F` can be called with `A`, and gives what `R` promises. */
function takes<F extends (...args: never[]) => unknown, A extends readonly unknown[], R>(
  ..._verdict: [A] extends [Parameters<F>]
    ? [ReturnType<F>] extends [R]
      ? []
      : ['it gives', ReturnType<F>, 'not', R]
    : ['it takes', Parameters<F>, 'not', A]
): void {}

interface Body {
  readonly n: number;
}
type Queue = sluice.Queue<Body>;
type Timeout = { readonly timeout?: Duration | undefined };

describe('What is given to the package', () => {
  test('may be what the contract says', () => {
    expectTypeOf<Duration>().toExtend<sluice.Duration>();
    expectTypeOf<Headers>().toExtend<sluice.Headers>();
    expectTypeOf<BrokerOptions>().toExtend<sluice.BrokerOptions>();
    expectTypeOf<MessageOptions>().toExtend<sluice.MessageOptions>();
    expectTypeOf<PublishOptions>().toExtend<sluice.PublishOptions>();
    expectTypeOf<QueueOptions>().toExtend<sluice.QueueOptions>();
    expectTypeOf<TopicOptions>().toExtend<sluice.TopicOptions>();
    expectTypeOf<TopicMessageOptions>().toExtend<sluice.TopicMessageOptions>();
    expectTypeOf<ConsumerGroupOptions>().toExtend<sluice.ConsumerGroupOptions>();
    expectTypeOf<Position>().toEqualTypeOf<sluice.Position>();
    expectTypeOf<ConsumeOptions>().toExtend<sluice.ConsumeOptions>();
    expectTypeOf<BatchOptions>().toExtend<sluice.BatchOptions>();
    expectTypeOf<ExchangeOptions>().toExtend<sluice.ExchangeOptions>();
    expectTypeOf<RetryPolicy>().toExtend<sluice.RetryPolicy>();
    expectTypeOf<HeadersMatch>().toExtend<sluice.HeadersMatch>();
    expectTypeOf<Codec>().toExtend<sluice.Codec>();
    expectTypeOf<Clock>().toExtend<sluice.Clock>();
    expectTypeOf<StandardSchema>().toExtend<sluice.StandardSchema>();
    expectTypeOf<Backoff>().toExtend<sluice.Backoff>();
  });
});

describe('What the package gives', () => {
  test('has what the contract says', () => {
    expectTypeOf<sluice.Receipt>().toExtend<Receipt>();
    expectTypeOf<sluice.Message<Body>>().toExtend<Message<Body>>();
    expectTypeOf<sluice.Delivery<Body>>().toExtend<Delivery<Body>>();
    expectTypeOf<sluice.Death>().toExtend<Death>();
    expectTypeOf<sluice.QueueStats>().toExtend<QueueStats>();
    expectTypeOf<sluice.TopicStats>().toExtend<TopicStats>();
    expectTypeOf<sluice.GroupStats>().toExtend<GroupStats>();
    expectTypeOf<sluice.BrokerStats>().toExtend<BrokerStats>();
    expectTypeOf<sluice.Located>().toEqualTypeOf<Located>();
    expectTypeOf<sluice.Codec>().toExtend<Codec>();
    expectTypeOf<sluice.Clock>().toExtend<Clock>();
    expectTypeOf<sluice.Durability>().toEqualTypeOf<Durability>();
    expectTypeOf<sluice.Headers>().toEqualTypeOf<Headers>();
    expectTypeOf<sluice.Duration>().toEqualTypeOf<Duration>();
  });

  test('tells every event', () => {
    expectTypeOf<keyof BrokerEvents>().toExtend<keyof sluice.BrokerEvents>();
    expectTypeOf<sluice.BrokerEvents>().toExtend<BrokerEvents>();
    type Code = sluice.BrokerEvents['warning']['code'];
    expectTypeOf<'GROUP_OVERTAKEN' | 'DEDUPLICATION_CUT' | 'STORAGE_NEARLY_FULL'>().toExtend<Code>();
  });

  test('knows every code', () => {
    expectTypeOf<sluice.ErrorCode>().toEqualTypeOf<
      | 'ERR_CLOSED'
      | 'ERR_DECLARATION_MISMATCH'
      | 'ERR_UNKNOWN_DESTINATION'
      | 'ERR_UNROUTABLE'
      | 'ERR_INTERNAL_EXCHANGE'
      | 'ERR_BINDING_CYCLE'
      | 'ERR_QUEUE_FULL'
      | 'ERR_MESSAGE_TOO_LARGE'
      | 'ERR_NOT_SERIALIZABLE'
      | 'ERR_VALIDATION'
      | 'ERR_TIMEOUT'
      | 'ERR_ABORTED'
      | 'ERR_SETTLED'
      | 'ERR_TRANSACTION_ENDED'
      | 'ERR_IN_USE'
      | 'ERR_STORAGE_LOCKED'
      | 'ERR_STORAGE_CORRUPT'
      | 'ERR_STORAGE_FULL'
      | 'ERR_STORAGE_FAILED'
      | 'ERR_STORAGE_VERSION'
    >();
    expectTypeOf<sluice.SluiceError>().toExtend<
      Error & { readonly code: sluice.ErrorCode; readonly details: Readonly<Record<string, unknown>> }
    >();
    type Is = typeof sluice.SluiceError.is;
    takes<Is, [unknown] | [unknown, sluice.ErrorCode], boolean>();
  });
});

describe('A broker', () => {
  type Broker = sluice.Broker;
  test('has every method, with what it takes and gives', () => {
    takes<typeof sluice.Broker.open, [] | [BrokerOptions], Promise<Broker>>();
    takes<Broker['delete'], [string], Promise<void>>();
    takes<Broker['idle'], [], Promise<void>>();
    takes<Broker['flush'], [], Promise<void>>();
    takes<Broker['stats'], [], BrokerStats>();
    takes<Broker['close'], [] | [Timeout], Promise<void>>();
    takes<Broker[typeof Symbol.asyncDispose], [], Promise<void>>();
    expectTypeOf<Broker>().toExtend<AsyncDisposable>();
  });

  test('declares', () => {
    const broker = {} as Broker;
    expectTypeOf(broker.queue<Body>('q', {} as QueueOptions)).toEqualTypeOf<Queue>();
    expectTypeOf(broker.exchange<{ a: Body }>('x', {} as ExchangeOptions)).toEqualTypeOf<
      sluice.Exchange<{ a: Body }>
    >();
    expectTypeOf(broker.queue('q', { schema: {} as StandardSchema<1, 2> })).toEqualTypeOf<sluice.Queue<2, 1>>();
    expectTypeOf(broker.topic<Body>('t', {} as TopicOptions)).toEqualTypeOf<sluice.Topic<Body>>();
    expectTypeOf(broker.topic('t', { schema: {} as StandardSchema<1, 2> })).toEqualTypeOf<sluice.Topic<2, 1>>();
  });

  test('takes listeners', () => {
    const broker = {} as Broker;
    type Told = { [E in keyof BrokerEvents]: (event: Event<E>) => void };
    const told = {} as Told;
    expectTypeOf(
      broker.on('retried', told.retried).once('closed', told.closed).off('error', told.error),
    ).toEqualTypeOf<Broker>();
  });

  test('is made by open() only', () => {
    expectTypeOf<typeof sluice.Broker>().not.toExtend<new (...args: never[]) => unknown>();
    expectTypeOf<typeof sluice.Queue>().not.toExtend<new (...args: never[]) => unknown>();
    expectTypeOf<typeof sluice.Exchange>().not.toExtend<new (...args: never[]) => unknown>();
    expectTypeOf<typeof sluice.Topic>().not.toExtend<new (...args: never[]) => unknown>();
    expectTypeOf<typeof sluice.ConsumerGroup>().not.toExtend<new (...args: never[]) => unknown>();
    expectTypeOf<typeof sluice.Consumer>().not.toExtend<new (...args: never[]) => unknown>();
  });
});

describe('A queue', () => {
  test('has every method, with what it takes and gives', () => {
    expectTypeOf<Queue['name']>().toEqualTypeOf<string>();
    expectTypeOf<Queue['deadLetters']>().toEqualTypeOf<sluice.Queue<Body, never> | undefined>();
    takes<Queue['send'], [Body] | [Body, MessageOptions], Promise<Receipt>>();
    takes<Queue['sendMany'], [readonly (MessageOptions & { readonly body: Body })[]], Promise<Receipt[]>>();
    takes<Queue['peek'], [] | [number], Promise<Message<Body>[]>>();
    takes<Queue['purge'], [], Promise<number>>();
    type Redrive = {
      readonly to?: string | sluice.Destination | undefined;
      readonly limit?: number | undefined;
      readonly filter?: ((message: sluice.Message<Body>) => boolean) | undefined;
    };
    takes<Queue['redrive'], [] | [Redrive], Promise<number>>();
    takes<Queue['stats'], [], QueueStats>();
    expectTypeOf<Queue>().toExtend<sluice.Source<sluice.Delivery<Body>>>();
  });

  test('is a source', () => {
    type D = sluice.Delivery<Body>;
    type Source = sluice.Source<D>;
    takes<
      Source['consume'],
      [(delivery: D) => unknown] | [(delivery: D) => unknown, ConsumeOptions],
      sluice.Consumer
    >();
    type Batch = (batch: readonly D[]) => unknown;
    takes<Source['consumeBatch'], [Batch] | [Batch, ConsumeOptions & BatchOptions], sluice.Consumer>();
    type Receive = { readonly wait?: Duration | undefined; readonly signal?: AbortSignal | undefined };
    takes<Source['receive'], [] | [Receive], Promise<D | undefined>>();
    takes<Source[typeof Symbol.asyncIterator], [], AsyncIterableIterator<D>>();
    takes<Source['pause'], [], void>();
    takes<Source['resume'], [], void>();
    takes<Source['idle'], [], Promise<void>>();
  });

  test('has consumers', () => {
    type Consumer = sluice.Consumer;
    expectTypeOf<Consumer['name']>().toEqualTypeOf<string>();
    takes<Consumer['pause'], [], void>();
    takes<Consumer['resume'], [], void>();
    takes<Consumer['close'], [] | [Timeout], Promise<void>>();
    expectTypeOf<Consumer>().toExtend<AsyncDisposable>();
  });
});

describe('A topic', () => {
  type Topic = sluice.Topic<Body>;
  type TopicReceipt = Receipt & Located;
  test('has every method, with what it takes and gives', () => {
    expectTypeOf<Topic['name']>().toEqualTypeOf<string>();
    expectTypeOf<Topic['partitions']>().toEqualTypeOf<number>();
    takes<Topic['publish'], [Body] | [Body, TopicMessageOptions], Promise<TopicReceipt>>();
    type Many = readonly (TopicMessageOptions & { readonly body: Body })[];
    takes<Topic['publishMany'], [Many], Promise<TopicReceipt[]>>();
    takes<Topic['group'], [string] | [string, ConsumerGroupOptions], sluice.ConsumerGroup<Body>>();
    takes<Topic['read'], [] | [ReadOptions], AsyncIterableIterator<Message<Body> & Located>>();
    takes<Topic['stats'], [], TopicStats>();
  });

  test('has groups', () => {
    type Group = sluice.ConsumerGroup<Body>;
    expectTypeOf<Group['topic']>().toEqualTypeOf<sluice.Topic<Body, never>>();
    expectTypeOf<Group['deadLetters']>().toEqualTypeOf<sluice.Queue<Body, never> | undefined>();
    type Offsets = readonly {
      readonly partition: number;
      readonly committed: number;
      readonly end: number;
      readonly lag: number;
      readonly member?: string | undefined;
    }[];
    takes<Group['offsets'], [], Offsets>();
    takes<Group['seek'], [Position] | [Position, number], Promise<void>>();
    takes<Group['delete'], [], Promise<void>>();
    takes<Group['stats'], [], GroupStats>();
    expectTypeOf<Group>().toExtend<sluice.Source<sluice.Delivery<Body> & sluice.Located>>();
  });
});

describe('An exchange', () => {
  type Exchange = sluice.Exchange<{ a: Body }>;
  test('has every method, with what it takes and gives', () => {
    expectTypeOf<Exchange['name']>().toEqualTypeOf<string>();
    takes<Exchange['publish'], ['a', Body] | ['a', Body, PublishOptions], Promise<Receipt>>();
    takes<Exchange['unbind'], [sluice.Destination] | [sluice.Destination, string | HeadersMatch], Exchange>();
    type Bindings = readonly {
      readonly destination: string;
      readonly pattern?: string | undefined;
      readonly match?: HeadersMatch | undefined;
    }[];
    takes<Exchange['bindings'], [], Bindings>();
  });
});

describe('Backoffs, codecs and storages', () => {
  test('are made as the contract says', () => {
    takes<typeof sluice.fixed, [Duration], Backoff>();
    type Linear = {
      readonly base: Duration;
      readonly step?: Duration | undefined;
      readonly max?: Duration | undefined;
    };
    takes<typeof sluice.linear, [Linear], Backoff>();
    type Exponential = {
      readonly base: Duration;
      readonly factor?: number | undefined;
      readonly max?: Duration | undefined;
      readonly jitter?: 'none' | 'full' | 'equal' | undefined;
    };
    takes<typeof sluice.exponential, [Exponential], Backoff>();
    expectTypeOf<typeof sluice.json>().toExtend<Codec>();
    expectTypeOf<typeof sluice.structured>().toExtend<Codec>();
    expectTypeOf<typeof sluice.reference>().toExtend<Codec>();
    expectTypeOf<sluice.MemoryStorage>().toExtend<sluice.Storage & { readonly durability: 'memory' }>();
    expectTypeOf<[] | [{ readonly maxBytes?: number | undefined }]>().toExtend<
      ConstructorParameters<typeof sluice.MemoryStorage>
    >();
    type FileStorageOptions = {
      readonly flush?: 'sync' | 'async' | undefined;
      readonly flushInterval?: Duration | undefined;
      readonly segmentBytes?: number | undefined;
      readonly maxBytes?: number | undefined;
      readonly keepFree?: number | undefined;
    };
    expectTypeOf<sluice.FileStorage>().toExtend<sluice.Storage & { readonly durability: 'disk' | 'os' }>();
    expectTypeOf<[string] | [string, FileStorageOptions]>().toExtend<
      ConstructorParameters<typeof sluice.FileStorage>
    >();
    expectTypeOf<sluice.FileStorageOptions>().toEqualTypeOf<FileStorageOptions>();
  });

  test('a storage is four methods', () => {
    type Awaitable<T> = T | Promise<T>;
    type Entry = { readonly head: object; readonly body?: unknown };
    type Op =
      | { readonly type: 'append'; readonly log: string; readonly entry: Entry; offset?: number | undefined }
      | { readonly type: 'drop'; readonly log: string; readonly from: number; readonly to: number }
      | { readonly type: 'remove'; readonly log: string };
    interface Storage {
      readonly durability: Durability;
      open(): Awaitable<ReadonlyMap<string, { readonly first: number; readonly next: number }>>;
      write(batch: readonly Op[], reach?: Durability): Awaitable<void>;
      read(
        log: string,
        from: number,
        limit: { readonly entries: number; readonly bytes: number },
      ): Awaitable<readonly { readonly offset: number; readonly entry: Entry }[]>;
      close(): Promise<void>;
    }
    expectTypeOf<Storage>().toExtend<sluice.Storage>();
    expectTypeOf<sluice.Storage>().toExtend<Storage>();
    expectTypeOf<sluice.StorageOp>().toExtend<Op>();
    expectTypeOf<Op>().toExtend<sluice.StorageOp>();
  });
});

describe('The test kit', () => {
  test('has what the contract says', () => {
    expectTypeOf<testing.ManualClock>().toExtend<Clock>();
    expectTypeOf<[] | [Date | number]>().toExtend<ConstructorParameters<typeof testing.ManualClock>>();
    takes<testing.ManualClock['advance'], [Duration], Promise<void>>();
    takes<testing.ManualClock['pending'], [], number>();
    expectTypeOf<testing.FaultyStorage>().toExtend<sluice.Storage>();
    expectTypeOf<[sluice.Storage]>().toExtend<ConstructorParameters<typeof testing.FaultyStorage>>();
    type Method = 'open' | 'write' | 'read';
    takes<testing.FaultyStorage['failNext'], [Method] | [Method, Error], void>();
    type Conformance = {
      readonly test: (name: string, fn: () => Promise<void>) => void;
      readonly create: () => sluice.Storage | Promise<sluice.Storage>;
      readonly reopen?: (storage: sluice.Storage) => sluice.Storage | Promise<sluice.Storage> | undefined;
    };
    takes<typeof testing.storageConformance, [Conformance], void>();
  });

  test('makes brokers that record', () => {
    takes<typeof testing.testBroker, [] | [Omit<BrokerOptions, 'clock'>], Promise<testing.TestBroker>>();
    expectTypeOf<testing.TestBroker>().toExtend<sluice.Broker>();
    expectTypeOf<testing.TestBroker['clock']>().toEqualTypeOf<testing.ManualClock>();
    type Sent = readonly {
      readonly id: string;
      readonly body: unknown;
      readonly headers: Headers;
      readonly routingKey?: string | undefined;
      readonly outcome: 'waiting' | 'acked' | 'dead';
    }[];
    takes<testing.TestBroker['sent'], [string], Sent>();
    type Settle = { readonly limit?: number | undefined; readonly advance?: Duration | undefined };
    takes<testing.TestBroker['settle'], [] | [Settle], Promise<void>>();
  });
});
