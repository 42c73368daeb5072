import { checkFunction, checkOptions, checkSignal } from './arguments.js';
import { checkConsumeOptions, Consumer, type BatchOptions, type ConsumeOptions } from './consumer.js';
import { Puller } from './delivery/puller.js';
import type { Subscription } from './delivery/subscription.js';
import type { Handle } from './destination.js';
import { milliseconds, type Duration } from './duration.js';
import type { SluiceError } from './errors.js';
import type { Host } from './host.js';
import type { Delivery, Handler } from './message.js';

const RECEIVE = new Set(['wait', 'signal']);

/** What queues and groups have in common: messages are taken from them and settled. */
export abstract class Source<out D = Delivery<any>> {
  readonly name: string;
  /** @internal */
  readonly subscription: Subscription;
  /** @internal */
  readonly consumers = new Set<Consumer>();
  /** @internal */
  readonly host: Host;
  /** @internal What callers are told once it is deleted, or the broker closed. */
  gone: SluiceError | undefined;
  /** @internal Default acknowledgement timeout of its consumers, ms; NEVER: none. */
  protected abstract readonly timeout: number;
  private pulls: Puller | undefined;
  private made = 0;

  /** @internal */
  protected constructor(name: string, host: Host, subscription: Subscription) {
    this.name = name;
    this.host = host;
    this.subscription = subscription;
  }

  /**
   * Hands messages to `handler`, one at a time per slot. What it returns, awaited, settles the message; see ConsumeOptions.ack.
   * @throws TypeError, RangeError; SluiceError ERR_CLOSED, ERR_UNKNOWN_DESTINATION
   */
  consume(handler: Handler<D>, options?: ConsumeOptions): Consumer {
    return this.start(handler, options, false);
  }

  /** Hands messages to `handler` in arrays. See BatchOptions. */
  consumeBatch(handler: Handler<readonly D[]>, options?: ConsumeOptions & BatchOptions): Consumer {
    return this.start(handler, options, true);
  }

  /**
   * Takes one message, for manual settling; waits up to `wait` (default 0: not at all) for it. Resolves with undefined when none
   * came, or the broker closes.
   * @throws SluiceError ERR_ABORTED, ERR_CLOSED, ERR_UNKNOWN_DESTINATION
   */
  receive(options?: {
    readonly wait?: Duration | undefined;
    readonly signal?: AbortSignal | undefined;
  }): Promise<D | undefined> {
    try {
      checkOptions(options, 'receive()', RECEIVE);
      const { wait, signal } = options ?? {};
      const ms = wait === undefined ? 0 : milliseconds(wait, 'wait');
      if (signal !== undefined) checkSignal(signal, 'signal');
      this.checkHere();
      return this.puller.receive(ms, signal) as Promise<D | undefined>;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Messages for manual settling, one at a time; the one in hand when the loop ends unsettled is given back, no attempt
   * counted. Ends when the broker closes.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<D> {
    const left = new AbortController();
    const deliveries = this.deliveries(left.signal);
    return {
      next: () => deliveries.next(),
      // Who waits for the next one waits no longer: a generator would come to its end only behind that.
      return: (value: unknown) => {
        left.abort();
        return deliveries.return(value);
      },
      throw: (error: unknown) => {
        left.abort();
        return deliveries.throw(error);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  private async *deliveries(left: AbortSignal): AsyncGenerator<D> {
    this.checkHere();
    for (;;) {
      const held = await this.puller.receive(Infinity, left).catch((error: unknown) => {
        if (!left.aborted) throw error;
      });
      if (held === undefined) return;
      let taken = false;
      try {
        yield held as D;
        taken = true;
      } finally {
        if (!taken) this.subscription.settle(held, 'abandon');
      }
    }
  }

  /** No deliveries until resume(); sending goes on. */
  pause(): void {
    this.checkHere();
    this.subscription.pause();
  }

  resume(): void {
    this.checkHere();
    this.subscription.resume();
  }

  /**
   * Resolves when nothing is in hand and nothing is ready that a running consumer could take.
   * @throws SluiceError ERR_CLOSED, ERR_UNKNOWN_DESTINATION when it closes or is deleted meanwhile
   */
  idle(): Promise<void> {
    try {
      this.checkHere();
      return this.subscription.whenIdle();
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @internal Whoever waits here for a message gets none. */
  stopPulling(error?: SluiceError): void {
    this.pulls?.close(error);
  }

  /** @internal */
  protected checkHere(): void {
    if (this.gone !== undefined) throw this.gone;
  }

  /** @internal What has this name; where nothing has, a queue that is made, unless this is of no use any more. */
  protected graveNamed(name: string): Handle | undefined {
    const { gone, host } = this;
    return gone === undefined ? host.queueNamed(name) : host.find(name);
  }

  /** @internal A consumer has ended. */
  protected left(consumer: Consumer): void {
    this.consumers.delete(consumer);
  }

  private hasConsumer(name: string): boolean {
    return [...this.consumers].some((consumer) => consumer.name === name);
  }

  private newName(): string {
    const name = `consumer-${++this.made}`;
    return this.hasConsumer(name) ? this.newName() : name;
  }

  private get puller(): Puller {
    return (this.pulls ??= new Puller(this.subscription, () => this.timeout));
  }

  private start(handler: unknown, options: (ConsumeOptions & BatchOptions) | undefined, batch: boolean): Consumer {
    checkFunction(handler, 'handler');
    checkConsumeOptions(options, batch);
    this.checkHere();
    const name = options?.name;
    if (name !== undefined && this.hasConsumer(name)) {
      throw new TypeError(
        `${JSON.stringify(this.name)} has a consumer ${JSON.stringify(name)} already; names must differ`,
      );
    }
    const given = { batch, name: name ?? this.newName(), ackTimeout: this.timeout };
    const { engine } = this.host;
    const consumer = Consumer.start(engine, this.subscription, handler as Handler<never>, options, given, (ended) =>
      this.left(ended),
    );
    this.consumers.add(consumer);
    return consumer;
  }
}
