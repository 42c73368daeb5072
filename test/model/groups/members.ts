import type { BatchOptions, Consumer, ConsumeOptions } from '../../../src/index.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';
import { chance } from '../chance.js';
import type { Watched } from '../driver.js';
import { diverge } from '../divergence.js';
import type { Driver, Message } from './driver.js';
import type { GroupModel } from './group-model.js';
import { MemberModel, type Hand, type MemberOptions, type Run } from './member-model.js';

/** A consumer, and how its handler behaves. */
export interface Member {
  readonly group: GroupModel;
  readonly model: MemberModel;
  /** Its handler returns at once, or throws; else it waits to be told. */
  readonly prompt: boolean;
  consumer: Consumer;
  closing: Watched<void> | undefined;
}

export function consume(
  driver: Driver,
  group: GroupModel,
  options: MemberOptions,
  given: ConsumeOptions & BatchOptions,
  prompt: boolean,
): void {
  const model = new MemberModel(options);
  const member: Member = { group, model, prompt, consumer: undefined as unknown as Consumer, closing: undefined };
  const handle = driver.handleOf(group);
  group.members.push(model);
  driver.members.push(member);
  member.consumer =
    options.kind === 'batch'
      ? handle.consumeBatch((deliveries) => called(driver, member, deliveries), given)
      : handle.consume((delivery) => called(driver, member, [delivery]), given);
}

function called(driver: Driver, member: Member, deliveries: readonly Message[]): unknown {
  const { group, model } = member;
  let run: Run | undefined;
  if (!driver.members.includes(member)) return undefined;
  driver.guard(() => {
    driver.note(
      () =>
        `    ${model} is called with ${deliveries.map(({ body, attempt }) => `#${body.number}:${attempt}`).join(' ')}`,
    );
    if (model.options.ack === 'none') return checkUnacked(driver, group, deliveries);
    const hands = deliveries.map((delivery) => driver.claim(group, model, delivery));
    run = begin(group, model, hands);
  });
  if (driver.failed) return undefined;
  run ??= begin(group, model, []);
  driver.count(`handled: ${Math.min(run.hands.length, 3)}`);
  return member.prompt ? atOnce(driver, member, run) : later(driver, run);
}

/** They are acknowledged already. */
function checkUnacked(driver: Driver, group: GroupModel, deliveries: readonly Message[]): void {
  for (const { partition, offset, id } of deliveries) {
    const { entry } = group.letters[partition]![offset]!;
    if (entry.id !== id) diverge(`${partition}@${offset} is ${id}, not ${entry.id}`);
    driver.count('handled: acked before');
  }
}

function begin(group: GroupModel, member: MemberModel, hands: readonly Hand[]): Run {
  const run: Run = { member, hands, lost: false, ended: undefined };
  for (const hand of hands) {
    const { letter } = hand;
    if (!hand.live) diverge(`${member} is called with ${letter}, which was taken back`);
    if (hand.alone && member.options.kind === 'batch' && hands.length > 1) diverge(`${letter} came in a batch again`);
    hand.run = run;
  }
  for (const { letter } of hands) {
    for (const other of group.kept(letter.entry.partition)) {
      if (other.state !== 'hand' || other.hand!.run === run || !group.areOrdered(letter, other)) continue;
      if (other !== letter) diverge(`${member} is called with ${letter}, while ${other} is in hand`);
    }
  }
  const places = hands.map(({ letter }) => letter);
  places.forEach((letter, n) => {
    const before = places
      .slice(0, n)
      .find((other) => group.areOrdered(letter, other) && other.entry.offset > letter.entry.offset);
    if (before !== undefined && !letter.done) diverge(`${member} is called with ${before} before ${letter}`);
  });
  member.running.add(run);
  return run;
}

function later(driver: Driver, run: Run): Promise<void> {
  return new Promise((resolve, reject) => driver.calls.push({ run, resolve, reject }));
}

/** What it does depends on what it got alone: not on what happens elsewhere. */
function atOnce(driver: Driver, { group, model }: Member, run: Run): undefined {
  const [first] = run.hands;
  const random = seededRandom(
    driver.seed ^ Math.imul((first?.letter.entry.number ?? 0) + 1, 0x9e3779b1) ^ (first?.deliveries ?? 0),
  );
  if (model.options.ack === 'manual')
    for (const hand of run.hands) driver.guard(() => settleSomehow(driver, group, hand, random));
  const tries = (first?.deliveries ?? 0) + (first?.letter.dead ?? 0);
  if (tries < 4 && chance(random, 0.2)) {
    const error = new Error('boom');
    threw(driver, run, error);
    throw error;
  }
  returned(driver, run);
  return undefined;
}

export function returned(driver: Driver, run: Run): void {
  run.ended = 'returned';
  ended(driver, run, 'returned');
}

export function threw(driver: Driver, run: Run, error: Error): void {
  run.ended = error;
  if (run.member.options.ack === 'none') driver.awaitedErrors.push(error.message);
  ended(driver, run, 'threw');
}

function ended(driver: Driver, run: Run, how: string): void {
  const { member } = run;
  const { ack } = member.options;
  member.running.delete(run);
  // It settles what it had, or tries to.
  if (ack === 'auto' || (ack === 'manual' && how === 'threw')) member.heard();
  if (member.lost.delete(run) && member.lost.size === 0) member.heard();
  driver.count(`handler: ${how}${run.lost ? ' late' : ''}`);
}

function settleSomehow(driver: Driver, group: GroupModel, hand: Hand, random: () => number): void {
  const tries = hand.deliveries + hand.letter.dead;
  const draw = random();
  if (draw < 0.6 || tries > 4) settle(driver, group, hand, 'ack');
  else if (draw < 0.75) settle(driver, group, hand, 'nack');
  else if (draw < 0.85) settle(driver, group, hand, 'reject');
  else if (draw < 0.95) settle(driver, group, hand, 'requeue');
}

/** Calls a verb; the model knows what it returns. */
export function settle(
  driver: Driver,
  group: GroupModel,
  hand: Hand,
  verb: 'ack' | 'nack' | 'reject' | 'requeue',
  delay?: number,
): void {
  const { letter, delivery } = hand;
  driver.note(() => `${verb} ${letter} ${delay ?? ''}`);
  const expected = group.verb(hand, verb, delay);
  const options = delay === undefined ? undefined : { delay };
  const done =
    verb === 'ack'
      ? delivery!.ack()
      : verb === 'nack'
        ? delivery!.nack(options)
        : verb === 'reject'
          ? delivery!.reject('no')
          : delivery!.requeue(options);
  if (done !== expected) diverge(`${verb} of ${letter} returned ${done}`);
  if (hand.live) diverge(`${verb} of ${letter} did nothing`);
  driver.count(`${verb}: ${expected ? 'done' : 'late'}`);
}
