import { Broker, type Clock, FileStorage, MemoryStorage, systemClock } from 'sluice';
import { startApp } from './app.js';
import { compare } from './books.js';
import { isDeadLetters, Meter } from './meter.js';
import { inOrder, plainLoop } from './plain-loop.js';
import { pause } from '../stage/remote.js';
import { Progress, standardOutput, styled, table, type Terminal } from '../stage/terminal.js';
import { loadWebhooks } from './webhooks.js';

export interface DemoOptions {
  /** Decides which calls of the services outside fail. */
  readonly seed: number;
  /** The directory to keep messages in. Default: they live in memory. */
  readonly data?: string | undefined;
  /** Only the last lines. */
  readonly quiet?: boolean;
  /** Everything that the modules made, as JSON. */
  readonly results?: boolean;
  readonly terminal?: Terminal;
  readonly clock?: Clock;
  readonly open?: (clock: Clock) => Promise<Broker>;
}

/** The one place that decides where messages live. What an earlier run left there is of no use to a demo that checks itself. */
async function openBroker(clock: Clock, data: string | undefined): Promise<Broker> {
  const broker = await Broker.open({
    clock,
    storage: data === undefined ? new MemoryStorage() : new FileStorage(data),
  });
  const { queues, exchanges } = broker.stats();
  for (const { name } of [...queues, ...exchanges]) await broker.delete(name);
  return broker;
}

/** Between two webhooks, ms. */
const PACE = 5;
/** Whoever only waits gives up after this, ms; the check then tells what is missing. */
const PATIENCE = 30_000;

/** Runs the application on all webhooks, repairs what was broken, and checks everything. Resolves with the exit code. */
export async function demo(options: DemoOptions): Promise<number> {
  const { seed, quiet = false, results = false, terminal = standardOutput, clock = systemClock } = options;
  const say = (text: string): void => void (quiet || terminal.write(text));
  const began = performance.now();

  const webhooks = loadWebhooks();
  const broker = await (options.open?.(clock) ?? openBroker(clock, options.data));
  const progress = new Progress(terminal);
  let received = 0;
  const state = (): string => {
    const count = String(received).padStart(String(webhooks.length).length);
    return `${count}/${webhooks.length} webhooks · ${meter.handled} handled · ${meter.retried} retried · ${meter.dead} dead`;
  };
  const meter = new Meter(broker, () => void (quiet || progress.show(received / webhooks.length, state)));
  const app = startApp(broker, { seed, clock });

  say(
    `\n  ${styled(terminal, 'bold', 'sluice')} · ${webhooks.length} GitHub webhooks for ${app.modules.size} modules · seed ${seed}\n\n`,
  );
  for (const webhook of webhooks) {
    await app.receive(webhook);
    received++;
    await pause(clock, PACE);
  }
  await meter.settled(clock, PATIENCE);
  if (!quiet) progress.end(1, state);

  app.tracker.repair();
  const redriven = await redriveDeadLetters(broker, (text) => say(`\n  ${styled(terminal, 'yellow', text)}\n`));
  await meter.settled(clock, PATIENCE);

  const queues = broker.stats().queues.map((stats) => ({
    ...stats,
    p50: meter.latency(stats.name, 50),
    p99: meter.latency(stats.name, 99),
  }));
  await broker.close();
  const books = app.books();
  const differences = compare(books, plainLoop(webhooks), inOrder);

  say(`\n${flow(terminal, queues)}\n`);
  for (const [queue, module] of app.modules)
    say(`  ${styled(terminal, 'cyan', queue.padEnd(12))}   ${module.summary()}\n`);
  if (results) say(`\n${JSON.stringify(Object.fromEntries(books.results), null, 2)}\n`);
  const headline =
    `${received} webhooks → ${app.modules.size} queues → ${meter.handled} messages handled, ` +
    `${meter.retried} retries, ${meter.dead} dead letters, ${redriven} redriven`;
  say('\n');
  terminal.write(`  ${styled(terminal, 'bold', headline)}\n`);
  terminal.write(`${verdict(terminal, differences, (performance.now() - began) / 1000)}\n`);
  return differences.length === 0 ? 0 : 1;
}

/** What an operator does when the service is back: looks why messages died, and sends them where they came from. */
async function redriveDeadLetters(broker: Broker, say: (text: string) => void): Promise<number> {
  let redriven = 0;
  for (const { name, ready } of broker.stats().queues.filter((queue) => isDeadLetters(queue.name))) {
    const letters = broker.queue(name);
    const [oldest] = await letters.peek(1);
    const death = oldest?.deaths[0];
    if (death === undefined) continue;
    const moved = await letters.redrive();
    redriven += moved;
    say(
      `${name}: ${ready} given up after ${death.attempts} attempts, “${death.error?.message}”. It is back: ${moved} redriven.`,
    );
  }
  return redriven;
}

interface Row {
  readonly name: string;
  readonly accepted: number;
  readonly delivered: number;
  readonly retried: number;
  readonly deadLettered: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

/** What went through each queue, dead letters beside the queue they died in. */
function flow(terminal: Terminal, queues: readonly Row[]): string {
  const ms = (value: number | undefined): string => (value === undefined ? '–' : value.toFixed(1));
  const place = ({ name }: Row): number => queues.findIndex((queue) => queue.name === name.replace(/\.dlq$/, ''));
  const rows = queues
    .toSorted((a, b) => place(a) - place(b))
    .map(({ name, accepted, delivered, retried, deadLettered, p50, p99 }) => [
      name,
      ...[accepted, delivered, retried, deadLettered].map(String),
      ms(p50),
      ms(p99),
    ]);
  return table(terminal, ['queue', 'accepted', 'delivered', 'retried', 'dead', 'p50 ms', 'p99 ms'], rows);
}

const MOST_DIFFERENCES = 20;

function verdict(terminal: Terminal, differences: readonly string[], seconds: number): string {
  if (differences.length === 0) {
    return `  ${styled(terminal, 'green', '✓ all checked against a plain loop')}, in ${seconds.toFixed(1)} s\n`;
  }
  const shown = differences.slice(0, MOST_DIFFERENCES).map((line) => `    ${line}\n`);
  const more = differences.length > shown.length ? `    … and ${differences.length - shown.length} more\n` : '';
  return `  ${styled(terminal, 'red', `✗ differences from a plain loop: ${differences.length}`)}\n${shown.join('')}${more}`;
}
