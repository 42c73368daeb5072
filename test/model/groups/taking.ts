import type { Random } from '../../../src/clock.js';
import { between, chance, pick } from '../chance.js';
import type { Kind } from '../deck.js';
import { watch } from '../../watched.js';
import type { Driver, Iteration, Pull } from './driver.js';
import { Member, PULLER, type Message } from './hand.js';
import type { Ledger } from './ledger.js';
import { claim, consume, ended } from './members.js';
import { checkCall } from './order.js';

const MOST_CONSUMERS = 4;
const MOST_PULLS = 3;
const MOST_ITERATIONS = 3;

function startConsumer(driver: Driver, random: Random, batched: boolean): boolean {
  const ledger = pick(random, driver.ledgers);
  const open = driver.consumers.filter((one) => one.ledger === ledger && one.closing === undefined);
  if (open.length >= MOST_CONSUMERS) return false;
  const wait = batched && chance(random, 0.4) ? between(random, 1, 3) * 10 : 0;
  const size = batched ? between(random, 2, 4) : 1;
  const concurrency = between(random, 1, batched ? 2 : 4);
  const least = concurrency * size;
  const prefetch = chance(random, 0.5) ? least + between(random, 0, 3) : undefined;
  const ack = pick(random, ['auto', 'auto', 'auto', 'manual', 'manual', 'none'] as const);
  const ackTimeout = chance(random, 0.3) ? pick(random, [20, 40, false] as const) : undefined;
  const name = `${batched ? 'b' : 'c'}${driver.numbers++}`;
  const prompt = chance(random, 0.5);
  const given = { name, concurrency, ack, prefetch, ackTimeout, ...(batched ? { size, wait } : {}) };
  driver.note(() => `consume ${ledger.name} ${JSON.stringify(given)}${prompt ? ' promptly' : ''}`);
  const timeout = ackTimeout === undefined ? ledger.ackTimeout : ackTimeout === false ? Infinity : ackTimeout;
  const kind = batched ? 'batch' : 'single';
  const options = { name, kind, concurrency, prefetch: prefetch ?? least, ack, ackTimeout: timeout } as const;
  consume(driver, ledger, options, given, prompt ? 'prompt' : 'told');
  return true;
}

function puller(ledger: Ledger): Member {
  let member = ledger.members.get(PULLER);
  if (member !== undefined) return member;
  const { ackTimeout } = ledger;
  const [concurrency, prefetch] = [Infinity, Infinity];
  member = new Member({ name: PULLER, kind: 'pull', concurrency, prefetch, ack: 'manual', ackTimeout });
  ledger.members.set(PULLER, member);
  return member;
}

function pull(
  driver: Driver,
  ledger: Ledger,
  wait: number,
  abort: AbortController | undefined,
  ask: () => Promise<Message | undefined>,
): Pull {
  const member = puller(ledger);
  member.speaks();
  const { guard } = driver.process;
  const answer = watch(
    ask().then((message) => {
      guard(() => {
        if (ledger.members.get(PULLER) !== member) return;
        driver.count(message === undefined ? 'receive: nothing' : 'receive: a message');
        driver.note(() => `    receive got ${message === undefined ? 'nothing' : `#${message.body.number}`}`);
        // The group may have been moved while it was on its way.
        if (message === undefined || message.signal.aborted) return;
        checkCall(ledger, member, [claim(ledger, member, message)]);
      });
      return message;
    }),
  );
  const made: Pull = { ledger, answer, abort, until: driver.now + wait };
  driver.pulls.push(made);
  return made;
}

function receive(driver: Driver, random: Random): boolean {
  const ledger = pick(random, driver.ledgers);
  const wait = chance(random, 0.6) ? 0 : between(random, 1, 4) * 10;
  const abort = wait > 0 && chance(random, 0.4) ? new AbortController() : undefined;
  if (driver.pulls.length > MOST_PULLS) return false;
  driver.note(() => `receive from ${ledger.name}, wait ${wait}`);
  pull(driver, ledger, wait, abort, () => ledger.handle.receive({ wait, signal: abort?.signal }));
  return true;
}

function abortReceive(driver: Driver, random: Random): boolean {
  const open = driver.pulls.filter(({ abort }) => abort?.signal.aborted === false);
  if (open.length === 0) return false;
  driver.note(() => 'abort a receive');
  pick(random, open).abort!.abort();
  return true;
}

function iterate(driver: Driver, random: Random): boolean {
  const idle = driver.iterations.filter((one) => one.pull?.answer.state !== 'pending');
  let iteration: Iteration | undefined = idle.length > 0 && chance(random, 0.5) ? pick(random, idle) : undefined;
  if (iteration === undefined) {
    if (driver.iterations.length >= MOST_ITERATIONS) return false;
    const ledger = pick(random, driver.ledgers);
    iteration = { ledger, iterator: ledger.handle[Symbol.asyncIterator](), pull: undefined };
    driver.iterations.push(iteration);
  }
  const { ledger, iterator } = iteration;
  driver.note(() => `next() of ${ledger.name}`);
  iteration.pull = pull(driver, ledger, Infinity, undefined, async () => {
    const { value } = await iterator.next();
    return value as Message | undefined;
  });
  return true;
}

function breakIteration(driver: Driver, random: Random): boolean {
  const idle = driver.iterations.filter((one) => one.pull?.answer.state === 'resolved');
  if (idle.length === 0) return false;
  const iteration = pick(random, idle);
  const { iterator, ledger, pull: last } = iteration;
  driver.iterations = driver.iterations.filter((one) => one !== iteration);
  const hand = driver.hands.find(({ delivery, over }) => !over && delivery === last!.answer.value);
  driver.note(() => `break, with ${String(hand?.letter)}`);
  puller(ledger).speaks();
  // Given back, no attempt counted.
  hand?.end();
  void iterator.return?.();
  return true;
}

function handlerEnds(driver: Driver, random: Random, error: Error | undefined): boolean {
  if (driver.calls.length === 0) return false;
  const call = pick(random, driver.calls);
  driver.calls = driver.calls.filter((other) => other !== call);
  const { run, member } = call;
  const how = error === undefined ? 'returned' : 'threw';
  driver.note(() => `handler of ${member} ${how}, with ${run.hands.map(({ letter }) => String(letter)).join(' ')}`);
  ended(driver, member, run, how);
  if (error === undefined) call.resolve();
  else call.reject(error);
  return true;
}

function closeConsumer(driver: Driver, random: Random): boolean {
  const open = driver.consumers.filter(({ closing }) => closing === undefined);
  if (open.length === 0) return false;
  const consuming = pick(random, open);
  const { member, consumer } = consuming;
  const timeout = pick(random, [undefined, 0, 20, 50]);
  driver.note(() => `close ${member}, timeout ${timeout}`);
  member.closesAt = driver.now + (timeout ?? 10_000);
  consuming.closing = watch(consumer.close(timeout === undefined ? undefined : { timeout }));
  return true;
}

function pauseConsumer(driver: Driver, random: Random, paused: boolean): boolean {
  const some = driver.consumers.filter(({ member }) => member.paused !== paused && member.closesAt === undefined);
  if (some.length === 0) return false;
  const { member, consumer } = pick(random, some);
  driver.note(() => `${paused ? 'pause' : 'resume'} ${member}`);
  member.paused = paused;
  if (paused) consumer.pause();
  else consumer.resume();
  return true;
}

export const taking: Readonly<Record<string, Kind<Driver>>> = {
  consume: { weight: 3, perform: (driver, random) => startConsumer(driver, random, false) },
  'consume batches': { weight: 2, perform: (driver, random) => startConsumer(driver, random, true) },
  'close consumer': { weight: 2.5, perform: closeConsumer },
  'pause consumer': { weight: 0.7, perform: (driver, random) => pauseConsumer(driver, random, true) },
  'resume consumer': { weight: 1.2, perform: (driver, random) => pauseConsumer(driver, random, false) },
  'handler returns': { weight: 9, perform: (driver, random) => handlerEnds(driver, random, undefined) },
  'handler throws': { weight: 4, perform: (driver, random) => handlerEnds(driver, random, new Error('boom')) },
  receive: { weight: 5, perform: receive },
  'abort receive': { weight: 2, calm: true, perform: abortReceive },
  iterate: { weight: 2, perform: iterate },
  'break iteration': { weight: 2, calm: true, perform: breakIteration },
};
