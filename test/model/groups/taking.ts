import type { Random } from '../../../src/clock.js';
import { between, chance, pick } from '../chance.js';
import { watch } from '../driver.js';
import { diverge } from '../divergence.js';
import type { Kind } from './commands.js';
import { isTakable } from './comparison.js';
import type { Driver, Iteration, Message, Pull } from './driver.js';
import type { GroupModel } from './group-model.js';
import { MemberModel } from './member-model.js';
import { consume, returned, threw } from './members.js';

const MOST_CONSUMERS = 4;

export function drawGroup(driver: Driver, random: Random): GroupModel {
  return pick(random, driver.groups);
}

function startConsumer(driver: Driver, random: Random, batched: boolean): boolean {
  const group = drawGroup(driver, random);
  if (group.members.filter(({ closesAt }) => closesAt === undefined).length >= MOST_CONSUMERS) return false;
  const wait = batched && chance(random, 0.4) ? between(random, 1, 3) * 10 : 0;
  const size = batched ? between(random, 2, 4) : 1;
  const concurrency = between(random, 1, batched ? 2 : 4);
  const prefetch = chance(random, 0.5) ? concurrency * size + between(random, 0, 3) : undefined;
  const ack = pick(random, ['auto', 'auto', 'auto', 'manual', 'manual', 'none'] as const);
  const ackTimeout = chance(random, 0.3) ? pick(random, [20, 40, false] as const) : undefined;
  const name = `${batched ? 'b' : 'c'}${driver.numbers++}`;
  const prompt = chance(random, 0.5);
  const batch = batched ? { size, wait } : {};
  const given = { name, concurrency, ack, prefetch, ackTimeout, ...batch };
  driver.note(() => `consume ${group.name} ${JSON.stringify(given)}${prompt ? ' promptly' : ''}`);
  const options = {
    name,
    kind: batched ? 'batch' : 'single',
    concurrency,
    size,
    prefetch: prefetch ?? concurrency * size,
    ack,
    ackTimeout: ackTimeout === undefined ? group.ackTimeout : ackTimeout === false ? Infinity : ackTimeout,
  } as const;
  consume(driver, group, options, given, prompt);
  return true;
}

/** All who pull are one member. */
function puller(group: GroupModel): MemberModel {
  let member = group.members.find(({ options }) => options.kind === 'pull');
  if (member !== undefined) return member;
  member = new MemberModel({
    name: 'receive',
    kind: 'pull',
    concurrency: Infinity,
    size: 1,
    prefetch: Infinity,
    ack: 'manual',
    ackTimeout: group.ackTimeout,
  });
  group.members.push(member);
  return member;
}

function pull(
  driver: Driver,
  group: GroupModel,
  wait: number,
  abort: AbortController | undefined,
  ask: () => Promise<Message | undefined>,
): Pull {
  const alone = !group.members.some(({ sits }) => sits);
  const member = puller(group);
  const takable = group.letters.some((_, partition) => {
    const letters = group.kept(partition);
    return letters.some((letter) => isTakable(group, letter, letters));
  });
  const sure =
    driver.quiet && alone && !group.paused && takable && !group.letters.flat().some(({ state }) => state === 'hand');
  const moves = group.moves.length;
  member.waiting++;
  member.heard();
  const answer = watch(
    ask().then(
      (delivery) => {
        driver.guard(() => {
          if (!driver.pulls.includes(made)) return;
          driver.count(delivery === undefined ? 'receive: nothing' : 'receive: a message');
          driver.note(() => `    receive got ${delivery === undefined ? 'nothing' : `#${delivery.body.number}`}`);
          if (delivery === undefined) {
            member.waiting--;
            if (sure && !group.paused && group.moves.length === moves)
              diverge(`receive from ${group.name} got nothing, and there was something`);
          } else driver.claim(group, member, delivery);
        });
        return delivery;
      },
      (error: unknown) => {
        if (driver.pulls.includes(made)) member.waiting--;
        throw error;
      },
    ),
  );
  const made: Pull = { group, answer, abort };
  driver.pulls.push(made);
  return made;
}

function receive(driver: Driver, random: Random): boolean {
  const group = drawGroup(driver, random);
  const wait = chance(random, 0.6) ? 0 : between(random, 1, 4) * 10;
  const abort = wait > 0 && chance(random, 0.4) ? new AbortController() : undefined;
  if (driver.pulls.filter(({ answer }) => answer.state === 'pending').length > 3) return false;
  driver.note(() => `receive from ${group.name}, wait ${wait}`);
  pull(driver, group, wait, abort, () => driver.handleOf(group).receive({ wait, signal: abort?.signal }));
  return true;
}

function abortReceive(driver: Driver, random: Random): boolean {
  const open = driver.pulls.filter(
    ({ abort, answer }) => abort?.signal.aborted === false && answer.state === 'pending',
  );
  if (open.length === 0) return false;
  driver.note(() => 'abort a receive');
  pick(random, open).abort!.abort();
  return true;
}

function iterate(driver: Driver, random: Random): boolean {
  const idle = driver.iterations.filter((one) => one.pull?.answer.state !== 'pending');
  let iteration: Iteration | undefined = idle.length > 0 && chance(random, 0.5) ? pick(random, idle) : undefined;
  if (iteration === undefined) {
    if (driver.iterations.length > 2) return false;
    const group = drawGroup(driver, random);
    iteration = {
      group,
      iterator: driver.handleOf(group)[Symbol.asyncIterator](),
      pull: undefined,
      current: undefined,
    };
    driver.iterations.push(iteration);
  }
  const { group, iterator } = iteration;
  driver.note(() => `next() of ${group.name}`);
  iteration.pull = pull(driver, group, Infinity, undefined, async () => {
    const { value } = await iterator.next();
    return value as Message | undefined;
  });
  return true;
}

function breakIteration(driver: Driver, random: Random): boolean {
  const idle = driver.iterations.filter((one) => one.pull?.answer.state === 'resolved');
  if (idle.length === 0) return false;
  const iteration = pick(random, idle);
  const { iterator, group, pull: last } = iteration;
  driver.iterations = driver.iterations.filter((one) => one !== iteration);
  const value = last!.answer.value;
  const hand = driver.hands.find(({ delivery, live }) => live && delivery === value);
  driver.note(() => `break, with ${String(hand?.letter)}`);
  const member = puller(group);
  member.heard();
  if (hand !== undefined) group.back(hand.letter, 0, false);
  void iterator.return?.();
  return true;
}

function handlerEnds(driver: Driver, random: Random, error: Error | undefined): boolean {
  if (driver.calls.length === 0) return false;
  const call = pick(random, driver.calls);
  driver.calls = driver.calls.filter((other) => other !== call);
  const { run } = call;
  driver.note(
    () =>
      `handler of ${run.member} with ${run.hands.map(({ letter }) => String(letter)).join(' ')} ${error === undefined ? 'returns' : 'throws'}`,
  );
  if (error === undefined) {
    returned(driver, run);
    call.resolve();
  } else {
    threw(driver, run, error);
    call.reject(error);
  }
  return true;
}

function closeConsumer(driver: Driver, random: Random): boolean {
  const open = driver.members.filter(({ closing }) => closing === undefined);
  if (open.length === 0) return false;
  const member = pick(random, open);
  const timeout = pick(random, [undefined, 0, 20, 50]);
  driver.note(() => `close ${member.model}, timeout ${timeout}`);
  member.model.closesAt = driver.now + (timeout ?? 10_000);
  member.closing = watch(member.consumer.close(timeout === undefined ? undefined : { timeout }));
  return true;
}

function pauseConsumer(driver: Driver, random: Random, paused: boolean): boolean {
  const some = driver.members.filter(({ model }) => model.paused !== paused && model.closesAt === undefined);
  if (some.length === 0) return false;
  const { model, consumer } = pick(random, some);
  driver.note(() => `${paused ? 'pause' : 'resume'} ${model}`);
  model.paused = paused;
  if (paused) consumer.pause();
  else consumer.resume();
  return true;
}

export const taking: Readonly<Record<string, Kind>> = {
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
