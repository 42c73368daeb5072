import type { Random } from '../../src/clock.js';
import type { Delivery } from '../../src/index.js';
import { between, chance, pick } from './chance.js';
import type { Kind } from './commands.js';
import { MAIN } from './configuration.js';
import type { Body, Driver, Iteration, Pull } from './driver.js';
import { consume, drawError, throwing, type Call } from './members.js';
import type { QueueModel } from './queue-model.js';
import { Taker, type TakerOptions } from './taker.js';
import { watch } from '../watched.js';

/** Where messages are taken from: mostly where they are sent to. */
export function drawSource(driver: Driver, random: Random): QueueModel {
  const queues = [...driver.model.queues.values()];
  const others = queues.filter(({ name, letters }) => name !== MAIN && letters.length > 0);
  return chance(random, 0.75) || others.length === 0 ? driver.model.queue(MAIN) : pick(random, others);
}

function timeoutOf(own: number | false | undefined, queue: QueueModel): number {
  const timeout = own ?? queue.configuration.ackTimeout ?? 30 * 60_000;
  return timeout === false ? Infinity : timeout;
}

const MOST_CONSUMERS = 4;

function startConsumer(driver: Driver, random: Random, batched: boolean): boolean {
  const queue = drawSource(driver, random);
  if (queue.takers.length >= MOST_CONSUMERS) return false;
  const wait = batched && chance(random, 0.5) ? between(random, 1, 20) : 0;
  const size = batched ? between(random, 2, 4) : 1;
  const concurrency = wait > 0 ? 1 : between(random, 1, batched ? 2 : 3);
  const prefetch = chance(random, 0.5) ? concurrency * size + between(random, 0, 3) : undefined;
  const ack = pick(random, ['auto', 'auto', 'auto', 'manual', 'manual', 'manual', 'none'] as const);
  const ackTimeout = chance(random, 0.3) ? pick(random, [25, 40, false] as const) : undefined;
  const rate = chance(random, 0.12)
    ? pick(random, [
        { max: 1, per: 5 },
        { max: 2, per: 20 },
      ])
    : undefined;
  const signal = chance(random, 0.1) ? new AbortController() : undefined;
  const prompt = chance(random, 0.35);
  const batch = batched ? { size, wait } : undefined;
  const name = `${batched ? 'batches' : 'consumer'}-${driver.numbers++}`;
  const options: TakerOptions = {
    name,
    concurrency,
    prefetch: prefetch ?? concurrency * size,
    ack,
    ackTimeout: timeoutOf(ackTimeout, queue),
    batch,
    rate,
    until: undefined,
  };
  const given = {
    name,
    concurrency,
    ack,
    prefetch,
    ackTimeout,
    ...(rate && { rateLimit: rate }),
    signal: signal?.signal,
    ...batch,
  };
  driver.note(() => `consume ${queue.name} ${JSON.stringify(given)}${prompt ? ' promptly' : ''}`);
  consume(driver, queue, options, given, { prompt, signal });
  return true;
}

function pull(
  driver: Driver,
  queue: QueueModel,
  wait: number,
  abort: AbortController | undefined,
  ask: () => Promise<Delivery<Body> | undefined>,
): Pull {
  const options: TakerOptions = {
    name: `receive-${driver.numbers++}`,
    concurrency: 1,
    prefetch: Infinity,
    ack: 'manual',
    ackTimeout: timeoutOf(undefined, queue),
    batch: undefined,
    rate: undefined,
    until: driver.now + wait,
  };
  const taker = new Taker(options, driver.now);
  const next = queue.next(taker, driver.now);
  driver.model.deliveries.join(queue, taker);
  const there = next !== undefined && queue.mayTake(taker, next, driver.now) && next.id !== undefined;
  const nothing = wait === 0 && !queue.mayHave(taker, driver.now);
  const brings = driver.quiet && !queue.strict ? (there ? 'message' : nothing ? 'nothing' : undefined) : undefined;
  const answer = watch(
    ask().then((delivery) => {
      driver.guard(() => {
        if (delivery === undefined) driver.model.deliveries.gaveUp(queue, taker);
        else received(driver, made, delivery);
      });
      return delivery;
    }),
  );
  const made: Pull = { queue, taker, answer, abort, brings };
  driver.pulls.push(made);
  return made;
}

/** The model does not know which of several that wait gets it. */
function received(driver: Driver, { queue, taker }: Pull, delivery: Delivery<Body>): void {
  driver.note(() => `    ${taker.name} got #${delivery.body.number}`);
  driver.hold(delivery, driver.model.deliveries.received(queue, taker, delivery.id));
}

function receive(driver: Driver, random: Random): boolean {
  const queue = drawSource(driver, random);
  const wait = chance(random, 0.6) ? 0 : between(random, 1, 30);
  const abort = wait > 0 && chance(random, 0.5) ? new AbortController() : undefined;
  if (queue.takers.filter(({ pulls }) => pulls).length > 3) return false;
  driver.note(() => `receive from ${queue.name}, wait ${wait}`);
  pull(driver, queue, wait, abort, () => driver.handle(queue).receive({ wait, signal: abort?.signal }));
  return true;
}

function abortReceive(driver: Driver, random: Random): boolean {
  const open = driver.pulls.filter(
    ({ abort, answer, queue, taker }) =>
      abort?.signal.aborted === false && answer.state === 'pending' && queue.takers.includes(taker),
  );
  if (!driver.quiet || open.length === 0) return false;
  const { queue, taker, abort } = pick(random, open);
  driver.note(() => `abort ${taker.name}`);
  driver.model.deliveries.leave(queue, taker);
  abort!.abort();
  return true;
}

function iterate(driver: Driver, random: Random): boolean {
  const idle = driver.iterations.filter((one) => one.pull === undefined || one.pull.answer.state !== 'pending');
  let iteration = idle.length > 0 && chance(random, 0.5) ? pick(random, idle) : undefined;
  if (iteration?.queue.gone === true) return false;
  if (iteration === undefined) {
    if (driver.iterations.length > 2) return false;
    const queue = drawSource(driver, random);
    const iterator = driver.handle(queue)[Symbol.asyncIterator]();
    iteration = { queue, iterator, pull: undefined, current: undefined };
    driver.iterations.push(iteration);
  }
  const { queue, iterator } = iteration;
  driver.note(() => `next() of ${queue.name}`);
  iteration.pull = pull(driver, queue, Infinity, undefined, async () => {
    const { value } = await iterator.next();
    return value as Delivery<Body> | undefined;
  });
  return true;
}

function breakIteration(driver: Driver, random: Random): boolean {
  const idle = driver.iterations.filter((one) => one.pull?.answer.state !== 'pending');
  if (idle.length === 0) return false;
  const iteration = pick(random, idle);
  const { iterator, pull: last } = iteration;
  driver.iterations = driver.iterations.filter((one) => one !== iteration);
  const value = last?.answer.value;
  const holding = driver.holdings.find(({ delivery }) => delivery === value);
  driver.note(() => `break, with ${String(holding?.hand.letter)}`);
  if (holding !== undefined)
    driver.model.world.expectations.silently(driver.now, () => driver.model.fates.giveUp(holding.hand));
  void iterator.return?.();
  return true;
}

function handlerReturns(driver: Driver, random: Random): boolean {
  const call = takeCall(driver, random);
  if (call === undefined) return false;
  const { run, resolve } = call;
  driver.note(() => `handler of ${call.member.taker.name} returns`);
  driver.model.fates.returned(run);
  driver.count(run.lost ? 'handler: returned late' : 'handler: returned');
  resolve();
  return true;
}

function handlerThrows(driver: Driver, random: Random): boolean {
  const call = takeCall(driver, random);
  if (call === undefined) return false;
  const error = drawError(random);
  throwing(driver, call.run, error, false);
  call.reject(error);
  return true;
}

function takeCall(driver: Driver, random: Random): Call | undefined {
  if (driver.calls.length === 0) return undefined;
  const call = pick(random, driver.calls);
  driver.calls = driver.calls.filter((other) => other !== call);
  return call;
}

async function closeConsumer(driver: Driver, random: Random): Promise<boolean> {
  const open = driver.members.filter(({ closing, queue }) => closing === undefined && !queue.gone);
  if (open.length === 0) return false;
  const member = pick(random, open);
  const { taker, consumer, queue, signal } = member;
  const timeout = pick(random, [undefined, 0, 5, 30]);
  // Whether a handler that returns just now is in time is left open.
  if (timeout === 0) await driver.rest();
  driver.note(() => `close ${taker.name}, timeout ${timeout}`);
  if (signal !== undefined) {
    driver.model.deliveries.close(queue, taker, 10_000);
    signal.abort();
    member.closing = watch(consumer.close());
  } else {
    driver.model.deliveries.close(queue, taker, timeout ?? 10_000);
    member.closing = watch(consumer.close(timeout === undefined ? undefined : { timeout }));
  }
  return true;
}

function pauseConsumer(driver: Driver, random: Random): boolean {
  const running = driver.members.filter(
    ({ taker, queue }) => !taker.paused && taker.closesAt === undefined && !queue.gone,
  );
  if (running.length === 0) return false;
  const { taker, consumer } = pick(random, running);
  driver.note(() => `pause ${taker.name}`);
  taker.paused = true;
  consumer.pause();
  return true;
}

function resumeConsumer(driver: Driver, random: Random): boolean {
  const paused = driver.members.filter(
    ({ taker, queue }) => taker.paused && taker.closesAt === undefined && !queue.gone,
  );
  if (paused.length === 0) return false;
  const { taker, consumer } = pick(random, paused);
  driver.note(() => `resume ${taker.name}`);
  taker.paused = false;
  consumer.resume();
  return true;
}

export const taking: Readonly<Record<string, Kind>> = {
  consume: { weight: 5, perform: (driver, random) => startConsumer(driver, random, false) },
  'consume batches': { weight: 2, perform: (driver, random) => startConsumer(driver, random, true) },
  'close consumer': { weight: 2, perform: closeConsumer },
  'pause consumer': { weight: 1.5, perform: pauseConsumer },
  'resume consumer': { weight: 2.5, perform: resumeConsumer },
  'handler returns': { weight: 9, perform: handlerReturns },
  'handler throws': { weight: 4, perform: handlerThrows },
  receive: { weight: 13, perform: receive },
  'abort receive': { weight: 8, perform: abortReceive },
  iterate: { weight: 2, perform: iterate },
  'break iteration': { weight: 2, calm: true, perform: breakIteration },
};

export type { Iteration };
