import { checkInteger, checkName, checkOneOf, checkOptions, checkSignal, describe } from './arguments.js';
import type { Engine } from './delivery/engine.js';
import type { Subscription } from './delivery/subscription.js';
import { SluiceError } from './errors.js';
import { NEVER } from './delivery/hand.js';
import { Subscriber } from './delivery/subscriber.js';
import { TokenBucket } from './delivery/token-bucket.js';
import { milliseconds, type Duration } from './duration.js';
import type { Handler } from './message.js';
import { checkAckTimeout } from './queue-options.js';

export interface ConsumeOptions {
  /** Unique among the consumers of a queue or group. Default: generated. */
  readonly name?: string | undefined;
  /** Handlers that run at once. Default 1. */
  readonly concurrency?: number | undefined;
  /**
   * `auto` (default): a handler that returns acknowledges, one that throws nacks. `manual`: the verbs settle; returning
   * settles nothing, throwing nacks what is unsettled. `none`: settled before the handler runs, at most once; a throw is an
   * `error` event.
   */
  readonly ack?: 'auto' | 'manual' | 'none' | undefined;
  /** Unsettled messages held at most; not below concurrency × batch size (RangeError). Default: that. */
  readonly prefetch?: number | undefined;
  /** A token bucket of `max` on the broker's clock, per consumer. */
  readonly rateLimit?: { readonly max: number; readonly per: Duration };
  /** Default: the queue's. */
  readonly ackTimeout?: Duration | false | undefined;
  /** Closes the consumer when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `size` default 100; `wait` for a full batch, from its first message, default 0 (what is there). That counts towards the
 * acknowledgement timeout, and has to be shorter. Returning settles the unsettled, throwing nacks them; what a failed batch
 * held comes back one by one, so that a bad message takes no neighbour to the dead letters.
 */
export interface BatchOptions {
  readonly size?: number | undefined;
  readonly wait?: Duration | undefined;
}

/** Default wait of close() for running handlers, ms. */
const CLOSE_TIMEOUT = 10_000;

const CONSUME = ['name', 'concurrency', 'ack', 'prefetch', 'rateLimit', 'ackTimeout', 'signal'] as const;
const SINGLE = new Set<string>(CONSUME);
const BATCH = new Set<string>([...CONSUME, 'size', 'wait']);
const CLOSE = new Set(['timeout']);
const RATE = new Set(['max', 'per']);
const ACKS = ['auto', 'manual', 'none'] as const;

/** Takes messages and hands them to its handler, until it is closed. Made by consume() and consumeBatch(). */
export class Consumer {
  readonly name: string;
  private readonly subscription: Subscription;
  private readonly subscriber: Subscriber;
  private readonly engine: Engine;
  private readonly ended: (consumer: Consumer) => void;
  private closing: Promise<void> | undefined;

  private constructor(
    engine: Engine,
    subscription: Subscription,
    subscriber: Subscriber,
    ended: (consumer: Consumer) => void,
  ) {
    this.name = subscriber.name;
    this.engine = engine;
    this.subscription = subscription;
    this.subscriber = subscriber;
    this.ended = ended;
  }

  /** @internal */
  static start(
    engine: Engine,
    subscription: Subscription,
    handler: Handler<never>,
    options: (ConsumeOptions & BatchOptions) | undefined,
    given: { readonly batch: boolean; readonly name: string; readonly ackTimeout: number },
    ended: (consumer: Consumer) => void,
  ): Consumer {
    const { signal, rateLimit } = options ?? {};
    const concurrency = options?.concurrency ?? 1;
    const size = given.batch ? (options?.size ?? 100) : 1;
    const wait = options?.wait === undefined ? 0 : milliseconds(options.wait, 'wait');
    const subscriber = new Subscriber(subscription, {
      name: options?.name ?? given.name,
      handler,
      concurrency,
      ack: options?.ack ?? 'auto',
      prefetch: options?.prefetch ?? concurrency * size,
      ackTimeout: timeoutOf(options?.ackTimeout, given.ackTimeout),
      rate:
        rateLimit === undefined
          ? undefined
          : new TokenBucket(rateLimit.max, milliseconds(rateLimit.per, 'rateLimit.per'), engine.clock.now()),
      batch: given.batch ? { size, wait } : undefined,
    });
    const consumer = new Consumer(engine, subscription, subscriber, ended);
    if (signal !== undefined) {
      const abort = (): void => void consumer.close();
      signal.addEventListener('abort', abort, { once: true });
      consumer.unlisten = () => signal.removeEventListener('abort', abort);
    }
    if (signal?.aborted) void consumer.close();
    else subscription.add(subscriber);
    return consumer;
  }
  private unlisten: (() => void) | undefined;

  /** Takes nothing until resume(); what it has in hand goes on. */
  pause(): void {
    this.subscriber.pause();
  }

  resume(): void {
    this.subscriber.resume();
  }

  /**
   * Takes nothing more; resolves when its running handlers are done. After `timeout` (default 10 s) it gives up on those: their
   * signals abort, their messages go back, no attempt counted. What manual handlers left unsettled stays in hand, until it is settled or
   * its acknowledgement timeout passes. Idempotent. A handler may call it, but not await it: it would wait for itself.
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
    this.unlisten?.();
    await within(this.engine, this.subscriber.end(), timeout, () => {
      const reason = new SluiceError('ERR_CLOSED', `consumer ${JSON.stringify(this.name)} was closed`);
      for (const held of [...this.subscriber.hand]) {
        if (this.subscriber.handling(held)) this.subscription.takeBack(held, 'abandon', reason);
      }
    });
    this.subscription.remove(this.subscriber);
    this.ended(this);
  }
}

/** Waits for `done`, `timeout` ms at most on the broker's clock; calls `late` when it took longer. 0 needs no clock to move. */
export async function within(engine: Engine, done: Promise<void>, timeout: number, late: () => void): Promise<void> {
  let finished = false;
  const end = done.then(() => void (finished = true));
  if (timeout === 0) {
    // What is done by now is done.
    await Promise.race([end, Promise.resolve()]);
  } else {
    const alarm = engine.agenda.alarm(() => wake());
    let wake: () => void = () => undefined;
    const timedOut = new Promise<void>((resolve) => (wake = resolve));
    alarm.set(engine.clock.now() + timeout, true);
    await Promise.race([end, timedOut]);
    alarm.clear();
  }
  if (!finished) late();
}

/** @throws TypeError, RangeError */
export function closeTimeout(options: { readonly timeout?: Duration | undefined } | undefined): number {
  checkOptions(options, 'close()', CLOSE);
  return options?.timeout === undefined ? CLOSE_TIMEOUT : milliseconds(options.timeout, 'timeout');
}

export function timeoutOf(given: Duration | false | undefined, otherwise: number): number {
  if (given === undefined) return otherwise;
  return given === false ? NEVER : milliseconds(given, 'ackTimeout');
}

/** @throws TypeError, RangeError naming the option, what was given, and what is expected */
export function checkConsumeOptions(options: (ConsumeOptions & BatchOptions) | undefined, batch: boolean): void {
  const what = batch ? 'consumeBatch()' : 'consume()';
  checkOptions(options, what, batch ? BATCH : SINGLE);
  if (options === undefined) return;
  const { name, concurrency, ack, prefetch, rateLimit, ackTimeout, signal, size, wait } = options;
  if (name !== undefined) checkName(name, `${what} name`);
  if (concurrency !== undefined) checkInteger(concurrency, 'concurrency', 1, 100_000);
  if (ack !== undefined) checkOneOf(ack, 'ack', ACKS);
  if (size !== undefined) checkInteger(size, 'size', 1, 1_000_000);
  if (wait !== undefined) milliseconds(wait, 'wait');
  if (prefetch !== undefined) {
    const least = (concurrency ?? 1) * (batch ? (size ?? 100) : 1);
    checkInteger(
      prefetch,
      `prefetch, with ${least} messages in running handlers,`,
      least,
      Number.MAX_SAFE_INTEGER,
      true,
    );
  }
  if (rateLimit !== undefined) {
    checkOptions(rateLimit, 'rateLimit', RATE);
    checkInteger(rateLimit.max, 'rateLimit.max', 1);
    if (milliseconds(rateLimit.per, 'rateLimit.per') === 0) {
      throw new RangeError(`rateLimit.per must be more than 0; got ${describe(rateLimit.per)}`);
    }
  }
  checkAckTimeout(ackTimeout, 'ackTimeout');
  if (signal !== undefined) checkSignal(signal, 'signal');
}
