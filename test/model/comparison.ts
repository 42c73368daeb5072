import type { Broker, Message, QueueStats } from '../../src/index.js';
import type { Body } from './driver.js';
import type { Death, Letter } from './letter.js';
import { diverge } from './divergence.js';
import { TIMED_OUT } from './expectations.js';
import type { Model } from './model.js';

/** The books of every queue, and the queues there are. */
export function checkStats(broker: Broker, model: Model): void {
  const { queues } = broker.stats();
  const names = queues.map(({ name }) => name).sort();
  const expected = [...model.queues.keys()].sort();
  if (names.join() !== expected.join()) diverge(`there are the queues ${names.join()}, not ${expected.join()}`);
  for (const stats of queues) checkBooks(stats, model);
}

/** At any moment, whatever is under way. */
export function checkBalance(broker: Broker): void {
  for (const stats of broker.stats().queues) {
    const { name, accepted, ready, delayed, unacked, acked, deadLettered, dropped, removed } = stats;
    const sum = ready + delayed + unacked + acked + deadLettered + dropped + removed;
    if (sum !== accepted) diverge(`the books of ${name} do not balance: ${accepted} accepted, ${sum} found`);
  }
}

function checkBooks(stats: QueueStats, model: Model): void {
  const queue = model.queue(stats.name);
  const now = model.world.now();
  const { waiting } = queue;
  const ready = waiting.filter((letter) => letter.ready(now)).length;
  const expected = {
    ...queue.books,
    ready,
    delayed: waiting.length - ready,
    unacked: queue.unacked,
    bytes: queue.bytes,
    consumers: queue.consumers.length,
    deduplicated: 0,
  };
  for (const [name, value] of Object.entries(expected)) {
    const found = stats[name as keyof QueueStats];
    if (found !== value) diverge(`${queue.name} has ${name} ${String(found)}, not ${value}`);
  }
}

/** A message, delivered or looked at. */
export function checkMessage(
  message: Message<Body>,
  letter: Letter,
  { attempt, deliveries }: { readonly attempt: number; readonly deliveries: number },
  now: number,
): void {
  const { draft, id, queue, deaths } = letter;
  const expected = {
    id,
    number: draft.number,
    text: draft.text,
    key: draft.key,
    headers: JSON.stringify(draft.headers ?? {}),
    priority: draft.priority,
    source: queue.name,
    attempt,
    deliveries,
    deaths: deaths.map(described).join(),
  };
  const found = {
    id: message.id,
    number: message.body.number,
    text: message.body.text,
    key: message.key,
    headers: JSON.stringify(message.headers),
    priority: message.priority,
    source: message.source,
    attempt: message.attempt,
    deliveries: message.deliveries,
    deaths: message.deaths
      .map((death) => described({ ...death, at: death.at.getTime(), error: errorOf(death.error) }))
      .join(),
  };
  for (const [name, value] of Object.entries(expected)) {
    const other = found[name as keyof typeof found];
    if (other !== value) diverge(`${letter} has ${name} ${String(other)}, not ${String(value)}`);
  }
  const sent = message.timestamp.getTime();
  if (sent < draft.sentAt || sent > now) diverge(`${letter} was sent at ${sent}, not at ${draft.sentAt}`);
}

function described({ source, reason, at, count, attempts, error }: Death): string {
  return `${reason} in ${source} at ${at}, ${count}×, attempt ${attempts}${reason === 'invalid' ? '' : `, ${error}`}`;
}

function errorOf(error: Message['deaths'][number]['error']): string | undefined {
  return error?.name === 'SluiceError' ? TIMED_OUT : error?.message;
}

/** What peek() showed: the oldest, and of each level in order. */
export function checkPeek(
  found: readonly Message<Body>[],
  letters: readonly Letter[],
  limit: number,
  now: number,
): void {
  const expected = Math.min(limit, letters.length);
  if (found.length !== expected) diverge(`peek(${limit}) shows ${found.length} messages, not ${expected}`);
  const shown = found.map(
    (message) =>
      letters.find(({ id }) => id === message.id) ?? diverge(`peek() shows ${message.id}, which does not wait`),
  );
  shown.forEach((letter, n) => {
    checkMessage(found[n]!, letter, { attempt: letter.failures + 1, deliveries: letter.deliveries }, now);
    const rest = letters.filter((other) => !shown.slice(0, n + 1).includes(other));
    const older = rest.find(
      (other) => other.arrivedAt < letter.arrivedAt || (other.level === letter.level && other.place < letter.place),
    );
    if (older !== undefined) diverge(`peek() shows ${letter} before ${older}`);
  });
}
