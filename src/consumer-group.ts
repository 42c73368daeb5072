import { describe } from './arguments.js';
import { timeoutOf } from './consumer.js';
import { GROUP_DEFAULTS, type ConsumerGroupOptions } from './consumer-group-options.js';
import { checkSame, said } from './declaration.js';
import { bury, type Grave } from './delivery/burial.js';
import { dissolve } from './delivery/ending.js';
import { GroupPosition, type GroupOffsets } from './delivery/topic/group-position.js';
import type { Partition, Position } from './delivery/topic/partition.js';
import { DEFAULT_ATTEMPTS, policyOf } from './delivery/retry.js';
import type { Taken } from './delivery/taken.js';
import type { TopicInbox } from './delivery/topic/topic-inbox.js';
import { SluiceError } from './errors.js';
import type { Host } from './host.js';
import type { Delivery } from './message.js';
import { Queue } from './queue.js';
import { ACK_TIMEOUT } from './queue-options.js';
import { Source } from './source.js';
import type { Awaitable } from './storage/storage.js';
import { checkPartition, checkPlaced, checkPosition } from './topic-options.js';
import type { GroupStats } from './topic-stats.js';

/** Where in a topic a message is. */
export interface Located {
  readonly partition: number;
  readonly offset: number;
}

/** What a group asks of its topic. */
export interface GroupHome {
  readonly name: string;
  readonly inbox: TopicInbox;
  /** It is there, with these options now. */
  groupDeclared(name: string): void;
  /** It is not there any more. */
  groupDeleted(name: string): void;
}

/**
 * The shared position of its members in a topic. consume() adds a member, and partitions are shared out again; close() takes it
 * away. A failing message holds back its partition (or its key) until it is settled. Made by topic.group().
 */
export class ConsumerGroup<out T = any, out Topic = unknown> extends Source<Delivery<T> & Located> {
  /** @internal */
  readonly position: GroupPosition;
  /** @internal */
  options: ConsumerGroupOptions = {};
  protected timeout = ACK_TIMEOUT;
  readonly topic: Topic;
  private readonly home: GroupHome;
  private defined = false;
  /** In this run, and nobody has moved it since. */
  private begun = false;

  private constructor(host: Host, topic: Topic & GroupHome, name: string) {
    const position: GroupPosition = new GroupPosition(host.engine, topic.inbox, name, (taken, ...death) =>
      bury(host, this.graveOf(taken), taken, ...death),
    );
    super(name, host, position.subscription);
    this.position = position;
    this.topic = topic;
    this.home = topic;
    this.configure({});
  }

  /** @internal */
  static make<Topic>(host: Host, topic: Topic & GroupHome, name: string): ConsumerGroup<any, Topic> {
    return new ConsumerGroup(host, topic, name);
  }

  /**
   * @internal What a declaration says: the first with options defines, later ones have to agree.
   * @throws SluiceError ERR_DECLARATION_MISMATCH; TypeError, RangeError
   */
  declare(options: ConsumerGroupOptions | undefined): void {
    if (options === undefined) return;
    if (typeof options.deadLetter === 'object') this.host.own(options.deadLetter);
    if (this.defined) {
      const retry = { attempts: DEFAULT_ATTEMPTS, ...this.host.retry, ...this.options.retry };
      const effective = { ...GROUP_DEFAULTS, deadLetter: this.lastResort, ...this.options, retry };
      return checkSame(`group ${describe(this.name)} of topic ${describe(this.home.name)}`, effective, options);
    }
    this.configure(options);
    this.position.membership.rebalance();
    this.defined = true;
    // A handle that came before did not say where it begins; who reads already, or was moved, has begun.
    const unread = this.position.membership.size === 0 && this.subscription.stock.books.delivered === 0;
    if (this.begun && unread && options.from !== undefined) this.begin();
    this.home.groupDeclared(this.name);
  }

  private configure(options: ConsumerGroupOptions): void {
    const { host, subscription } = this;
    const { membership } = this.position;
    this.options = { ...said(options), ...(options.retry && { retry: said(options.retry) }) };
    this.timeout = timeoutOf(options.ackTimeout, ACK_TIMEOUT);
    subscription.policy = policyOf(
      [host.retry, options.retry],
      { buries: options.deadLetter !== false, buriesOverflow: false },
      (error) => subscription.report(error),
    );
    subscription.stock.arrange(options.ordering ?? GROUP_DEFAULTS.ordering);
    membership.assignor = options.assignor ?? GROUP_DEFAULTS.assignor;
  }

  /** @internal Begins where its options say, and follows the topic. */
  begin(): void {
    this.begun = true;
    this.position.start(this.beginning);
  }

  private readonly beginning = (partition: Partition): Awaitable<number> =>
    partition.locate(this.options.from ?? GROUP_DEFAULTS.from);

  /** @internal As an earlier run left it. */
  async recover(options: ConsumerGroupOptions): Promise<void> {
    this.configure(options);
    await this.position.recover(this.beginning);
  }

  /** Where its failed messages go, when that is a queue: typed, for peek, consume and redrive. */
  get deadLetters(): Queue<T, never> | undefined {
    const { deadLetter = this.lastResort } = this.options;
    if (deadLetter === false) return undefined;
    const queue = this.graveNamed(typeof deadLetter === 'object' ? deadLetter.name : deadLetter);
    return queue instanceof Queue ? queue : undefined;
  }

  private get lastResort(): string {
    return `${this.home.name}.${this.name}.dlq`;
  }

  private graveOf({ cursor, offset }: Taken): Grave {
    const { deadLetter = this.lastResort } = this.options;
    return {
      source: this.home.name,
      of: { group: this.name, partition: cursor.number, offset },
      lastResort: this.lastResort,
      to: typeof deadLetter === 'object' ? deadLetter.name : deadLetter,
      routingKey: undefined,
    };
  }

  /** Per partition: the next offset that is not settled, the end of the log, the distance, and who has it. */
  offsets(): readonly GroupOffsets[] {
    return this.position.offsets();
  }

  /**
   * Moves the group in one partition or all: signals of what is in hand abort, and settling it returns false; what is there is
   * delivered anew, attempts counted from 1. A number needs a partition (TypeError) and is clamped to what the log holds.
   * Resolves when the new position is stored.
   * @throws TypeError, RangeError; SluiceError ERR_CLOSED, ERR_UNKNOWN_DESTINATION
   */
  async seek(position: Position, partition?: number): Promise<void> {
    const { partitions } = this.home.inbox;
    checkPosition(position, 'seek(position)');
    checkPlaced(position, partition, 'seek(position)');
    checkPartition(partition, 'seek(partition)', partitions.length);
    this.checkHere();
    // From now on nobody who declares it lets it begin elsewhere.
    this.begun = false;
    await this.position.started;
    const numbers = partition === undefined ? partitions.map(({ number }) => number) : [partition];
    const offsets = await Promise.all(numbers.map(async (number) => partitions[number]!.locate(position)));
    this.checkHere();
    const reason = new SluiceError('ERR_SETTLED', `group ${describe(this.name)} was moved: it is delivered anew`);
    numbers.forEach((number, n) => this.position.move(partitions[number]!, offsets[n]!, reason));
    await this.position.stored();
  }

  /**
   * Forgets the group and its position. Its handle is of no use then: ERR_UNKNOWN_DESTINATION.
   * @throws SluiceError ERR_IN_USE while it has members
   */
  async delete(): Promise<void> {
    this.checkHere();
    const { name, home: topic } = this;
    const { size } = this.position.membership;
    const details = { topic: topic.name, group: name };
    if (size > 0) {
      const message = `group ${describe(name)} of topic ${describe(topic.name)} has members (${size}): close them first`;
      throw new SluiceError('ERR_IN_USE', message, { details });
    }
    topic.groupDeleted(name);
    this.dissolve(new SluiceError('ERR_UNKNOWN_DESTINATION', `group ${describe(name)} was deleted`, { details }));
    await this.position.remove();
  }

  /** @internal Nobody gets anything from it any more. */
  dissolve(error: SluiceError): void {
    this.gone = error;
    this.home.inbox.followers.delete(this.position);
    this.stopPulling(error);
    dissolve(this.subscription, error);
  }

  /** A snapshot, at this moment. */
  stats(): GroupStats {
    const { unacked, delivered, acked, retried, deadLettered, dropped } = this.subscription.stock.books;
    const lag = this.offsets().reduce((sum, one) => sum + one.lag, 0);
    const members = this.position.membership.size;
    const { name, home: topic } = this;
    const delayed = this.subscription.stock.cursors.reduce((sum, { returned }) => sum + returned.deferred.size, 0);
    return {
      name,
      topic: topic.name,
      members,
      lag,
      unacked,
      delayed,
      delivered,
      acked,
      retried,
      deadLettered,
      dropped,
    };
  }
}
