import { checkFunction, checkInteger, checkOptions, describe } from './arguments.js';
import type { Consumer } from './consumer.js';
import { timeoutOf } from './consumer.js';
import { checkByteLimit } from './codec.js';
import { checkSame, mismatch, said } from './declaration.js';
import { bounce, bury, type DeadLetter, type Grave } from './delivery/burial.js';
import type { LogEntry } from './delivery/cursor/buffer.js';
import { dissolve } from './delivery/ending.js';
import { checkMessageOptions, MESSAGE_OPTIONS, once } from './delivery/intake/envelope.js';
import { QueueInbox } from './delivery/intake/queue-inbox.js';
import { restore } from './delivery/cursor/cursor-recovery.js';
import { cursorLogOf } from './delivery/log-names.js';
import { oldestTime } from './delivery/oldest.js';
import { peek } from './delivery/peek.js';
import { redrive } from './delivery/redrive.js';
import { DEFAULT_ATTEMPTS, policyOf } from './delivery/retry.js';
import { Subscription } from './delivery/subscription.js';
import type { Handle } from './destination.js';
import { milliseconds } from './duration.js';
import type { SluiceError } from './errors.js';
import type { Host } from './host.js';
import type { Delivery, Message, MessageOptions, Receipt } from './message.js';
import { ACK_TIMEOUT, DEFAULTS, FOR_DEAD_LETTERS, isDurable, type QueueOptions } from './queue-options.js';
import type { QueueStats } from './queue-stats.js';
import { Source } from './source.js';
import { parse } from './standard-schema.js';

const SEND = new Set<string>(MESSAGE_OPTIONS);
const SEND_MANY = new Set<string>([...MESSAGE_OPTIONS, 'body']);
const REDRIVE = new Set(['to', 'limit', 'filter']);

/** Holds messages until one consumer settles each of them. Made by broker.queue(). */
export class Queue<out T = any, in I = T> extends Source<Delivery<T>> implements Handle {
  readonly kind = 'queue';
  /** @internal */
  readonly inbox: QueueInbox;
  /** @internal Somebody asked for it in this run. */
  declared = false;
  /** @internal */
  options!: QueueOptions;
  /** @internal Its options as they were given. */
  given: QueueOptions = {};
  protected timeout = ACK_TIMEOUT;
  /** Options were given in this run. */
  private defined = false;
  /** Made because dead letters had to go somewhere. */
  readonly madeForDead: boolean;
  private recovered = false;

  private constructor(host: Host, name: string, madeForDead: boolean) {
    const subscription: Subscription = new Subscription(host.engine, {
      name,
      policy: policyOf([], { buries: false, buriesOverflow: false }, () => undefined),
      bury: (taken, ...death) => bury(host, this.grave, taken, ...death),
      relieved: () => host.intake.advance(),
      loaded: () => this.inbox.loaded(),
    });
    super(name, host, subscription);
    this.madeForDead = madeForDead;
    this.inbox = new QueueInbox(name, subscription);
    this.configure({});
  }

  /** @internal */
  static make(host: Host, name: string, madeForDead: boolean): Queue {
    return new Queue(host, name, madeForDead);
  }

  /**
   * @internal What a declaration says: the first with options defines, later ones have to agree.
   * @throws SluiceError ERR_DECLARATION_MISMATCH; TypeError
   */
  declare(options: QueueOptions | undefined): void {
    if (options === undefined) {
      this.declared = true;
      return;
    }
    if (this.defined) {
      checkSame(`queue ${JSON.stringify(this.name)}`, this.effective, options);
    } else {
      this.checkAdoptable(options);
      this.configure(options);
      this.defined = true;
      this.host.declared(this);
    }
    this.declared = true;
  }

  /** Its options, with what holds where nothing is said. */
  private get effective(): QueueOptions {
    const retry = { attempts: DEFAULT_ATTEMPTS, ...this.host.retry, ...this.options.retry };
    return { ...DEFAULTS, deadLetter: `${this.name}.dlq`, ...this.options, retry };
  }

  /** @internal As an earlier run left it. */
  async recover(options: QueueOptions, levels: number): Promise<void> {
    this.recovered = true;
    // One level is not said: what nobody gave options to may be a queue for dead letters.
    const priorities = Math.max(levels, options.priorities ?? 1);
    this.configure(priorities > 1 ? { ...options, priorities } : options);
    const { stock } = this.subscription;
    const { journal } = this.inbox;
    const log = cursorLogOf(this.name);
    this.subscription.recovered(await restore(stock, journal, log, journal.rangeOf(log).first));
  }

  /** @internal It, and what it holds, is there after a restart. */
  get durable(): boolean {
    return isDurable(this.options);
  }

  private checkAdoptable(options: QueueOptions): void {
    const { books, cursors } = this.subscription.stock;
    if (books.ready + books.delayed + books.unacked === 0 && !this.inbox.awaits) return;
    const where = `queue ${JSON.stringify(this.name)} holds messages`;
    if (isDurable(options) !== isDurable(this.options))
      throw mismatch(`${where}: durable cannot change`, { option: 'durable' });
    // Across runs the code wins: levels that an earlier run had go when they are empty.
    if (!this.recovered && (options.priorities ?? 1) < cursors.length)
      throw mismatch(`${where}: priorities cannot shrink`, { option: 'priorities' });
  }

  private configure(given: QueueOptions): void {
    const { host, name, subscription, inbox } = this;
    const forDead = !this.namesOptions(given) && (this.madeForDead || name.endsWith('.dlq'));
    const options = forDead ? FOR_DEAD_LETTERS : given;
    const {
      maxLength = Infinity,
      maxBytes = Infinity,
      overflow = 'reject',
      ordering = 'none',
      schema,
      deadLetter,
    } = options;
    checkByteLimit(host.envelopes.codec, maxBytes, 'maxBytes', 'maxLength');
    if (deadLetter !== undefined && typeof deadLetter === 'object') host.own(deadLetter);
    this.given = given;
    this.options = { ...said(options), ...(options.retry && { retry: said(options.retry) }) };
    this.timeout = timeoutOf(options.ackTimeout, ACK_TIMEOUT);
    inbox.limit({ maxLength, maxBytes, overflow });
    const check =
      schema === undefined ? undefined : (body: unknown) => parse(schema, body, `queue ${JSON.stringify(name)}`);
    inbox.validate = check;
    subscription.contents.parse = check;
    inbox.lay(host.journal(isDurable(options)), options.priorities ?? 1);
    subscription.policy = policyOf(
      [host.retry, options.retry],
      {
        buries: deadLetter !== false,
        buriesOverflow:
          overflow === 'drop-head' ? deadLetter !== undefined && deadLetter !== false : deadLetter !== false,
      },
      (error) => subscription.report(error),
    );
    subscription.roster.exclusive = options.singleActiveConsumer ?? false;
    subscription.stock.arrange(ordering);
    subscription.stock.expiry.limit(options.ttl === undefined ? undefined : milliseconds(options.ttl, 'ttl'));
  }

  private namesOptions(options: QueueOptions): boolean {
    return Object.values(options).some((value) => value !== undefined);
  }

  /** Where its failed messages go, when that is a queue: typed, for peek, consume and redrive. */
  get deadLetters(): Queue<T, never> | undefined {
    const { grave } = this;
    if (grave.to === false) return undefined;
    const queue = this.graveNamed(grave.to);
    return queue instanceof Queue ? queue : undefined;
  }

  /**
   * Resolves once stored as durably as the storage promises: the publisher's confirm.
   * @throws SluiceError ERR_QUEUE_FULL, ERR_VALIDATION, ERR_NOT_SERIALIZABLE, ERR_MESSAGE_TOO_LARGE, ERR_ABORTED, ERR_CLOSED,
   * ERR_UNKNOWN_DESTINATION, ERR_STORAGE_FULL, ERR_STORAGE_FAILED; TypeError, RangeError. Nothing is stored then.
   */
  send(body: I, options?: MessageOptions): Promise<Receipt> {
    try {
      this.checkHere();
      const given = once(options);
      checkMessageOptions(given, 'send() options', SEND);
      return this.host.post.sendTo(this.inbox, body, given, undefined);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** All or none, in one write. Rejects as send() does. */
  sendMany(messages: readonly (MessageOptions & { readonly body: I })[]): Promise<Receipt[]> {
    try {
      this.checkHere();
      if (!Array.isArray(messages)) {
        throw new TypeError(`sendMany() takes an array of { body, …options }; got ${describe(messages)}`);
      }
      // from(), since map() would pass over holes.
      const sendings = Array.from(messages as readonly unknown[], (message, n) => {
        if (message === undefined) throw new TypeError(`sendMany()[${n}] must be an object; got undefined`);
        const given = once(message as MessageOptions & { readonly body: I });
        checkMessageOptions(given, `sendMany()[${n}]`, SEND_MANY);
        return { body: given.body, options: given };
      });
      return this.host.post.sendMany(this.inbox, sendings);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Looks at ready and delayed messages without taking them, oldest first. Reads `limit` (default 100) of them from the storage. */
  async peek(limit = 100): Promise<Message<T>[]> {
    checkInteger(limit, 'peek(limit)', 0);
    this.checkHere();
    const found = await peek(this.subscription, limit, this.host.engine.codecs);
    return found as Message<T>[];
  }

  /** Removes ready and delayed messages; resolves with how many, once that is as durable as an acknowledgement. */
  async purge(): Promise<number> {
    this.checkHere();
    return this.subscription.purge();
  }

  /**
   * Moves ready messages out of this queue, oldest first, to where they last died, or to `to`, attempts counted from 0 again; each move
   * atomic, each message looked at once. Without `to`, what never died, or whose source is gone, stays. Resolves with how many
   * moved.
   * @throws SluiceError ERR_UNKNOWN_DESTINATION
   */
  async redrive(options?: {
    readonly to?: string | Handle | undefined;
    readonly limit?: number | undefined;
    readonly filter?: ((message: Message<T>) => boolean) | undefined;
  }): Promise<number> {
    checkOptions(options, 'redrive()', REDRIVE);
    const { to, limit = Infinity, filter } = options ?? {};
    checkInteger(limit, 'redrive() limit', 0, Number.MAX_SAFE_INTEGER, true);
    if (filter !== undefined) checkFunction(filter, 'redrive() filter');
    this.checkHere();
    const name = to === undefined ? undefined : this.host.nameOf(to);
    return redrive(this.subscription, this.host, {
      to: name,
      limit,
      filter: filter as ((message: Message) => boolean) | undefined,
      over: () => this.gone !== undefined,
    });
  }

  /** A snapshot, at this moment. */
  stats(): QueueStats {
    const { stock, subscribers } = this.subscription;
    const oldest = oldestTime(stock);
    return {
      name: this.name,
      ...stock.books.snapshot(),
      consumers: this.consumers.size,
      deduplicated: 0,
      lost: [...subscribers].reduce((sum, { lost }) => sum + lost, 0),
      ...(oldest === undefined ? {} : { oldest: new Date(oldest) }),
      declared: this.declared,
    };
  }

  /** @internal */
  get grave(): Grave {
    const { deadLetter = `${this.name}.dlq`, deadLetterRoutingKey } = this.options;
    const to = typeof deadLetter === 'object' ? deadLetter.name : deadLetter;
    return { source: this.name, lastResort: `${this.name}.dlq`, to, routingKey: deadLetterRoutingKey };
  }

  /** @internal It is full: what becomes of the newcomer. */
  bounce(entry: LogEntry): readonly DeadLetter[] {
    return bounce(this.subscription, this.host.burial, this.grave, entry);
  }

  /** @internal It is deleted: nobody gets anything from it any more. */
  async remove(error: SluiceError): Promise<void> {
    this.inbox.deleted = true;
    this.stopPulling(error);
    dissolve(this.subscription, error);
    const { journal } = this.inbox;
    const logs = this.subscription.stock.cursors.map(({ log }) => log);
    if (journal.lasting) logs.push(cursorLogOf(this.name));
    await this.inbox.journal.write(logs.map((log) => ({ type: 'remove', log })));
  }

  protected override left(consumer: Consumer): void {
    super.left(consumer);
    if (this.options.autoDelete !== true || this.consumers.size > 0 || this.gone !== undefined) return;
    this.host.delete(this.name).catch((error: unknown) => this.subscription.report(error));
  }
}
