import { EventEmitter } from 'eventemitter3';
import { checkFunction, describe } from './arguments.js';
import type { DeathReason, Message } from './message.js';

/** Where something happened to a message. */
interface At {
  /** The queue or topic. */
  readonly source: string;
  /** Of a topic: in which of its groups. */
  readonly group?: string;
}

/** Past tense; payloads are objects and may grow. A listener that throws is reported as `error` and changes nothing. */
export interface BrokerEvents {
  /** `message` is made, and its body decoded, when it is looked at. */
  accepted: { readonly source: string; readonly id: string; readonly message: Message };
  delivered: At & { readonly id: string; readonly attempt: number; readonly consumer: string };
  /** `duration`: ms from delivery to acknowledgement, on the broker's clock. */
  acked: At & { readonly id: string; readonly duration: number };
  /** `attempt`: the one that failed. `delay`: ms until the next. */
  retried: At & {
    readonly id: string;
    readonly attempt: number;
    readonly delay: number;
    readonly error?: unknown;
  };
  /** `to`: where it went, null when it was dropped. */
  deadLettered: At & {
    readonly id: string;
    readonly reason: DeathReason;
    readonly to: string | null;
    readonly error?: unknown;
  };
  deduplicated: { readonly source: string; readonly id: string };
  unroutable: { readonly exchange: string; readonly routingKey: string; readonly id: string };
  /** A sender began to wait for room in `source`. */
  blocked: { readonly source: string };
  /** Nobody waits for room in `source` any more. */
  unblocked: { readonly source: string };
  rebalanced: {
    readonly topic: string;
    readonly group: string;
    readonly assignment: Readonly<Record<string, readonly number[]>>;
  };
  /** A half message rolled back by its checks. */
  rolledBack: { readonly producer: string; readonly id: string; readonly checks: number };
  /** Nothing failed, but somebody should know. */
  warning: {
    readonly code:
      'GROUP_OVERTAKEN' | 'DEDUPLICATION_CUT' | 'STORAGE_NEARLY_FULL' | 'STORAGE_TORN_TAIL' | 'UNKNOWN_ALTERNATE';
    readonly message: string;
    readonly details: Readonly<Record<string, unknown>>;
  };
  /** What no caller can be told. Unheard, it becomes a process warning, never a throw. */
  error: { readonly error: Error };
  /** With what close() gave up waiting for: it is redelivered after the next open(), at no cost in attempts. */
  closed: { readonly abandoned: readonly { readonly source: string; readonly id: string }[] };
}

export type EventName = keyof BrokerEvents;
export type Listener<E extends EventName> = (event: BrokerEvents[E]) => void;

const NAMES: readonly EventName[] = [
  'accepted',
  'delivered',
  'acked',
  'retried',
  'deadLettered',
  'deduplicated',
  'unroutable',
  'blocked',
  'unblocked',
  'rebalanced',
  'rolledBack',
  'warning',
  'error',
  'closed',
];

/**
 * The broker's one emitter. Who emits asks `heard` first, so that an event nobody listens to costs one check:
 *
 *     if (events.heard.acked) events.emit('acked', { … });
 */
export class Events {
  /** Which events have a listener now. */
  readonly heard: Record<EventName, boolean>;
  private readonly emitter = new EventEmitter();

  constructor() {
    this.heard = Object.fromEntries(NAMES.map((name) => [name, false])) as Record<EventName, boolean>;
  }

  on(event: EventName, listener: unknown, once = false): void {
    checkEvent(event);
    checkFunction(listener, `the listener of '${event}'`);
    // The listener travels as the emitter's context: off() finds it again, and `guard` knows whom to call.
    this.emitter[once ? 'once' : 'on'](event, this.guard as () => void, listener);
    this.heard[event] = true;
  }

  off(event: EventName, listener: unknown): void {
    checkEvent(event);
    checkFunction(listener, `the listener of '${event}'`);
    this.emitter.off(event, this.guard as () => void, listener);
    this.heard[event] = this.emitter.listenerCount(event) > 0;
  }

  emit<E extends EventName>(event: E, payload: BrokerEvents[E]): void {
    this.emitter.emit(event, payload, event);
    this.heard[event] = this.emitter.listenerCount(event) > 0;
  }

  /** What no caller can be told: an `error` event, or a process warning where nobody listens. */
  report(error: unknown): void {
    const payload = { error: asError(error) };
    if (this.heard.error) this.emit('error', payload);
    else process.emitWarning(payload.error);
  }

  private readonly guard = guardOf(this);
}

/** Calls the listener it gets as `this`, and lets nothing that goes wrong there reach the emitter. */
function guardOf(events: Events) {
  return function guard(this: unknown, payload: unknown, event: EventName): void {
    const failed = (error: unknown): void => {
      if (event === 'error') process.emitWarning(asError(error));
      else events.report(error);
    };
    try {
      const result = (this as (payload: unknown) => unknown)(payload);
      if (isThenable(result)) result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

/** Whatever was thrown, as an Error. */
function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(`something that is no Error was thrown: ${describe(thrown)}`, { cause: thrown });
}

function checkEvent(event: unknown): asserts event is EventName {
  if (!NAMES.includes(event as EventName)) {
    throw new TypeError(`there is no event ${describe(event)}; there are ${NAMES.join(', ')}`);
  }
}
