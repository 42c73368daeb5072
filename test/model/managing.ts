import type { Random } from '../../src/clock.js';
import { SluiceError } from '../../src/index.js';
import { between, chance, pick } from './chance.js';
import type { Kind } from './commands.js';
import { checkPeek } from './comparison.js';
import { ASIDE, drawQueue, GRAVEYARD, MAIN, optionsOf } from './configuration.js';
import type { Driver } from './driver.js';
import { diverge } from './divergence.js';
import type { QueueModel } from './queue-model.js';
import { drawSource } from './taking.js';
import { watch } from '../watched.js';

function drawQueueModel(driver: Driver, random: Random, share: number): QueueModel {
  return chance(random, share) ? driver.model.queue(MAIN) : pick(random, [...driver.model.queues.values()]);
}

async function pause(driver: Driver, random: Random): Promise<boolean> {
  const queue = drawQueueModel(driver, random, 0.8);
  if (queue.paused) return false;
  // As for a purge: what dies just now was taken before.
  if (!driver.model.world.exact) await driver.rest();
  driver.note(() => `pause ${queue.name}`);
  queue.paused = true;
  driver.handle(queue).pause();
  return true;
}

function resume(driver: Driver, random: Random): boolean {
  const paused = [...driver.model.queues.values()].filter((queue) => queue.paused);
  if (paused.length === 0) return false;
  const queue = pick(random, paused);
  driver.note(() => `resume ${queue.name}`);
  queue.paused = false;
  driver.handle(queue).resume();
  return true;
}

async function purge(driver: Driver, random: Random): Promise<boolean> {
  const queue = drawQueueModel(driver, random, 0.6);
  // Where writing takes time, nobody has heard yet of those that are dying.
  if (!driver.model.world.exact) await driver.rest();
  driver.note(() => `purge ${queue.name}`);
  const expected = driver.model.purge(queue);
  const answer = watch(driver.handle(queue).purge());
  await driver.rest();
  if (answer.value !== expected)
    diverge(`purge() of ${queue.name} says ${String(answer.value ?? answer.error)}, not ${expected}`);
  return true;
}

async function redrive(driver: Driver, random: Random): Promise<boolean> {
  const full = [...driver.model.queues.values()].filter(({ name, letters }) => name !== MAIN && letters.length > 0);
  const aside = chance(random, 0.2);
  const queue = aside ? driver.model.queue(MAIN) : full.length > 0 ? pick(random, full) : undefined;
  if (queue === undefined || queue.name === ASIDE) return false;
  const to = aside ? ASIDE : chance(random, 0.15) ? MAIN : undefined;
  // What a full queue turns away comes back into the one that is looked through, and may drop what is still to be moved.
  const targets = queue.letters.map(({ deaths }) => driver.model.queues.get(to ?? deaths[0]?.source ?? ''));
  const turnsAway = targets.some((target) =>
    ['dead-letter', 'drop-head'].includes(target?.configuration.overflow ?? ''),
  );
  if (queue.configuration.overflow === 'drop-head' && turnsAway) return false;
  const limit = chance(random, 0.3) ? between(random, 0, 3) : undefined;
  const modulus = chance(random, 0.3) ? 2 : 1;
  driver.note(() => `redrive ${queue.name} to ${to ?? 'where they died'}, limit ${limit}, every ${modulus}.`);
  const moving = driver.model.redrive(queue, to, limit ?? Infinity, ({ draft }) => draft.number % modulus === 0);
  const filter =
    modulus === 1
      ? undefined
      : ({ body }: { readonly body: { readonly number: number } }) => body.number % modulus === 0;
  const answer = watch(driver.handle(queue).redrive({ to, limit, filter }));
  await driver.rest();
  if (answer.value !== moving.length)
    diverge(`redrive() of ${queue.name} says ${String(answer.value ?? answer.error)}, not ${moving.length}`);
  return true;
}

async function peek(driver: Driver, random: Random): Promise<boolean> {
  const queue = drawQueueModel(driver, random, 0.7);
  const limit = chance(random, 0.4) ? between(random, 0, 4) : 5000;
  const answer = watch(driver.handle(queue).peek(limit));
  await driver.rest();
  if (answer.state !== 'resolved') diverge(`peek() of ${queue.name} is ${answer.state}: ${String(answer.error)}`);
  checkPeek(answer.value!, queue.waiting, limit, driver.now);
  return true;
}

function idle(driver: Driver, random: Random): boolean {
  const queue = drawSource(driver, random);
  driver.note(() => `idle ${queue.name}`);
  driver.idles.push({ queue, answer: watch(driver.handle(queue).idle()) });
  return true;
}

/** Bodies that were good enough are so no more, or again. */
function tighten(driver: Driver): boolean {
  const queue = driver.model.queue(MAIN);
  if (!queue.configuration.schema) return false;
  queue.strict = !queue.strict;
  driver.note(() => `bodies have to be ${queue.strict ? 'strict' : 'anything'}`);
  return true;
}

async function advance(driver: Driver, by: number, random: Random): Promise<boolean> {
  // A storage is at work for some turns, and must not be so at two times.
  const steps = driver.configuration.storage === 'journal' || chance(random, 0.6) ? Infinity : 0;
  driver.note(() => `advance by ${by}${steps === 0 ? ' at once' : ''}`);
  await driver.advance(by, steps);
  return true;
}

function advanceToNext(driver: Driver, random: Random): Promise<boolean> | boolean {
  const next = driver.model.rest.nextInstant - driver.now;
  return next < 1000 ? advance(driver, next, random) : false;
}

async function recreate(driver: Driver, random: Random): Promise<boolean> {
  const { model, broker } = driver;
  const name = chance(random, 0.7)
    ? MAIN
    : pick(
        random,
        [...model.queues.keys()].filter((one) => one !== MAIN && one !== ASIDE),
      );
  const queue = model.queue(name);
  driver.note(() => `delete ${name}`);
  model.delete(name);
  const old = driver.forget(queue);
  const answer = watch(broker.delete(name));
  await driver.rest();
  if (answer.state !== 'resolved') diverge(`delete() of ${name} is ${answer.state}`);
  if (name === MAIN) driver.declare(name, drawQueue(random));
  else if (name === GRAVEYARD) driver.declare(name, { ...drawQueue(random), schema: false, deadLetter: undefined });
  if (old === undefined) return true;
  const late = watch(old.send({ number: -1, text: '' }));
  await driver.rest();
  if (!SluiceError.is(late.error, 'ERR_UNKNOWN_DESTINATION')) diverge(`a handle of the deleted ${name} still works`);
  return true;
}

/** The same once more, or something else. */
function redeclare(driver: Driver, random: Random): boolean {
  const { broker } = driver;
  const queue = driver.model.queue(MAIN);
  const handle = driver.handle(queue);
  const again = chance(random, 0.5)
    ? broker.queue(MAIN)
    : broker.queue(
        MAIN,
        optionsOf(queue.configuration, () => queue.strict),
      );
  if (again !== (handle as unknown)) diverge('another declaration made another queue');
  try {
    broker.queue(MAIN, { maxLength: 77 });
  } catch (error) {
    if (SluiceError.is(error, 'ERR_DECLARATION_MISMATCH')) return true;
  }
  diverge('a declaration that does not match was accepted');
}

export const managing: Readonly<Record<string, Kind>> = {
  pause: { weight: 1.5, perform: pause },
  resume: { weight: 3, perform: resume },
  purge: { weight: 1, perform: purge },
  redrive: { weight: 2.5, calm: true, perform: redrive },
  peek: { weight: 1.5, calm: true, perform: peek },
  idle: { weight: 1, perform: idle },
  tighten: { weight: 6, calm: true, perform: tighten },
  advance: { weight: 6, calm: true, perform: (driver, random) => advance(driver, between(random, 1, 15), random) },
  'advance to the next': { weight: 5, calm: true, perform: advanceToNext },
  'advance far': {
    weight: 0.8,
    calm: true,
    perform: (driver, random) => advance(driver, between(random, 50, 2000), random),
  },
  'delete and declare again': { weight: 1.6, calm: true, perform: recreate },
  redeclare: { weight: 0.5, perform: redeclare },
};
