import { fixed, type Broker, type Exchange, type Queue, type QueueOptions } from '../../../src/index.js';

/** What a message is about. Its id is its number. */
export interface Cargo {
  /** Counted up by each producer, for each destination: what a queue holds of one producer is in this order. */
  readonly n: number;
  readonly producer: number;
  readonly kind: Kind;
  readonly text: string;
}

/** What its handlers do with it: nothing special; fail once; reject it; end the process. */
export type Kind = 'good' | 'fails' | 'bad' | 'poison';

export const ATTEMPTS = 3;
const OPTIONS: QueueOptions = { retry: { attempts: ATTEMPTS, backoff: fixed(5) } };

export const QUEUES: Readonly<Record<string, QueueOptions>> = {
  plain: OPTIONS,
  audit: OPTIONS,
  keyed: { ...OPTIONS, ordering: 'key' },
};

/** Where a message goes: to a queue, or through the exchange. */
export type Destination = 'plain' | 'keyed' | 'event.a' | 'event.b';
export const REACHES: Readonly<Record<Destination, readonly string[]>> = {
  plain: ['plain'],
  keyed: ['keyed'],
  'event.a': ['plain', 'audit', 'keyed'],
  'event.b': ['audit'],
};

export interface Scene {
  readonly queues: ReadonlyMap<string, Queue<Cargo>>;
  readonly events: Exchange;
}

/** The same in every life. */
export function declare(broker: Broker): Scene {
  const queues = new Map(
    Object.entries(QUEUES).map(([name, options]) => [name, broker.queue<Cargo>(name, options)] as const),
  );
  const events = broker.exchange('events');
  events.bind(queues.get('plain')!, 'event.a').bind(queues.get('audit')!, 'event.*');
  events.bind(queues.get('keyed')!, 'event.a');
  return { queues, events };
}

export function textOf(id: number): string {
  return `${id}:`.repeat(1 + (id % 60));
}
