import type { Broker, Headers, Receipt } from '../index.js';

/** One message as it was sent to a destination, and what became of it there. */
export interface Sent<T = unknown> {
  readonly id: string;
  readonly body: T;
  readonly headers: Headers;
  readonly routingKey?: string | undefined;
  /** Of an exchange: `acked` when all its destinations did, `dead` when one let it die. */
  readonly outcome: 'waiting' | 'acked' | 'dead';
}

type Content = Pick<Sent, 'body' | 'headers' | 'routingKey'>;
interface Entry extends Content {
  readonly id: string;
  outcome: Sent['outcome'];
}

/** What a broker's events tell of its messages, by destination. */
export class Record {
  private readonly byQueue = new Map<string, Entry[]>();
  private readonly byExchange = new Map<string, (Content & Pick<Receipt, 'id' | 'destinations'>)[]>();

  constructor(broker: Broker) {
    broker.on('accepted', ({ source, id, message }) => {
      const { body, headers, routingKey } = message;
      append(this.byQueue, source, { id, body, headers, routingKey, outcome: 'waiting' });
    });
    broker.on('acked', ({ source, id }) => this.ended(source, id, 'acked'));
    broker.on('deadLettered', ({ source, id }) => this.ended(source, id, 'dead'));
  }

  published(exchange: string, { id, destinations }: Receipt, content: Content): void {
    append(this.byExchange, exchange, { ...content, id, destinations });
  }

  of<T>(destination: string): readonly Sent<T>[] {
    const published = this.byExchange.get(destination)?.map((one) => {
      const { id, body, headers, routingKey, destinations } = one;
      return { id, body, headers, routingKey, outcome: this.outcomeOf(id, destinations) };
    });
    const sent = published ?? this.byQueue.get(destination) ?? [];
    return sent.map((one) => ({ ...one, body: one.body as T }));
  }

  private ended(source: string, id: string, outcome: Sent['outcome']): void {
    const entry = this.byQueue.get(source)?.find((one) => one.id === id && one.outcome === 'waiting');
    if (entry !== undefined) entry.outcome = outcome;
  }

  private outcomeOf(id: string, destinations: readonly string[]): Sent['outcome'] {
    const outcomes = destinations.map((name) => this.byQueue.get(name)?.find((one) => one.id === id)?.outcome);
    if (outcomes.includes('dead')) return 'dead';
    return outcomes.length > 0 && outcomes.every((outcome) => outcome === 'acked') ? 'acked' : 'waiting';
  }
}

function append<T>(lists: Map<string, T[]>, name: string, one: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [one]);
  else list.push(one);
}
