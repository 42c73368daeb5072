import { checkName, describe } from './arguments.js';
import { checkByteLimit } from './codec.js';
import { ConsumerGroup as Group, type Located } from './consumer-group.js';
import { checkGroupOptions, type ConsumerGroupOptions } from './consumer-group-options.js';
import { checkSame, mismatch, said } from './declaration.js';
import { Contents } from './delivery/contents.js';
import { once } from './delivery/intake/envelope.js';
import type { Head } from './delivery/head.js';
import { groupLogOf, sumsLogOf } from './delivery/log-names.js';
import type { Partition } from './delivery/topic/partition.js';
import { Retention } from './delivery/topic/retention.js';
import type { Origin } from './delivery/stored-message.js';
import { TopicInbox } from './delivery/topic/topic-inbox.js';
import { publish, publishAll, type TopicReceipt } from './delivery/topic/topic-post.js';
import { TopicReader } from './delivery/topic/topic-reader.js';
import { recoverSums } from './delivery/topic/topic-recovery.js';
import type { Handle } from './destination.js';
import type { SluiceError } from './errors.js';
import type { TopicHost } from './host.js';
import type { Message } from './message.js';
import { partitionOf } from './routing/partitioner.js';
import { parse } from './standard-schema.js';
import {
  checkReadOptions,
  checkTopicMessageOptions,
  limitsOf,
  TOPIC_DEFAULTS,
  type ReadOptions,
  type TopicMessageOptions,
  type TopicOptions,
} from './topic-options.js';
import type { TopicStats } from './topic-stats.js';

/** A partitioned log: it keeps what it is given, and every consumer group reads all of it. Made by broker.topic(). */
export class Topic<out T = any, in I = T> implements Handle {
  readonly name: string;
  readonly kind = 'topic';
  /** @internal */
  gone: SluiceError | undefined;
  /** @internal */
  readonly inbox: TopicInbox;
  /** @internal */
  readonly origin: Origin;
  /** @internal Makes bodies of what is stored. */
  readonly contents: Contents;
  /** @internal */
  readonly groups = new Map<string, Group<any, Topic>>();
  /** @internal */
  options: TopicOptions = {};
  private readonly host: TopicHost<Topic>;
  private readonly readers = new Set<TopicReader>();
  private defined = false;

  private constructor(host: TopicHost<Topic>, name: string) {
    const { engine } = host;
    this.host = host;
    this.name = name;
    this.origin = { source: name };
    this.contents = new Contents(engine.codecs);
    this.inbox = new TopicInbox(this, engine, partitionOf);
    this.inbox.retention = new Retention(
      engine.agenda,
      {
        partitions: this.inbox.partitions,
        now: () => engine.clock.now(),
        inHand: (partition) => this.least((group) => group.position.lowestInHand(partition), Infinity),
        passed: (partition) => this.least((group) => group.position.done(partition), partition.first),
        dropped: (partitions) => this.dropped([...partitions]),
        report: (error) => engine.events.report(error),
      },
      limitsOf({}),
    );
    this.configure({});
  }

  /** @internal */
  static make(host: TopicHost<Topic>, name: string): Topic {
    return new Topic(host, name);
  }

  get partitions(): number {
    return this.inbox.partitions.length;
  }

  /** @internal It, and what it holds, is there after a restart. */
  get durable(): boolean {
    return this.options.durable ?? TOPIC_DEFAULTS.durable;
  }

  /** @internal */
  idOf(head: Head): string {
    return this.host.engine.identities.of(head);
  }

  /**
   * @internal What a declaration says: the first with options defines, later ones have to agree, or let the topic grow.
   * @throws SluiceError ERR_DECLARATION_MISMATCH
   */
  declare(options: TopicOptions | undefined): void {
    if (options === undefined) return;
    const { partitions = this.partitions } = options;
    const what = `topic ${describe(this.name)}`;
    if (partitions < this.partitions) {
      const message = `${what} has ${this.partitions} partitions, and cannot have fewer; got ${partitions}`;
      throw mismatch(message, { option: 'partitions' });
    }
    const { durable = TOPIC_DEFAULTS.durable } = options;
    if (this.defined) {
      checkSame(what, { ...TOPIC_DEFAULTS, ...this.options, partitions }, options);
      if (partitions === this.partitions) return;
      this.configure({ ...this.options, partitions });
    } else {
      if (durable !== this.durable && this.inbox.holds) {
        throw mismatch(`${what} holds messages: durable cannot change`, { option: 'durable' });
      }
      this.configure({ ...options, partitions });
      this.defined = true;
    }
    this.inbox.retention.check();
    this.host.topicDeclared(this);
  }

  /** @internal As an earlier run left it. */
  async recover(options: TopicOptions, partitions: number): Promise<void> {
    this.configure({ ...options, partitions: Math.max(partitions, options.partitions ?? 1) });
    await recoverSums(this.inbox);
  }

  private configure(options: TopicOptions): void {
    const { host, name, inbox } = this;
    const { schema, retention } = options;
    const limits = limitsOf(options);
    checkByteLimit(host.envelopes.codec, limits.bytes, 'retention.bytes', 'retention.messages');
    this.options = { ...said(options), ...(retention && { retention: said(retention) }) };
    const check = schema && ((body: unknown) => parse(schema, body, `topic ${describe(name)}`));
    inbox.validate = this.contents.parse = check;
    const before = inbox.journal;
    inbox.lay(host.journal(this.durable), options.partitions ?? 1);
    for (const group of this.groups.values()) {
      group.subscription.contents.parse = check;
      if (before === inbox.journal) group.position.grow();
      else group.begin();
    }
    inbox.retention.limit(limits);
  }

  /**
   * Resolves once stored as durably as the storage promises, with where it is.
   * @throws SluiceError ERR_VALIDATION, ERR_NOT_SERIALIZABLE, ERR_MESSAGE_TOO_LARGE, ERR_ABORTED, ERR_CLOSED,
   * ERR_UNKNOWN_DESTINATION, ERR_STORAGE_FULL, ERR_STORAGE_FAILED; TypeError, RangeError. Nothing is stored then.
   */
  publish(body: I, options?: TopicMessageOptions): Promise<TopicReceipt> {
    try {
      this.checkHere();
      const given = once(options);
      this.check(given, 'publish() options', false);
      return publish(this.inbox, this.host.envelopes, body, given);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** All or none, in one write. Rejects as publish() does. */
  publishMany(messages: readonly (TopicMessageOptions & { readonly body: I })[]): Promise<TopicReceipt[]> {
    const { inbox, host } = this;
    try {
      this.checkHere();
      if (!Array.isArray(messages)) {
        throw new TypeError(`publishMany() takes an array of { body, …options }; got ${describe(messages)}`);
      }
      // from(), since map() would pass over holes.
      const given = Array.from(messages as readonly (TopicMessageOptions & { readonly body: I })[], (message, n) => {
        if (message === undefined) throw new TypeError(`publishMany()[${n}] must be an object; got undefined`);
        const one = once(message);
        this.check(one, `publishMany()[${n}]`, true);
        return one;
      });
      return publishAll(inbox, host.envelopes, given);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  private check(options: TopicMessageOptions | undefined, what: string, many: boolean): void {
    if (options === undefined) return;
    checkTopicMessageOptions(options, what, this.partitions, many);
    this.inbox.checkOptions(options);
  }

  /**
   * Declares, or returns, the group of this name on this topic, by the rule of broker.queue().
   * @throws TypeError, RangeError; SluiceError ERR_DECLARATION_MISMATCH, ERR_CLOSED, ERR_UNKNOWN_DESTINATION
   */
  group(name: string, options?: ConsumerGroupOptions): ConsumerGroup<T> {
    this.checkHere();
    checkName(name, 'the name of a group');
    checkGroupOptions(options);
    const known = this.groups.get(name);
    const group = known ?? Group.make<Topic>(this.host, this, name);
    group.declare(options);
    if (known === undefined) {
      this.adopt(group);
      group.begin();
      this.groupDeclared(name);
    }
    return group as unknown as ConsumerGroup<T>;
  }

  /** @internal */
  async recoverGroup(name: string, options: ConsumerGroupOptions): Promise<void> {
    const group = Group.make<Topic>(this.host, this, name);
    this.adopt(group);
    await group.recover(options);
  }

  private adopt(group: Group<any, Topic>): void {
    group.subscription.contents.parse = this.contents.parse;
    this.groups.set(group.name, group);
  }

  /** @internal */
  groupDeclared(name: string): void {
    if (this.groups.has(name)) this.host.groupDeclared(this, name);
  }

  /** @internal */
  groupDeleted(name: string): void {
    this.groups.delete(name);
    this.host.groupDeleted(this, name);
    this.inbox.retention.passed();
  }

  /**
   * Every message from a position on, without a group and without acknowledgement; of several partitions the oldest first. Ends with
   * `signal`, at the end when `follow` is false, and when the broker closes. What does not decode or validate is an `error` event, and passed over.
   * @throws TypeError, RangeError; SluiceError ERR_CLOSED, ERR_UNKNOWN_DESTINATION
   */
  read(options?: ReadOptions): AsyncIterableIterator<Message<T> & Located> {
    const { from = 'earliest', partition, follow = true, signal } = options ?? {};
    checkReadOptions(options, this.partitions);
    this.checkHere();
    const { partitions } = this.inbox;
    const all = partition === undefined ? [...partitions] : [partitions[partition]!];
    const reader = new TopicReader(this.inbox, this, this.host.engine, this.readers);
    // The end is that of now, wherever it will be when the reading begins.
    const places = all.map((one) => [one, from === 'latest' ? one.next : from] as const);
    return reader.messages(places, partition === undefined, follow, signal) as AsyncIterableIterator<
      Message<T> & Located
    >;
  }

  /** @internal The broker closes: whoever reads is at the end. `error`: and is told so. */
  close(error?: SluiceError): void {
    for (const group of this.groups.values()) group.position.tell();
    this.inbox.closed = true;
    this.inbox.retention.close();
    for (const reader of this.readers) reader.end(error);
  }

  /** A snapshot, at this moment. */
  stats(): TopicStats {
    return {
      name: this.name,
      partitions: this.inbox.partitions.map(({ first, next, bytes }) => ({ first, next, bytes })),
      groups: [...this.groups.values()].map((group) => group.stats()),
    };
  }

  /** @internal It is deleted, with all that it holds and all who read it. */
  async remove(error: SluiceError): Promise<void> {
    const { inbox } = this;
    inbox.deleted = true;
    this.close(error);
    for (const group of this.groups.values()) group.dissolve(error);
    const logs = inbox.partitions.map(({ log }) => log);
    if (inbox.journal.lasting) {
      logs.push(sumsLogOf(this.name), ...[...this.groups.keys()].map((group) => groupLogOf(this.name, group)));
    }
    await inbox.journal.write(logs.map((log) => ({ type: 'remove', log })));
  }

  private least(of: (group: Group<any, Topic>) => number, otherwise: number): number {
    let least = Infinity;
    for (const group of this.groups.values()) least = Math.min(least, of(group));
    return this.groups.size === 0 ? otherwise : least;
  }

  private dropped(partitions: readonly Partition[]): void {
    this.inbox.trim(partitions);
    for (const group of this.groups.values()) for (const one of partitions) group.position.overtaken(one);
  }

  private checkHere(): void {
    if (this.gone !== undefined) throw this.gone;
  }
}

/** The shared position of its members in a topic; see its class. */
export const ConsumerGroup = Group;
export type ConsumerGroup<T = any> = Group<T, Topic<T, never>>;
