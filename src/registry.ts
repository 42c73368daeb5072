import { nextTurn } from './clock.js';
import { mismatch, unknown } from './declaration.js';
import { Burial } from './delivery/burial.js';
import type { Envelopes } from './delivery/intake/envelope.js';
import type { Head } from './delivery/head.js';
import type { Inbox } from './delivery/intake/inbox.js';
import type { GroupPosition } from './delivery/topic/group-position.js';
import { Intake } from './delivery/intake/intake.js';
import type { Journal } from './delivery/journal.js';
import { Post } from './delivery/intake/post.js';
import type { Engine } from './delivery/engine.js';
import { checkHandle, type Handle } from './destination.js';
import { SluiceError } from './errors.js';
import { Exchange, type ExchangeOptions } from './exchange.js';
import type { BindingArgument, RoutingHost, TopicHost } from './host.js';
import type { Death, RetryPolicy } from './message.js';
import { Queue } from './queue.js';
import type { QueueOptions } from './queue-options.js';
import { Topic } from './topic.js';
import type { TopicOptions } from './topic-options.js';
import type { Source } from './source.js';
import type { Awaitable } from './storage/storage.js';
import { Ways } from './ways.js';
import { Catalog } from './catalog.js';
import { declarationOf, declarations, groupDeclarationOf, Recovery, topicDeclarationOf } from './recovery.js';

export interface RegistryParts {
  readonly engine: Engine;
  readonly envelopes: Envelopes;
  readonly retry: RetryPolicy | undefined;
  /** For what survives as the storage does, and for what is never written to it. */
  readonly lasting: Journal;
  readonly volatile: Journal;
}

/**
 * The one namespace of a broker: what has which name, and the ways between. Queues, exchanges and topics are made and deleted
 * here, and find each other here.
 */
export class Registry implements RoutingHost<Exchange>, TopicHost<Topic> {
  readonly engine: Engine;
  readonly envelopes: Envelopes;
  readonly retry: RetryPolicy | undefined;
  readonly intake: Intake;
  readonly post: Post;
  readonly burial: Burial;
  private readonly parts: RegistryParts;
  private readonly catalog: Catalog;
  private readonly byName = new Map<string, Queue | Exchange | Topic>();
  readonly ways: Ways;

  constructor(parts: RegistryParts) {
    const { engine, envelopes } = parts;
    this.parts = parts;
    this.engine = engine;
    this.envelopes = envelopes;
    this.retry = parts.retry;
    this.catalog = new Catalog(parts.lasting, () =>
      declarations(this.queues, this.exchanges, this.topics, (...ends) => this.lasts(...ends)),
    );
    this.burial = new Burial(engine.clock, engine.events, engine.identities, {
      find: (to, head) => ({ inboxes: this.graves(to, head), exchange: this.byName.get(to) instanceof Exchange }),
      queue: (name) => this.lastResort(name),
    });
    this.intake = new Intake(
      engine.events,
      ({ inbox, head, body }) => this.queueOf(inbox).bounce({ head, body }),
      (head) => head.acceptedAt(engine.clock.now(), engine.identities.of(head)),
    );
    this.post = new Post(envelopes, this.intake, engine.agenda, engine.clock, (error) => engine.events.report(error));
    this.ways = new Ways(engine.events, (name) => this.targetOf(name));
  }

  get queues(): Queue[] {
    return this.all().filter((one) => one instanceof Queue);
  }
  get exchanges(): Exchange[] {
    return this.all().filter((one) => one instanceof Exchange);
  }

  get topics(): Topic[] {
    return this.all().filter((one) => one instanceof Topic);
  }
  private all(): (Queue | Exchange | Topic)[] {
    return [...this.byName.values()];
  }

  /** Everything that messages are taken from. */
  get sources(): Source[] {
    return [...this.queues, ...this.topics.flatMap((topic) => [...topic.groups.values()])];
  }

  /** @throws SluiceError ERR_DECLARATION_MISMATCH */
  queue(name: string, options: QueueOptions | undefined): Queue {
    const known = this.known(name, 'queue') as Queue | undefined;
    const queue = known ?? Queue.make(this, name, false);
    queue.declare(options);
    if (known === undefined) this.add(queue);
    if (known === undefined && options === undefined) this.declared(queue);
    return queue;
  }

  /** @throws SluiceError ERR_DECLARATION_MISMATCH */
  exchange(name: string, options: ExchangeOptions | undefined): Exchange {
    const known = this.known(name, 'exchange') as Exchange | undefined;
    const exchange = known ?? Exchange.make(this, name);
    if (known === undefined) this.add(exchange);
    try {
      exchange.declare(options);
    } catch (error) {
      if (known === undefined) this.byName.delete(name);
      throw error;
    }
    if (known === undefined && options === undefined) this.redeclared(exchange);
    return exchange;
  }

  /** @throws SluiceError ERR_DECLARATION_MISMATCH */
  topic(name: string, options: TopicOptions | undefined): Topic {
    const known = this.known(name, 'topic') as Topic | undefined;
    const topic = known ?? Topic.make(this, name);
    topic.declare(options);
    if (known === undefined) this.add(topic);
    if (known === undefined && options === undefined) this.topicDeclared(topic);
    return topic;
  }

  private known(name: string, kind: Handle['kind']): Handle | undefined {
    const known = this.byName.get(name);
    if (known === undefined || known.kind === kind) return known;
    const message = `${JSON.stringify(name)} is ${known.kind === 'exchange' ? 'an' : 'a'} ${known.kind}, and cannot be declared as ${kind}`;
    throw mismatch(message, { name, kind: known.kind });
  }

  private add(one: Queue | Exchange | Topic): void {
    this.byName.set(one.name, one);
    this.ways.changed();
  }

  /** Removes it with all that it holds, and the bindings to it. */
  async delete(name: string): Promise<void> {
    const one = this.byName.get(name);
    if (one === undefined) throw unknown(name);
    const error = new SluiceError('ERR_UNKNOWN_DESTINATION', `${one.kind} ${JSON.stringify(name)} was deleted`, {
      details: { name },
    });
    this.byName.delete(name);
    one.gone = error;
    for (const exchange of this.exchanges) exchange.forget(this.target(one));
    this.ways.changed();
    this.catalog.add({ is: 'deletion', name });
    if (one instanceof Exchange) return;
    this.intake.refuse(error, one.inbox);
    this.post.refuse(error, one.inbox);
    await one.remove(error);
  }

  find(name: string): Queue | Exchange | Topic | undefined {
    return this.byName.get(name);
  }

  queueNamed(name: string): Queue | undefined {
    const known = this.byName.get(name);
    if (known !== undefined) return known instanceof Queue ? known : undefined;
    const queue = Queue.make(this, name, true);
    this.add(queue);
    this.declared(queue);
    return queue;
  }

  own(handle: Handle): void {
    const one = handle as Queue | Exchange | Topic;
    if (one.gone !== undefined) throw one.gone;
    if (this.byName.get(handle.name) !== handle) {
      throw new TypeError(`${handle.kind} ${JSON.stringify(handle.name)} is not of this broker`);
    }
  }

  nameOf(destination: string | Handle): string {
    if (typeof destination !== 'string') {
      checkHandle(destination, 'the destination', 'a name');
      this.own(destination);
      return destination.name;
    }
    if (!this.byName.has(destination)) throw unknown(destination);
    return destination;
  }

  target(handle: Handle): Inbox | Exchange {
    const one = handle as Queue | Exchange | Topic;
    return one instanceof Exchange ? one : one.inbox;
  }

  private targetOf(name: string): Inbox | Exchange | undefined {
    const one = this.byName.get(name);
    return one === undefined ? undefined : this.target(one);
  }

  route(name: string, head: Head): readonly Inbox[] {
    const target = this.targetOf(name);
    if (target === undefined) return [];
    if (!(target instanceof Exchange)) return [target];
    return this.ways.from(target, head.routingKey ?? '', head.rare?.headers);
  }

  async revival(death: Death, head: Head): Promise<(() => Awaitable<void>) | undefined> {
    const [group, partition, offset] = [this.groupOf(death), death.partition!, death.offset!];
    const there = await group?.holds(partition, offset, this.engine.identities.of(head));
    return there === true ? () => group!.revive(partition, offset) : undefined;
  }

  private groupOf({ source, group }: Death): GroupPosition | undefined {
    const topic = this.byName.get(source);
    return topic instanceof Topic ? topic.groups.get(group!)?.position : undefined;
  }

  bound(exchange: Exchange, to: Inbox | Exchange, by: BindingArgument): void {
    this.ways.changed();
    if (this.lasts(exchange, to)) this.catalog.add({ is: 'binding', name: exchange.name, to: to.name, by });
  }

  unbound(exchange: Exchange, to: Inbox | Exchange, by: BindingArgument): void {
    this.ways.changed();
    if (this.lasts(exchange, to)) this.catalog.add({ is: 'unbinding', name: exchange.name, to: to.name, by });
  }

  redeclared(exchange: Exchange): void {
    this.ways.changed();
    if (exchange.durable) this.catalog.add(exchange.declaration());
  }

  declared(queue: Queue): void {
    if (queue.durable) this.catalog.add(declarationOf(queue));
  }

  topicDeclared(topic: Topic): void {
    if (topic.durable) this.catalog.add(topicDeclarationOf(topic));
  }

  groupDeclared(topic: Topic, name: string): void {
    if (topic.durable) this.catalog.add(groupDeclarationOf(topic, name));
  }

  groupDeleted(topic: Topic, name: string): void {
    if (topic.durable) this.catalog.add({ is: 'group-deletion', topic: topic.name, name });
  }

  /** Both ends of a binding are there after a restart. */
  private lasts(exchange: Exchange, to: Inbox | Exchange): boolean {
    return exchange.durable && (to instanceof Exchange ? to.durable : to.journal === this.parts.lasting);
  }

  /** Makes again what an earlier run left, before anybody asks for it. */
  async recover(logs: Iterable<string>): Promise<void> {
    const recovery = new Recovery(await this.catalog.read(), logs);
    const made = <One extends Queue | Exchange | Topic>(one: One): One => {
      this.byName.set(one.name, one);
      return one;
    };
    await recovery.restore({
      queue: (name, forDead) => made(Queue.make(this, name, forDead)),
      topic: (name) => made(Topic.make(this, name)),
      exchange: (name) => made(Exchange.make(this, name)),
      target: (name) => this.targetOf(name),
    });
    this.ways.changed();
    // What a group misses by that is told when somebody can have begun to listen.
    nextTurn(() => this.topics.forEach(({ inbox }) => inbox.retention.check()));
  }

  journal(durable: boolean): Journal {
    return durable ? this.parts.lasting : this.parts.volatile;
  }

  /** Every handle is refused from now on. */
  close(error: SluiceError): void {
    for (const one of [...this.all(), ...this.sources]) one.gone ??= error;
    for (const topic of this.topics) topic.close();
    this.intake.refuse(error);
    this.post.refuse(error);
  }

  private graves(to: string, head: Head): readonly Inbox[] {
    if (this.byName.has(to)) return this.route(to, head);
    return [this.queueNamed(to)!.inbox];
  }

  /** `<name>.dlq`, or, where an exchange has that name, the first free one behind it. */
  private lastResort(name: string): Inbox {
    return this.queueNamed(name)?.inbox ?? this.lastResort(`${name}.dlq`);
  }

  private queueOf(inbox: Inbox): Queue {
    return this.byName.get(inbox.name) as Queue;
  }
}
