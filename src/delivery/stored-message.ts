import { inspect } from 'node:util';
import type { Death, Headers, Message } from '../message.js';
import type { LogEntry } from './cursor/buffer.js';
import type { Head } from './head.js';

const NO_HEADERS: Headers = Object.freeze({});
const NO_DEATHS: readonly Death[] = Object.freeze([]);

/** What events say of where something happened. */
export interface Origin {
  /** The queue or topic. */
  readonly source: string;
  readonly group?: string;
}

/** What a message needs to know of where it is. */
export interface Place {
  /** Of the queue or topic. */
  readonly name: string;
  readonly origin: Origin;
  idOf(head: Head): string;
}

/** A message as users see it: a view on the head that its log keeps, and a body of its own. */
export class StoredMessage implements Message {
  body: unknown;
  protected readonly place: Place;
  /** @internal */
  readonly entry: LogEntry;
  /** @internal */
  readonly failures: number;
  readonly deliveries: number;

  constructor(place: Place, entry: LogEntry, body: unknown, failures: number, deliveries: number) {
    this.body = body;
    this.place = place;
    this.entry = entry;
    this.failures = failures;
    this.deliveries = deliveries;
  }

  /** @internal */
  get head(): Head {
    return this.entry.head;
  }

  get id(): string {
    return this.head.id ?? this.place.idOf(this.head);
  }
  get headers(): Headers {
    return this.head.rare?.headers ?? NO_HEADERS;
  }
  get key(): string | undefined {
    return this.head.key;
  }
  get routingKey(): string | undefined {
    return this.head.routingKey;
  }
  get priority(): number {
    return this.head.rare?.priority ?? 0;
  }
  get timestamp(): Date {
    return new Date(this.head.timestamp);
  }
  get source(): string {
    return this.place.name;
  }
  get attempt(): number {
    return this.failures + 1;
  }
  get deaths(): readonly Death[] {
    return this.head.rare?.deaths ?? NO_DEATHS;
  }

  toJSON(): Message {
    const { id, body, headers, key, routingKey, priority, timestamp, source, attempt, deliveries, deaths } = this;
    return { id, body, headers, key, routingKey, priority, timestamp, source, attempt, deliveries, deaths };
  }

  /** console.log shows the message, not the engine behind it. */
  [inspect.custom](): unknown {
    return this.toJSON();
  }
}
