import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect } from 'vitest';
import { nextTurn, type Random } from '../src/clock.js';
import {
  Broker,
  FileStorage,
  MemoryStorage,
  type Awaitable,
  type BrokerOptions,
  type Queue,
  type QueueStats,
  type StandardSchema,
  type Storage,
} from '../src/index.js';
import { JournalStorage } from '../src/testing/journal-storage.js';
import { ManualClock } from '../src/testing/manual-clock.js';
import { seededRandom } from '../src/testing/seeded-random.js';

export { watch, type Watched } from './watched.js';

/** Behaviour must not depend on where messages live: every suite of onEachStorage() runs on each of these. */
const STORAGES: readonly { readonly name: string; readonly create: (random: Random) => Storage }[] = [
  { name: 'MemoryStorage', create: () => new MemoryStorage() },
  { name: 'JournalStorage', create: (random) => new JournalStorage({ latency: random }) },
  { name: 'FileStorage', create: () => onFiles() },
];

let directory: string | undefined;
let directories = 0;

/** Files that nobody has had before. What they survive is tested elsewhere: a sync for each write would only be slow. */
function onFiles(): Storage {
  directory ??= mkdtempSync(join(tmpdir(), 'sluice-suite-'));
  return new Counting(new FileStorage(join(directory, String(directories++)), { flush: 'async', keepFree: 0 }));
}
afterAll(() => {
  if (directory !== undefined) rmSync(directory, { recursive: true });
  directory = undefined;
});

/** Passes everything on, and counts what is not answered yet: the clock of a test waits for that. */
class Counting implements Storage {
  private readonly inner: Storage;
  private unanswered = 0;

  constructor(inner: Storage) {
    this.inner = inner;
  }
  get durability() {
    return this.inner.durability;
  }
  readonly busy = (): boolean => this.unanswered > 0;
  open: Storage['open'] = (report) => this.count(this.inner.open(report));
  write: Storage['write'] = (batch, reach) => this.count(this.inner.write(batch, reach));
  read: Storage['read'] = (log, from, limit) => this.count(this.inner.read(log, from, limit));
  close: Storage['close'] = () => this.count(this.inner.close()) as Promise<void>;
  stats = () => this.inner.stats?.() ?? {};

  /** The very answer: those who share a commit share its promise, and that must not be hidden. */
  private count<T>(answer: Awaitable<T>): Awaitable<T> {
    if (!(answer instanceof Promise)) return answer;
    this.unanswered++;
    const answered = (): void => void this.unanswered--;
    answer.then(answered, answered);
    return answer;
  }
}

/** A broker on a clock that stands still, and what a test needs to watch it. */
export interface Bench {
  readonly broker: Broker;
  readonly clock: ManualClock;
  /** Lets everything run that can run without the time moving. */
  readonly quiet: () => Promise<void>;
  /** What `error` events told since it was last asked. A test that does not ask must not cause any. */
  readonly reported: () => Error[];
}

export type Open = (options?: Omit<BrokerOptions, 'clock'>) => Promise<Bench>;

/** Of the current test: what it has opened, and storages that answer in their own time. */
const opened: Bench[] = [];
const counting: Counting[] = [];

/**
 * The suite once per storage. After each test the books of its brokers must balance, before and after they close; closing
 * must end, and leave no timer; and no error may have been reported that the test did not ask for.
 */
export function onEachStorage(title: string, suite: (open: Open) => void): void {
  describe.each(STORAGES)(`${title} · $name`, ({ create }) => {
    afterEach(async () => {
      for (const bench of opened.splice(0)) await wrapUp(bench);
      counting.length = 0;
    });
    suite((options) => openOn(options?.storage ?? create(seededRandom(seedOfTest() + opened.length)), options));
  });
}

async function openOn(storage: Storage, options: Omit<BrokerOptions, 'clock'> = {}): Promise<Bench> {
  const clock = new ManualClock();
  if (storage instanceof Counting) {
    clock.waitFor(storage.busy);
    counting.push(storage);
  }
  const broker = await Broker.open({ ...options, storage, clock });
  const errors: Error[] = [];
  broker.on('error', ({ error }) => errors.push(error));
  const quiet = async (): Promise<void> => {
    // A slow write or read may be under way that nobody looks at the clock for.
    for (let round = 0; round < 3; round++) await clock.advance(0);
  };
  const bench: Bench = { broker, clock, quiet, reported: () => errors.splice(0) };
  opened.push(bench);
  return bench;
}

async function wrapUp({ broker, clock, reported }: Bench): Promise<void> {
  balanced(broker);
  await broker.close({ timeout: 0 });
  balanced(broker);
  for (const { name, unacked } of broker.stats().queues) expect({ name, unacked }).toEqual({ name, unacked: 0 });
  expect(clock.pending()).toBe(0);
  expect(reported()).toEqual([]);
}

/** A seed of its own for every test, the same in every run: however many of them run. */
function seedOfTest(): number {
  let hash = 0;
  for (const char of expect.getState().currentTestName ?? '') hash = (Math.imul(hash, 31) + char.codePointAt(0)!) | 0;
  return hash;
}

/** Every message of every queue is somewhere, and in one place only. */
export function balanced(broker: Broker): void {
  for (const stats of broker.stats().queues) {
    const { name, ready, delayed, unacked, acked, deadLettered, dropped, removed, accepted } = stats;
    const total = ready + delayed + unacked + acked + deadLettered + dropped + removed;
    const found = { name, ...counts(stats) };
    expect({ ...found, total }).toEqual({ ...found, total: accepted });
    expect({ name, negative: Object.entries(counts(stats)).filter(([, value]) => value < 0) }).toEqual({
      name,
      negative: [],
    });
    if (ready + delayed === 0) expect(found).toEqual({ ...found, bytes: 0 });
    expect(stats.retried).toBeLessThanOrEqual(stats.delivered);
  }
}

/** The numbers of a queue, without its name and dates. */
function counts(stats: QueueStats): Record<string, number> {
  return Object.fromEntries(Object.entries(stats).filter(([, value]) => typeof value === 'number'));
}

/** Runs turns of the event loop until `condition` holds; a test that waits for what never comes fails by name. */
export async function until(condition: () => boolean, what = condition.toString()): Promise<void> {
  for (let turns = 0; !condition();) {
    // What the disk does takes as long as it takes.
    if (!counting.some((storage) => storage.busy())) turns++;
    if (turns === 20_000) throw new Error(`did not come: ${what}`);
    await new Promise<void>(nextTurn);
  }
}

/** A promise, and how to settle it. */
export interface Deferred<T = void> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** Sends 0, 1, 2, …, three in one turn: for each two of `ways` the first, the other, and the first again. After each turn all are `seen`, in order. */
export async function expectPairsInOrder(
  ways: readonly ((n: number) => Promise<unknown>)[],
  seen: readonly number[],
  quiet: () => Promise<void>,
): Promise<void> {
  let sent = 0;
  for (const first of ways) {
    for (const second of ways) {
      await Promise.all([first, second, first].map((send) => send(sent++)));
      await quiet();
      expect(seen).toEqual(Array.from({ length: sent }, (_, n) => n));
    }
  }
}

/** The bodies 0, 1, …, n − 1 in one write. */
export async function fill(queue: Queue<number>, n: number): Promise<void> {
  await queue.sendMany(Array.from({ length: n }, (_, body) => ({ body })));
}

/** The bodies of the messages that wait in a queue, oldest first. */
export async function waiting<T>(queue: Queue<T, never>): Promise<T[]> {
  return (await queue.peek(10_000)).map(({ body }) => body);
}

/** A Standard Schema of which `parse` is all: what it returns is the output, what it throws is the issue. */
export function schemaOf<I, O>(parse: (value: I) => O): StandardSchema<I, O> {
  const validate = (value: unknown): unknown => {
    try {
      return { value: parse(value as I) };
    } catch (error) {
      return { issues: [{ message: (error as Error).message, path: ['total'] }] };
    }
  };
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
