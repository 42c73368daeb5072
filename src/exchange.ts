import { checkBoolean, checkName, checkOneOf, checkOptions, describe } from './arguments.js';
import { checkSame, said } from './declaration.js';
import { checkMessageOptions, checkText, MESSAGE_OPTIONS, once } from './delivery/intake/envelope.js';
import type { Inbox } from './delivery/intake/inbox.js';
import { checkHandle, type Handle } from './destination.js';
import { SluiceError } from './errors.js';
import type { RoutingHost } from './host.js';
import type { Headers, MessageOptions, Receipt } from './message.js';
import type { Queue } from './queue.js';
import type { Topic } from './topic.js';
import { BindingTable, type ExchangeType } from './routing/binding-table.js';
import type { HeadersMatch } from './routing/headers-match.js';
import type { Matching } from './routing/matching.js';

/** Anything that takes messages, as a handle or by name. */
export type Destination = Queue<any, any> | Topic<any, any> | Exchange<any>;

/** Routing key → body type, for a typed exchange: `broker.exchange<{ 'order.created': Order }>('events')`. A type or an interface. */
export type Messages<M> = { [K in keyof M]: unknown };
export type AnyMessages = Record<string, any>;

/** The keys whose body `D` cannot take. */
type Refused<M, K extends keyof M, D> = K extends unknown
  ? D extends Queue<any, infer I>
    ? [M[K]] extends [I]
      ? never
      : K
    : D extends Topic<any, infer I>
      ? [M[K]] extends [I]
        ? never
        : K
      : D extends Exchange<infer N>
        ? K extends keyof N
          ? [M[K]] extends [N[K]]
            ? never
            : K
          : string extends keyof N
            ? never
            : K
        : never
  : never;

/** never when the binding is sound; else the compiler's message. Of several patterns each has to be. */
type BindProblem<M, P extends string, D> = string extends keyof M
  ? never
  : P extends unknown
    ? [Matching<M, P>] extends [never]
      ? `no routing key matches '${P}'`
      : [Refused<M, Matching<M, P> & keyof M, D>] extends [never]
        ? never
        : `the destination cannot take the body of '${Refused<M, Matching<M, P> & keyof M, D> & string}'`
    : never;

export interface ExchangeOptions {
  /** Default `topic`. */
  readonly type?: ExchangeType | undefined;
  /**
   * true (default): it, and its bindings to durable queues, topics and exchanges, are there again after a restart before
   * anybody declares them, so that what is published early finds its queues. A binding goes by unbind(), or with one of its ends.
   */
  readonly durable?: boolean | undefined;
  /** Takes what this exchange cannot route. */
  readonly alternate?: string | Handle | undefined;
  /** Takes messages from other exchanges only; publish() rejects with ERR_INTERNAL_EXCHANGE. */
  readonly internal?: boolean | undefined;
  /** Deleted with its last binding, not before its first. */
  readonly autoDelete?: boolean | undefined;
}

export interface PublishOptions extends MessageOptions {
  /** Rejects with ERR_UNROUTABLE where nobody takes it. Default false. */
  readonly mandatory?: boolean | undefined;
}

export interface ExchangeStats {
  readonly name: string;
  readonly type: string;
  readonly bindings: number;
  readonly published: number;
  readonly unroutable: number;
}

const OPTIONS = new Set<keyof ExchangeOptions>(['type', 'durable', 'alternate', 'internal', 'autoDelete']);
const TYPES = ['direct', 'fanout', 'topic', 'headers'] as const;
const PUBLISH = new Set<string>([...MESSAGE_OPTIONS, 'mandatory']);
const DEFAULTS = {
  type: 'topic',
  durable: true,
  internal: false,
  autoDelete: false,
} as const satisfies ExchangeOptions;
/** AMQP's short string, in UTF-16 code units; patterns, too. */
const LONGEST_ROUTING_KEY = 255;
const NO_HEADERS: Headers = Object.freeze({});

/** @throws TypeError, RangeError */
export function checkExchangeOptions(options: ExchangeOptions | undefined): void {
  checkOptions(options, 'exchange options', OPTIONS);
  if (options === undefined) return;
  const { type, alternate } = options;
  if (type !== undefined) checkOneOf(type, 'type', TYPES);
  for (const name of ['durable', 'internal', 'autoDelete'] as const) {
    if (options[name] !== undefined) checkBoolean(options[name], name);
  }
  if (typeof alternate === 'string') checkName(alternate, 'alternate');
  else if (alternate !== undefined) checkHandle(alternate, 'alternate', 'a name');
}

/** Holds nothing; forwards by routing key or headers, by RabbitMQ's rules. Made by broker.exchange(). */
export class Exchange<in out M extends Messages<M> = any> implements Handle {
  readonly name: string;
  readonly kind = 'exchange';
  /** @internal */
  gone: SluiceError | undefined;
  /** @internal */
  table = new BindingTable<Inbox | Exchange>('topic');
  /** @internal */
  options: ExchangeOptions = {};
  private readonly host: RoutingHost<Exchange>;
  private defined = false;
  private published = 0;
  private lost = 0;
  private constructor(host: RoutingHost<Exchange>, name: string) {
    this.host = host;
    this.name = name;
  }

  /** @internal */
  static make(host: RoutingHost<Exchange>, name: string): Exchange {
    return new Exchange(host, name);
  }

  /**
   * @internal What a declaration says: the first with options defines, later ones have to agree.
   * @throws SluiceError ERR_DECLARATION_MISMATCH
   */
  declare(options: ExchangeOptions | undefined): void {
    if (options === undefined) return;
    const { alternate, type = 'topic' } = options;
    if (typeof alternate === 'object') this.host.own(alternate);
    const what = `exchange ${JSON.stringify(this.name)}`;
    if (this.defined) return checkSame(what, { ...DEFAULTS, ...this.options }, options);
    if (type !== this.table.type) {
      if (this.table.size > 0) checkSame(`${what} has bindings and`, { type: this.table.type }, { type });
      this.table = new BindingTable(type);
    }
    this.options = said(options);
    this.defined = true;
    this.host.redeclared(this);
  }

  /**
   * To every bound destination that matches, each once, in one atomic write. Unroutable: the alternate takes it;
   * else `mandatory` rejects with ERR_UNROUTABLE; else the receipt's destinations are empty and `unroutable` is emitted.
   * Rejects as Queue.send() does, and with ERR_INTERNAL_EXCHANGE.
   */
  publish<K extends keyof M & string>(routingKey: K, body: M[K], options?: PublishOptions): Promise<Receipt> {
    try {
      this.checkHere();
      checkText(routingKey, 'routingKey', 0, LONGEST_ROUTING_KEY);
      const given = once(options);
      checkMessageOptions(given, 'publish() options', PUBLISH);
      if (given?.mandatory !== undefined) checkBoolean(given.mandatory, 'publish() options.mandatory');
      if (this.options.internal === true) {
        throw new SluiceError(
          'ERR_INTERNAL_EXCHANGE',
          `exchange ${JSON.stringify(this.name)} takes messages from other exchanges only`,
        );
      }
      const inboxes = this.host.ways.from(this, routingKey, given?.headers);
      if (inboxes.length === 0) return this.unroutable(routingKey, body, given);
      const { post, ways } = this.host;
      const only = ways.only(inboxes);
      const sent =
        only === undefined ? post.send(inboxes, body, given, routingKey) : post.sendTo(only, body, given, routingKey);
      this.published++;
      if (given !== undefined || only?.atOnce !== true) sent.catch(() => this.published--);
      return sent;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  private unroutable(routingKey: string, body: unknown, options: PublishOptions | undefined): Promise<Receipt> {
    if (options?.mandatory === true) {
      throw new SluiceError(
        'ERR_UNROUTABLE',
        `exchange ${JSON.stringify(this.name)} has no destination for ${describe(routingKey)}`,
        {
          details: { exchange: this.name, routingKey },
        },
      );
    }
    return this.host.post.send([], body, options, routingKey).then((receipt) => {
      this.published++;
      this.lost++;
      this.host.ways.unroutable(this, routingKey, options?.headers ?? NO_HEADERS, receipt.id);
      return receipt;
    });
  }

  /**
   * direct: a routing key. topic: words split at '.', '*' is one word, '#' any number, none included. headers: a HeadersMatch.
   * fanout: nothing. Anything else for the type throws TypeError. The same binding twice is one binding.
   * On a typed exchange this does not compile where the destination cannot take the body of every key that matches, or none does.
   * @throws SluiceError ERR_BINDING_CYCLE, ERR_UNKNOWN_DESTINATION, ERR_CLOSED; TypeError
   */
  bind<D extends Destination, P extends string>(
    destination: D,
    pattern: BindProblem<M, P, D> extends infer E extends string ? ([E] extends [never] ? P : E) : never,
  ): this;
  bind<D extends Destination>(
    destination: [BindProblem<M, '#', D>] extends [never] ? D : never,
    match?: HeadersMatch,
  ): this;
  bind(destination: Handle, argument?: string | HeadersMatch): this {
    const target = this.target(destination);
    if (target instanceof Exchange && this.host.ways.closesCycle(this, target)) {
      throw new SluiceError(
        'ERR_BINDING_CYCLE',
        `binding exchange ${JSON.stringify(target.name)} to ${JSON.stringify(this.name)} would let messages run in a circle`,
        { details: { exchange: this.name, destination: target.name } },
      );
    }
    if (typeof argument === 'string') checkText(argument, 'the pattern of a binding', 0, LONGEST_ROUTING_KEY);
    if (this.table.bind(target, argument)) this.host.bound(this, target, argument);
    return this;
  }

  unbind(destination: Destination, pattern?: string | HeadersMatch): this {
    const target = this.target(destination);
    if (!this.table.unbind(target, pattern)) return this;
    this.host.unbound(this, target, pattern);
    this.goWithLastBinding();
    return this;
  }

  /** In the order of binding. */
  bindings(): readonly {
    readonly destination: string;
    readonly pattern?: string | undefined;
    readonly match?: HeadersMatch | undefined;
  }[] {
    this.checkHere();
    return this.table.list().map((binding) => ({ ...binding, destination: binding.destination.name }));
  }

  /** @internal As an earlier run left it. */
  recover(options: ExchangeOptions): void {
    this.options = options;
    this.table = new BindingTable(options.type ?? 'topic');
  }

  /** @internal It is there after a restart. */
  get durable(): boolean {
    return this.options.durable !== false;
  }

  /** @internal As the catalog keeps it. */
  declaration(): { readonly is: 'exchange'; readonly name: string; readonly options: ExchangeOptions } {
    const { alternate, ...rest } = this.options;
    const plain = typeof alternate === 'object' ? alternate.name : alternate;
    return { is: 'exchange', name: this.name, options: { ...rest, alternate: plain } };
  }

  /** @internal The destination is gone. */
  forget(destination: Inbox | Exchange): void {
    if (this.table.unbindAll(destination) > 0) this.goWithLastBinding();
  }

  /** @internal */
  stats(): ExchangeStats {
    const { type, size } = this.table;
    return { name: this.name, type, bindings: size, published: this.published, unroutable: this.lost };
  }

  private goWithLastBinding(): void {
    if (this.options.autoDelete !== true || this.table.size > 0) return;
    this.host.delete(this.name).catch((error: unknown) => this.host.engine.events.report(error));
  }

  private target(destination: unknown): Inbox | Exchange {
    this.checkHere();
    checkHandle(destination, 'the destination of a binding');
    this.host.own(destination);
    return this.host.target(destination);
  }

  private checkHere(): void {
    if (this.gone !== undefined) throw this.gone;
  }
}
