import { describe } from './arguments.js';
import { mismatch } from './declaration.js';
import { Burial } from './delivery/burial.js';
import type { Envelopes } from './delivery/envelope.js';
import type { Head } from './delivery/head.js';
import type { Inbox } from './delivery/inbox.js';
import { Intake } from './delivery/intake.js';
import type { Journal } from './delivery/journal.js';
import { Post } from './delivery/post.js';
import type { Engine } from './delivery/engine.js';
import { checkHandle, type Handle } from './destination.js';
import { SluiceError } from './errors.js';
import { Exchange, type ExchangeOptions } from './exchange.js';
import type { BindingArgument, RoutingHost } from './host.js';
import type { Headers, RetryPolicy } from './message.js';
import { Queue } from './queue.js';
import type { QueueOptions } from './queue-options.js';
import { Router } from './routing/router.js';
import { Catalog } from './catalog.js';
import { declarationOf, declarations, Recovery } from './recovery.js';

const NO_HEADERS: Headers = Object.freeze({});

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
export class Registry implements RoutingHost<Exchange> {
  readonly engine: Engine;
  readonly envelopes: Envelopes;
  readonly retry: RetryPolicy | undefined;
  readonly intake: Intake;
  readonly post: Post;
  readonly burial: Burial;
  private readonly parts: RegistryParts;
  private readonly catalog: Catalog;
  private readonly byName = new Map<string, Queue | Exchange>();
  private readonly router: Router<Inbox | Exchange, Exchange>;
  /** Alternates that nothing has the name of: said once each. */
  private readonly missed = new Set<string>();

  constructor(parts: RegistryParts) {
    const { engine, envelopes } = parts;
    this.parts = parts;
    this.engine = engine;
    this.envelopes = envelopes;
    this.retry = parts.retry;
    this.catalog = new Catalog(parts.lasting, () =>
      declarations(this.queues, this.exchanges, (...ends) => this.lasts(...ends)),
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
    this.router = new Router<Inbox | Exchange, Exchange>({
      isExchange: (destination) => destination instanceof Exchange,
      match: (exchange, routingKey, headers) => exchange.table.match(routingKey, headers),
      readsHeaders: (exchange) => exchange.table.type === 'headers',
      alternate: (exchange) => this.alternate(exchange),
      bound: (exchange) => exchange.table.destinations(),
    });
  }

  get queues(): Queue[] {
    return [...this.byName.values()].filter((one) => one instanceof Queue);
  }
  get exchanges(): Exchange[] {
    return [...this.byName.values()].filter((one) => one instanceof Exchange);
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

  private known(name: string, kind: Handle['kind']): Handle | undefined {
    const known = this.byName.get(name);
    if (known === undefined || known.kind === kind) return known;
    const message = `${JSON.stringify(name)} is ${known.kind === 'exchange' ? 'an exchange' : 'a queue'}, and cannot be declared as ${kind}`;
    throw mismatch(message, { name, kind: known.kind });
  }

  private add(one: Queue | Exchange): void {
    this.byName.set(one.name, one);
    this.router.changed();
  }

  /** Removes it with all that it holds, and the bindings to it. */
  async delete(name: string): Promise<void> {
    const one = this.byName.get(name);
    if (one === undefined) throw this.unknown(name);
    const error = new SluiceError('ERR_UNKNOWN_DESTINATION', `${one.kind} ${JSON.stringify(name)} was deleted`, {
      details: { name },
    });
    this.byName.delete(name);
    one.gone = error;
    const target = one instanceof Queue ? one.inbox : one;
    for (const exchange of this.exchanges) exchange.forget(target);
    this.router.changed();
    this.catalog.add({ is: 'deletion', name });
    if (!(one instanceof Queue)) return;
    this.intake.refuse(error, one.inbox);
    this.post.refuse(error, one.inbox);
    await one.remove(error);
  }

  find(name: string): Queue | Exchange | undefined {
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
    const one = handle as Queue | Exchange;
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
    if (!this.byName.has(destination)) throw this.unknown(destination);
    return destination;
  }

  target(handle: Handle): Inbox | Exchange {
    const one = handle as Queue | Exchange;
    return one instanceof Queue ? one.inbox : one;
  }

  route(name: string, head: Head): readonly Inbox[] {
    const one = this.byName.get(name);
    if (one instanceof Queue) return [one.inbox];
    if (one === undefined) return [];
    return this.routeFrom(one, head.routingKey ?? '', head.rare?.headers ?? NO_HEADERS);
  }

  routeFrom(exchange: Exchange, routingKey: string, headers: Headers): readonly Inbox[] {
    return this.router.route(exchange, routingKey, headers) as readonly Inbox[];
  }

  unroutable(exchange: Exchange, routingKey: string, headers: Headers, id: string): void {
    const { events } = this.engine;
    if (!events.heard.unroutable) return;
    for (const { name } of this.router.walk(exchange, routingKey, headers).unroutable) {
      events.emit('unroutable', { exchange: name, routingKey, id });
    }
  }

  closesCycle(from: Exchange, to: Exchange): boolean {
    return this.router.closesCycle(from, to);
  }

  bound(exchange: Exchange, to: Inbox | Exchange, by: BindingArgument): void {
    this.router.changed();
    if (this.lasts(exchange, to)) this.catalog.add({ is: 'binding', name: exchange.name, to: to.name, by });
  }

  unbound(exchange: Exchange, to: Inbox | Exchange, by: BindingArgument): void {
    this.router.changed();
    if (this.lasts(exchange, to)) this.catalog.add({ is: 'unbinding', name: exchange.name, to: to.name, by });
  }

  redeclared(exchange: Exchange): void {
    this.router.changed();
    if (exchange.durable) this.catalog.add(exchange.declaration());
  }

  declared(queue: Queue): void {
    if (queue.durable) this.catalog.add(declarationOf(queue));
  }

  /** Both ends of a binding are there after a restart. */
  private lasts(exchange: Exchange, to: Inbox | Exchange): boolean {
    return exchange.durable && (to instanceof Exchange ? to.durable : this.queueOf(to).durable);
  }

  /** Makes again what an earlier run left, before anybody asks for it. */
  async recover(logs: Iterable<string>): Promise<void> {
    const recovery = new Recovery(await this.catalog.read(), logs);
    for (const { name, options, forDead, levels } of recovery.queues()) {
      const queue = Queue.make(this, name, forDead);
      this.byName.set(name, queue);
      await queue.recover(options, levels);
    }
    for (const { name, options } of recovery.exchanges()) {
      const exchange = Exchange.make(this, name);
      this.byName.set(name, exchange);
      exchange.recover(options);
    }
    for (const { name, to, by } of recovery.bindings()) {
      const [exchange, target] = [this.byName.get(name), this.byName.get(to)];
      if (exchange instanceof Exchange && target !== undefined) exchange.table.bind(this.target(target), by);
    }
    this.router.changed();
  }

  journal(durable: boolean): Journal {
    return durable ? this.parts.lasting : this.parts.volatile;
  }

  /** Every handle is refused from now on. */
  close(error: SluiceError): void {
    for (const one of this.byName.values()) one.gone ??= error;
    this.intake.refuse(error);
    this.post.refuse(error);
  }

  private alternate(exchange: Exchange): Inbox | Exchange | undefined {
    const { alternate } = exchange.options;
    if (alternate === undefined) return undefined;
    const name = typeof alternate === 'string' ? alternate : alternate.name;
    const one = this.byName.get(name);
    if (one !== undefined) return this.target(one);
    if (!this.missed.has(name)) {
      this.missed.add(name);
      const message = `exchange ${JSON.stringify(exchange.name)} has an alternate ${JSON.stringify(name)}, and nothing has that name`;
      this.engine.events.emit('warning', {
        code: 'UNKNOWN_ALTERNATE',
        message,
        details: { exchange: exchange.name, alternate: name },
      });
    }
    return undefined;
  }

  private graves(to: string, head: Head): readonly Inbox[] {
    if (this.byName.get(to) instanceof Exchange) return this.route(to, head);
    return [this.queueNamed(to)!.inbox];
  }

  /** `<name>.dlq`, or, where an exchange has that name, the first free one behind it. */
  private lastResort(name: string): Inbox {
    return this.queueNamed(name)?.inbox ?? this.lastResort(`${name}.dlq`);
  }

  private queueOf(inbox: Inbox): Queue {
    return this.byName.get(inbox.name) as Queue;
  }

  private unknown(name: string): SluiceError {
    return new SluiceError('ERR_UNKNOWN_DESTINATION', `nothing has the name ${describe(name)}`, { details: { name } });
  }
}
