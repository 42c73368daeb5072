import { checkInteger, checkOptions } from '../arguments.js';
import { milliseconds, type Duration } from '../duration.js';
import { Broker, type BrokerOptions, type Exchange, type Headers, type Receipt } from '../index.js';
import { ManualClock } from './manual-clock.js';
import { Record, type Sent } from './record.js';

export interface TestBroker extends Broker {
  readonly clock: ManualClock;
  /** Everything that was sent to a destination, oldest first, settled or not: a queue, or an exchange that was published to. */
  sent<T = unknown>(destination: string): readonly Sent<T>[];
  /**
   * Runs until nothing is ready for a consumer, unacknowledged or, advancing the clock as needed, delayed. What waits for a
   * consumer is left alone. Throws after `limit` deliveries (default 10,000), or when the clock would have to move on by more
   * than `advance` (default 30 d), naming what keeps running.
   */
  settle(options?: { readonly limit?: number | undefined; readonly advance?: Duration | undefined }): Promise<void>;
}

const SETTLE = new Set(['limit', 'advance']);
const MOST_DELIVERIES = 10_000;
const FARTHEST = '30d';
/** A day, ms. */
const SOON = 86_400_000;

/**
 * A broker on memory and a manual clock that records everything: asynchronous workflows are tested without sleeping.
 * Options: as Broker.open() takes them, but for the clock.
 */
export async function testBroker(options: Omit<BrokerOptions, 'clock'> = {}): Promise<TestBroker> {
  const clock = new ManualClock();
  const broker = await Broker.open({ ...options, clock });
  const record = new Record(broker);
  const exchange = broker.exchange.bind(broker);
  return Object.assign(broker, {
    clock,
    exchange: (...given: Parameters<Broker['exchange']>) => recorded(exchange(...given), record),
    sent: (destination: string) => record.of(destination),
    settle: (limits?: Parameters<TestBroker['settle']>[0]) => settle(broker, clock, limits),
  }) as unknown as TestBroker;
}

const seen = new WeakSet<Exchange>();

/** What is published through this handle is in the record of its exchange. */
function recorded(exchange: Exchange, record: Record): Exchange {
  if (seen.has(exchange)) return exchange;
  seen.add(exchange);
  const publish = exchange.publish.bind(exchange);
  const publishAndRecord: typeof publish = async (routingKey, body, options): Promise<Receipt> => {
    const receipt = await publish(routingKey, body, options);
    record.published(exchange.name, receipt, { body, headers: options?.headers ?? ({} as Headers), routingKey });
    return receipt;
  };
  return Object.assign(exchange, { publish: publishAndRecord });
}

async function settle(
  broker: Broker,
  clock: ManualClock,
  options: { readonly limit?: number | undefined; readonly advance?: Duration | undefined } = {},
): Promise<void> {
  checkOptions(options, 'settle()', SETTLE);
  const { limit = MOST_DELIVERIES, advance = FARTHEST } = options;
  checkInteger(limit, 'limit', 0, Number.MAX_SAFE_INTEGER, true);
  const end = clock.now() + milliseconds(advance, 'advance');
  const counts = new Map<string, number>();
  let total = 0;
  let tooMany: (error: Error) => void = () => undefined;
  const endless = new Promise<never>((_, reject) => (tooMany = reject));
  const count = ({ source }: { readonly source: string }): void => {
    counts.set(source, (counts.get(source) ?? 0) + 1);
    if (++total > limit) tooMany(new Error(`more than ${limit} deliveries, and it goes on: ${busiest(counts)}`));
  };
  broker.on('delivered', count);
  try {
    await Promise.race([endless, run(broker, clock, end, () => (total > limit ? Infinity : total))]);
  } finally {
    broker.off('delivered', count);
  }
}

/** @param delivered messages handed out so far; Infinity: enough */
async function run(broker: Broker, clock: ManualClock, end: number, delivered: () => number): Promise<void> {
  /** The clock moved, and nobody got anything. */
  let idly = false;
  for (let last = -1; last < Infinity;) {
    await clock.advance(0);
    const total = delivered();
    if (total > last) {
      last = total;
      idly = false;
      continue;
    }
    const sources = sourcesOf(broker);
    const next = clock.nextDue();
    // So far off no rate refills: what is due then is retention's, and would only take messages away.
    const soon = next !== undefined && next - clock.now() < SOON;
    if (!sources.some((one) => waits(one, idly || (one.kept && !soon)))) return;
    if (next === undefined || next > end) {
      const stuck = sources.filter((one) => waits(one, true));
      if (stuck.length === 0) return;
      const time = next === undefined ? 'any more' : `for ${next - clock.now()} ms`;
      throw new Error(`nothing moves ${time}: ${describe(stuck)}`);
    }
    await clock.advance(next - clock.now());
    idly = true;
  }
}

/** A queue, or a group of a topic. */
interface Source {
  readonly name: string;
  readonly ready: number;
  readonly delayed: number;
  readonly unacked: number;
  readonly consumers: number;
  /** What is ready may go by retention. */
  readonly kept: boolean;
}

function sourcesOf(broker: Broker): Source[] {
  const { queues, topics } = broker.stats();
  const groups = topics.flatMap((topic) => topic.groups);
  return [
    ...queues.map((queue) => ({ ...queue, kept: false })),
    ...groups.map(({ name, topic, lag, delayed, unacked, members }) => {
      return {
        name: `${topic}.${name}`,
        ready: lag,
        delayed: members && delayed,
        unacked,
        consumers: members,
        kept: true,
      };
    }),
  ];
}

/** Whether time would bring it on. What is ready and was not taken, though time moved, waits for something else. */
function waits({ delayed, unacked, ready, consumers }: Source, idly: boolean): boolean {
  return delayed > 0 || (consumers > 0 && (unacked > 0 || (ready > 0 && !idly)));
}

function busiest(counts: ReadonlyMap<string, number>): string {
  const first = [...counts].sort(([, a], [, b]) => b - a).slice(0, 3);
  return first.map(([name, count]) => `${JSON.stringify(name)} ${count}`).join(', ');
}

function describe(sources: readonly Source[]): string {
  return sources
    .map(
      ({ name, ready, delayed, unacked }) =>
        `${JSON.stringify(name)} has ${ready} ready, ${delayed} delayed, ${unacked} unacked`,
    )
    .join('; ');
}
