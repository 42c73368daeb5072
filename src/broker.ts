import { checkName } from './arguments.js';
import { checkBrokerOptions, MAX_MESSAGE_BYTES, type BrokerOptions } from './broker-options.js';
import { systemClock } from './clock.js';
import { Codecs, json, type Codec } from './codec.js';
import { closeTimeout, within } from './consumer.js';
import { Agenda } from './delivery/agenda.js';
import { abandon } from './delivery/ending.js';
import { Envelopes } from './delivery/intake/envelope.js';
import { Identities } from './delivery/identities.js';
import { Journal } from './delivery/journal.js';
import { Slice } from './delivery/slice.js';
import type { Subscription } from './delivery/subscription.js';
import { Trial } from './delivery/crash/trial.js';
import { Shapes } from './delivery/shapes.js';
import type { Duration } from './duration.js';
import { SluiceError } from './errors.js';
import { Events, type EventName, type Listener } from './events.js';
import {
  checkExchangeOptions,
  type AnyMessages,
  type Exchange,
  type ExchangeOptions,
  type ExchangeStats,
  type Messages,
} from './exchange.js';
import type { Queue } from './queue.js';
import type { Topic } from './topic.js';
import { checkTopicOptions, type TopicOptions } from './topic-options.js';
import type { TopicStats } from './topic-stats.js';
import type { QueueStats } from './queue-stats.js';
import { checkQueueOptions, type QueueOptions } from './queue-options.js';
import { Registry } from './registry.js';
import { Reports } from './reports.js';
import type { StandardSchema } from './standard-schema.js';
import { MemoryStorage } from './storage/memory-storage.js';
import type { Storage } from './storage/storage.js';

export interface BrokerStats {
  readonly queues: readonly QueueStats[];
  readonly topics: readonly TopicStats[];
  readonly exchanges: readonly ExchangeStats[];
  readonly storage: Readonly<Record<string, number | string>>;
}

/** Owns the storage, the clock and the names; opens and closes. `Broker.open()` makes one. */
export class Broker {
  private readonly events: Events;
  private readonly agenda: Agenda;
  private readonly registry: Registry;
  private readonly storage: Storage;
  private readonly lasting: Journal;
  private readonly volatile: Journal;
  private closing: Promise<void> | undefined;

  private constructor(options: BrokerOptions, storage: Storage, codec: Codec) {
    const clock = options.clock ?? systemClock;
    const events = new Events();
    const identities = new Identities();
    this.events = events;
    this.agenda = new Agenda(clock);
    this.storage = storage;
    const report = (error: unknown): void => events.report(error);
    this.lasting = new Journal(storage, report);
    this.volatile = this.lasting.lasting ? new Journal(new MemoryStorage(), report) : this.lasting;
    const maxBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const unnamed = this.lasting.lasting ? json : codec;
    this.registry = new Registry({
      engine: {
        clock,
        events,
        identities,
        codecs: new Codecs(codec, unnamed),
        agenda: this.agenda,
        slice: new Slice(),
        trial: new Trial(),
        shapes: new Shapes(),
        epoch: clock.now(),
      },
      envelopes: new Envelopes(clock, identities, codec, maxBytes, this.lasting.lasting),
      retry: options.retry,
      lasting: this.lasting,
      volatile: this.volatile,
    });
  }

  /**
   * Opens the storage, recovers what it holds, and returns a broker that is ready: there is no unopened one.
   * @throws SluiceError ERR_STORAGE_LOCKED, ERR_STORAGE_CORRUPT, ERR_STORAGE_VERSION; TypeError, RangeError
   */
  static async open(options: BrokerOptions = {}): Promise<Broker> {
    const { storage, codec } = checkBrokerOptions(options);
    const broker = new Broker(options, storage, codec);
    const reports = new Reports(broker.events);
    const logs = await broker.lasting.open(reports.take);
    try {
      await broker.registry.recover([...logs.keys()]);
    } catch (error) {
      // Nobody else could open it, as long as this one holds it.
      await storage.close();
      throw error;
    }
    reports.opened();
    broker.registry.engine.trial.judge();
    return broker;
  }

  /**
   * Declares a queue, or returns what is already declared. Queues, exchanges and topics share one namespace; another kind
   * under a known name throws ERR_DECLARATION_MISMATCH.
   *
   * A declaration without options is only a handle: it never mismatches, whoever comes first. The first declaration of
   * a run that gives options defines; a later one of the same run that gives a different value for an option throws
   * ERR_DECLARATION_MISMATCH (functions and schemas are not compared). Across runs the code wins.
   * @throws TypeError, RangeError; SluiceError ERR_CLOSED
   */
  queue<I, O>(name: string, options: QueueOptions & { readonly schema: StandardSchema<I, O> }): Queue<O, I>;
  queue<T = unknown>(name: string, options?: QueueOptions): Queue<T>;
  queue(name: string, options?: QueueOptions): Queue {
    this.checkOpen();
    checkName(name, 'the name of a queue');
    checkQueueOptions(options);
    return this.registry.queue(name, options);
  }

  /** Declares an exchange, or returns what is already declared, by the rule of queue(). */
  exchange<M extends Messages<M> = AnyMessages>(name: string, options?: ExchangeOptions): Exchange<M> {
    this.checkOpen();
    checkName(name, 'the name of an exchange');
    checkExchangeOptions(options);
    return this.registry.exchange(name, options) as unknown as Exchange<M>;
  }

  /**
   * Declares a topic, or returns what is already declared, by the rule of queue(). More partitions let it grow; fewer are
   * ERR_DECLARATION_MISMATCH, across runs as well.
   */
  topic<I, O>(name: string, options: TopicOptions & { readonly schema: StandardSchema<I, O> }): Topic<O, I>;
  topic<T = unknown>(name: string, options?: TopicOptions): Topic<T>;
  topic(name: string, options?: TopicOptions): Topic {
    this.checkOpen();
    checkName(name, 'the name of a topic');
    checkTopicOptions(options);
    return this.registry.topic(name, options);
  }

  /**
   * Deletes a queue, exchange or topic with all that it holds; bindings to it go too. What waits on it rejects, and its
   * handles throw, with ERR_UNKNOWN_DESTINATION. Rejects so itself where nothing has the name.
   */
  async delete(name: string): Promise<void> {
    checkName(name, 'the name to delete');
    this.checkOpen();
    await this.registry.delete(name);
  }

  /**
   * Resolves when every queue and group is idle: nothing in hand, and nothing ready that a running consumer could take.
   * What waits for a consumer, for room or for a time does not count. Rejects with ERR_CLOSED when the broker closes meanwhile.
   */
  async idle(): Promise<void> {
    this.checkOpen();
    for (;;) {
      const busy = this.registry.sources.filter(({ subscription }) => !subscription.idle);
      if (busy.length === 0) return;
      await Promise.all(busy.map(({ subscription }) => untilIdle(subscription)));
    }
  }

  /** Resolves when everything accepted so far, acknowledgements included, is as durable as the storage makes it. */
  async flush(): Promise<void> {
    this.checkOpen();
    await this.lasting.flush();
  }

  /** A snapshot of every queue, topic, group, exchange and of the storage. Plain JSON but for dates. */
  stats(): BrokerStats {
    const { storage } = this;
    return {
      queues: this.registry.queues.map((queue) => queue.stats()),
      topics: this.registry.topics.map((topic) => topic.stats()),
      exchanges: this.registry.exchanges.map((exchange) => exchange.stats()),
      storage: { durability: storage.durability, ...storage.stats?.() },
    };
  }

  /**
   * Stops intake, waits for running handlers (default 10 s, then aborts their signals and gives their messages back, no
   * attempt counted), flushes, releases the storage. Idempotent, and always resolves. What waits settles: send, idle and flush
   * reject with ERR_CLOSED, receive() resolves with undefined, iterators end.
   * A handler may call it, but not await it: it would wait for itself until `timeout`.
   */
  close(options?: { readonly timeout?: Duration | undefined }): Promise<void> {
    try {
      const timeout = closeTimeout(options);
      return (this.closing ??= this.end(timeout));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async end(timeout: number): Promise<void> {
    const { registry, events } = this;
    const error = new SluiceError('ERR_CLOSED', 'the broker is closed');
    const { sources } = registry;
    registry.close(error);
    for (const source of sources) {
      source.stopPulling();
      source.subscription.idlers.reject(error);
    }
    const subscribers = sources.flatMap(({ subscription }) => [...subscription.subscribers]);
    await within(
      registry.engine,
      Promise.all(subscribers.map((subscriber) => subscriber.end())).then(() => undefined),
      timeout,
      () => subscribers.forEach((subscriber) => subscriber.giveUp()),
    );
    const abandoned = sources.flatMap(({ subscription }) => abandon(subscription, error));
    try {
      for (const { subscription } of sources) await subscription.settlement.still();
      await this.lasting.flush();
    } catch (failure) {
      events.report(failure);
    }
    try {
      await this.lasting.close();
    } catch (failure) {
      events.report(failure);
    }
    for (const { subscription } of sources) subscription.close();
    this.agenda.close();
    if (events.heard.closed) events.emit('closed', { abandoned });
  }

  /** One emitter for the whole broker; every payload names its queue, topic or exchange. See BrokerEvents. */
  on<E extends EventName>(event: E, listener: Listener<E>): this {
    this.events.on(event, listener);
    return this;
  }
  once<E extends EventName>(event: E, listener: Listener<E>): this {
    this.events.on(event, listener, true);
    return this;
  }
  off<E extends EventName>(event: E, listener: Listener<E>): this {
    this.events.off(event, listener);
    return this;
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw new SluiceError('ERR_CLOSED', 'the broker is closed');
  }
}

async function untilIdle(subscription: Subscription): Promise<void> {
  try {
    await subscription.whenIdle();
  } catch (error) {
    // What was deleted meanwhile is idle enough.
    if (!SluiceError.is(error, 'ERR_UNKNOWN_DESTINATION')) throw error;
  }
}
