import type { Broker, Headers, Receipt } from '../index.js';

/** One message as it was sent to a destination, and what became of it there. */
export interface Sent<T = unknown> {
  readonly id: string;
  readonly body: T;
  readonly headers: Headers;
  readonly routingKey?: string | undefined;
  /** Of an exchange: `acked` when all its destinations did, `dead` when one let it die. Of a topic: likewise, its groups. */
  readonly outcome: 'waiting' | 'acked' | 'dead';
}

type Content = Pick<Sent, 'body' | 'headers' | 'routingKey'>;
interface Entry extends Content {
  readonly id: string;
  outcome: Sent['outcome'];
  /** In a topic: what became of it in each group. */
  readonly groups: Map<string, Sent['outcome']>;
}
/** In a queue, or in a group of a topic. */
interface Ending {
  readonly source: string;
  readonly group?: string;
  readonly id: string;
}

/** What a broker's events tell of its messages, by destination. */
export class Record {
  private readonly byQueue = new Map<string, Entry[]>();
  private readonly byExchange = new Map<string, (Content & Pick<Receipt, 'id' | 'destinations'>)[]>();

  private readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
    broker.on('accepted', ({ source, id, message }) => {
      const { body, headers, routingKey } = message;
      append(this.byQueue, source, { id, body, headers, routingKey, outcome: 'waiting', groups: new Map() });
    });
    broker.on('acked', (event) => this.ended(event, 'acked'));
    broker.on('deadLettered', (event) => this.ended(event, 'dead'));
  }

  published(exchange: string, { id, destinations }: Receipt, content: Content): void {
    append(this.byExchange, exchange, { ...content, id, destinations });
  }

  of<T>(destination: string): readonly Sent<T>[] {
    const published = this.byExchange.get(destination);
    const sent =
      published?.map((one) => ({ ...one, outcome: this.outcomeOf(one.id, one.destinations) })) ??
      this.byQueue.get(destination)?.map((one) => ({ ...one, outcome: this.outcomeIn(destination, one) })) ??
      [];
    return sent.map(({ id, body, headers, routingKey, outcome }) => ({
      id,
      body: body as T,
      headers,
      routingKey,
      outcome,
    }));
  }

  private ended({ source, group, id }: Ending, outcome: Sent['outcome']): void {
    const entries = this.byQueue.get(source);
    if (group !== undefined) return void entries?.find((one) => one.id === id)?.groups.set(group, outcome);
    const entry = entries?.find((one) => one.id === id && one.outcome === 'waiting');
    if (entry !== undefined) entry.outcome = outcome;
  }

  private outcomeOf(id: string, destinations: readonly string[]): Sent['outcome'] {
    return together(
      destinations.map((name) => {
        const entry = this.byQueue.get(name)?.find((one) => one.id === id);
        return entry === undefined ? 'waiting' : this.outcomeIn(name, entry);
      }),
    );
  }

  /** Of a message in a topic: what its groups made of it, those that have not had it yet included. */
  private outcomeIn(name: string, { outcome, groups }: Entry): Sent['outcome'] {
    const topic = this.broker.stats().topics.find((one) => one.name === name);
    return topic === undefined ? outcome : together(topic.groups.map((group) => groups.get(group.name) ?? 'waiting'));
  }
}

function together(outcomes: readonly Sent['outcome'][]): Sent['outcome'] {
  if (outcomes.includes('dead')) return 'dead';
  return outcomes.length > 0 && outcomes.every((outcome) => outcome === 'acked') ? 'acked' : 'waiting';
}

function append<T>(lists: Map<string, T[]>, name: string, one: T): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [one]);
  else list.push(one);
}
