import type { Random } from '../../src/clock.js';
import type { ConsumeOptions, BatchOptions, Consumer, Delivery } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { between, chance } from './chance.js';
import type { Body, Driver, Holding } from './driver.js';
import { FATAL } from './configuration.js';
import { diverge } from './divergence.js';
import type { QueueModel } from './queue-model.js';
import { Taker, type Run, type TakerOptions } from './taker.js';
import type { Watched } from '../watched.js';

/** A consumer, and how its handler behaves. */
export interface Member {
  readonly queue: QueueModel;
  readonly taker: Taker;
  /** Its handler returns at once, or throws; else it waits to be told. */
  readonly prompt: boolean;
  readonly signal: AbortController | undefined;
  consumer: Consumer;
  closing: Watched<void> | undefined;
}

/** A handler that was called, and waits to be told what to do. */
export interface Call {
  readonly member: Member;
  readonly run: Run;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export function consume(
  driver: Driver,
  queue: QueueModel,
  options: TakerOptions,
  given: ConsumeOptions & BatchOptions,
  behaviour: { readonly prompt: boolean; readonly signal: AbortController | undefined },
): void {
  const taker = new Taker(options, driver.now);
  const member: Member = { queue, taker, ...behaviour, consumer: undefined as unknown as Consumer, closing: undefined };
  const handle = driver.handle(queue);
  driver.model.deliveries.join(queue, taker);
  driver.members.push(member);
  member.consumer =
    options.batch === undefined
      ? handle.consume((delivery) => called(driver, member, [delivery]), given)
      : handle.consumeBatch((deliveries) => called(driver, member, deliveries), given);
}

function called(driver: Driver, member: Member, deliveries: readonly Delivery<Body>[]): unknown {
  const { queue, taker } = member;
  let run: Run | undefined;
  driver.guard(() => {
    driver.note(() => `    ${taker.name} is called with ${deliveries.map(({ body }) => `#${body.number}`).join(' ')}`);
    run = driver.model.deliveries.handed(
      queue,
      taker,
      deliveries.map(({ id }) => id),
    );
    const { hands } = run;
    if (taker.options.ack !== 'none') deliveries.forEach((delivery, n) => driver.hold(delivery, hands[n]!));
  });
  if (run === undefined || driver.failed) return undefined;
  return member.prompt ? atOnce(driver, member, run) : later(driver, member, run);
}

function later(driver: Driver, member: Member, run: Run): Promise<void> {
  return new Promise((resolve, reject) => driver.calls.push({ member, run, resolve, reject }));
}

/** What it does depends on what it got alone: not on what happens elsewhere. */
function atOnce(driver: Driver, { taker }: Member, run: Run): undefined {
  const { letter } = run.hands[0]!;
  const random = seededRandom(driver.seed ^ Math.imul(letter.draft.number + 1, 0x9e3779b1) ^ letter.deliveries);
  if (taker.options.ack === 'manual') {
    for (const holding of driver.holdings.filter(({ hand }) => run.hands.includes(hand))) {
      driver.guard(() => settleSomehow(driver, holding, random));
    }
  }
  const tries = letter.deaths.reduce((sum, { count }) => sum + count, letter.deliveries);
  if (tries < 4 && chance(random, 0.2)) {
    const error = drawError(random);
    throwing(driver, run, error, true);
    throw error;
  }
  driver.model.fates.returned(run);
  driver.count('handler: returned');
  return undefined;
}

function settleSomehow(driver: Driver, holding: Holding, random: Random): void {
  const { deaths, deliveries } = holding.hand.letter;
  const lives = deaths.reduce((sum, { count }) => sum + count, 0);
  const draw = random();
  if (draw < 0.6) settle(driver, holding, 'ack');
  else if (draw < 0.75 && lives < 3) nack(driver, holding, undefined, drawError(random));
  else if (draw < 0.85 && lives < 3) settle(driver, holding, 'reject');
  else if (draw < 0.95 && deliveries < 4) settle(driver, holding, 'requeue');
}

export function drawError(random: Random): Error {
  return new Error(chance(random, 0.3) ? FATAL : `boom ${between(random, 1, 9)}`);
}

export function throwing(driver: Driver, run: Run, error: Error, atOnce: boolean): void {
  const [first] = run.hands;
  driver.note(() => `  handler of ${first!.taker.name} throws ${error.message}`);
  driver.model.fates.threw(run, error, atOnce);
  if (first!.taker.options.ack === 'none') driver.awaitedErrors.push(error.message);
  driver.count('handler: threw');
}

// Verbs: the model is told first, and knows what they return.

export function settle(
  driver: Driver,
  { delivery, hand }: Holding,
  verb: 'ack' | 'reject' | 'requeue',
  delay?: number,
): void {
  const expected = hand.live;
  driver.note(() => `${verb} ${hand.letter} ${delay ?? ''}`);
  driver.model.fates.settle(hand, verb, { delay });
  const options = delay === undefined ? undefined : { delay };
  const found = verb === 'ack' ? delivery.ack() : verb === 'reject' ? delivery.reject() : delivery.requeue(options);
  said(driver, delay === undefined ? verb : `${verb} later`, found, expected);
}

export function rejectFor(driver: Driver, { delivery, hand }: Holding, reason: string): void {
  driver.note(() => `reject ${hand.letter} for ${reason}`);
  const expected = driver.model.fates.settle(hand, 'reject', { error: reason });
  said(driver, 'reject', delivery.reject(reason), expected);
}

export function nack(
  driver: Driver,
  { delivery, hand }: Holding,
  delay: number | undefined,
  error: Error | undefined,
): void {
  driver.note(() => `nack ${hand.letter} ${delay ?? ''} ${error?.message ?? ''}`);
  const expected = driver.model.fates.settle(hand, 'nack', { delay, error: error?.message });
  const found = delivery.nack(delay === undefined && error === undefined ? undefined : { delay, error });
  said(driver, delay === undefined ? 'nack' : 'nack later', found, expected);
}

export function extend(driver: Driver, { delivery, hand }: Holding, by: number | undefined): void {
  driver.note(() => `extend ${hand.letter} ${by ?? ''}`);
  const expected = driver.model.fates.extend(hand, by);
  said(driver, 'extend', delivery.extend(by), expected);
}

function said(driver: Driver, verb: string, found: boolean, expected: boolean): void {
  if (found !== expected) diverge(`${verb} returned ${found}, not ${expected}`);
  driver.count(expected ? `${verb}: true` : `${verb}: too late`);
}
