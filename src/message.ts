import type { Duration } from './duration.js';

/** A flat record: strings, finite numbers, booleans, null. */
export type Headers = Readonly<Record<string, string | number | boolean | null>>;

/** What a message survives: nothing, a killed process, or a power cut. */
export type Durability = 'memory' | 'os' | 'disk';

export interface Message<T = unknown> {
  readonly id: string;
  /** Decoded anew for every delivery: what one handler changes, no other sees. */
  readonly body: T;
  readonly headers: Headers;
  readonly key?: string | undefined;
  readonly routingKey?: string | undefined;
  readonly priority: number;
  /** When it was accepted. */
  readonly timestamp: Date;
  /** The queue or topic it was delivered from. */
  readonly source: string;
  /** 1 on first delivery, one more after each that failed, timed out or died with the process. Survives restarts. */
  readonly attempt: number;
  /** How often it was handed out, requeued ones included. */
  readonly deliveries: number;
  /** Where and why it was dead-lettered before, newest first. */
  readonly deaths: readonly Death[];
}

/** A message in hand: what handlers and receive() get. Its verbs are methods; destructuring them does not compile. */
export interface Delivery<T = unknown> extends Message<T> {
  /** Aborted when the message times out, or the broker gives up waiting for it in close(). */
  readonly signal: AbortSignal;

  /** Done. Each message is settled once, by the first of these verbs; a later one returns false and changes nothing. */
  ack(this: Delivery<any>): boolean;
  /** Failed: retried by the policy, or after `delay`; dead-lettered when attempts are used up. */
  nack(this: Delivery<any>, options?: { readonly delay?: Duration | undefined; readonly error?: unknown }): boolean;
  /** Failed for good: dead-lettered now. */
  reject(this: Delivery<any>, reason?: string): boolean;
  /** Given back to its place without counting as an attempt. */
  requeue(this: Delivery<any>, options?: { readonly delay?: Duration | undefined }): boolean;
  /** Restarts the acknowledgement timeout: from now, `by` long (default: the timeout it had). */
  extend(this: Delivery<any>, by?: Duration): boolean;
}

export type DeathReason = 'rejected' | 'attempts' | 'expired' | 'overflow' | 'invalid';

export interface Death {
  /** The queue or topic it was delivered from. */
  readonly source: string;
  /** Of a topic: the group it died in, and where it is in the topic. */
  readonly group?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly reason: DeathReason;
  /** When it last died there for this reason, and how often: one entry per source and reason. */
  readonly at: Date;
  readonly count: number;
  /** Attempts that had been made when it last died there. */
  readonly attempts: number;
  readonly routingKey?: string | undefined;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string | undefined };
}

/** What it returns, awaited, settles the message; see ConsumeOptions.ack. */
export type Handler<D> = (delivery: D) => unknown;

/** The publisher's confirm. */
export interface Receipt {
  readonly id: string;
  /** Every destination had accepted the id before, within its deduplication window: nothing was stored now. */
  readonly duplicate: boolean;
  /** Names of the queues and topics that stored it now, a dead-letter queue included. Empty: unroutable, or a duplicate. */
  readonly destinations: readonly string[];
  /** What the message survives now, at its weakest destination. */
  readonly durability: Durability;
}

/** Retries: how often, how long to wait between, and for which errors. Given per broker, queue and group; merged by field. */
export interface RetryPolicy {
  /** Deliveries in all, the first included. Default 5. Infinity: for ever. */
  readonly attempts?: number | undefined;
  /** Wait before the next delivery. Default exponential({ base: '200ms', max: '30s' }) with full jitter. */
  readonly backoff?: Backoff | undefined;
  /** false: dead-letter now, whatever attempts are left. Default: always true. */
  readonly retryIf?: ((error: unknown, message: Message) => boolean) | undefined;
}

/** Milliseconds to wait after failed attempt n (1, 2, …). Pure but for jitter. */
export type Backoff = (attempt: number, error?: unknown) => number;

export interface MessageOptions {
  /** Identity, for deduplication and idempotency. Default: generated, unique, sorting by time. */
  readonly id?: string | undefined;
  /** Messages of one key keep their order, through a partition or a key-ordered consumer. */
  readonly key?: string | undefined;
  /** Default none. With the body within `maxMessageBytes`. */
  readonly headers?: Headers | undefined;
  /** 0 (default, last) and up. A queue with fewer levels takes it at its highest. */
  readonly priority?: number | undefined;
  /** Not delivered before. One of the two (TypeError). In the past: at once. */
  readonly delay?: Duration | undefined;
  readonly deliverAt?: Date | undefined;
  /**
   * Not delivered later than this after it was accepted or, delayed, after it was due; then dead-lettered as `expired`,
   * at the latest when its turn comes. Retries do not restart it; what is in hand does not expire; a dead letter has none.
   */
  readonly ttl?: Duration | undefined;
  /**
   * false: not waited for, and gone after a restart (AMQP delivery mode 1). Survival takes a durable queue and a
   * persistent message. Default true.
   */
  readonly persistent?: boolean | undefined;
  /**
   * Gives up: waiting for room in a full queue, for the next try of `retry`, or for the storage. ERR_ABORTED; what was
   * already stored stays stored.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends again what fails for a reason that may pass (ERR_QUEUE_FULL, ERR_STORAGE_FULL), under the same id.
   * Default: one attempt.
   */
  readonly retry?: Pick<RetryPolicy, 'attempts' | 'backoff'> | undefined;
}
