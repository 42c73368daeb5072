import type { BatchOptions, Consumer, ConsumeOptions } from '../../../src/index.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';
import { chance } from '../chance.js';
import { diverge } from '../divergence.js';
import type { Watched } from '../../watched.js';
import { TOPIC } from './configuration.js';
import type { Driver } from './driver.js';
import { Member, type Hand, type MemberOptions, type Message, type Run, type Verb } from './hand.js';
import type { Ledger } from './ledger.js';
import { checkCall, checkMessage } from './order.js';

/** A handler returns at once, or throws; or it waits to be told; or it never fails. */
export type Manner = 'prompt' | 'told' | 'diligent';

/** A consumer, and how its handler behaves. */
export interface Consuming {
  readonly ledger: Ledger;
  readonly member: Member;
  readonly manner: Manner;
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
  ledger: Ledger,
  options: MemberOptions,
  given: ConsumeOptions & BatchOptions,
  manner: Manner,
): void {
  const member = new Member(options);
  const consuming: Consuming = {
    ledger,
    member,
    manner,
    consumer: undefined as unknown as Consumer,
    closing: undefined,
  };
  ledger.members.set(member.name, member);
  driver.consumers.push(consuming);
  consuming.consumer =
    options.kind === 'batch'
      ? ledger.handle.consumeBatch((deliveries) => called(driver, consuming, deliveries), given)
      : ledger.handle.consume((delivery) => called(driver, consuming, [delivery]), given);
}

function called(driver: Driver, consuming: Consuming, messages: readonly Message[]): unknown {
  const { ledger, member, manner } = consuming;
  if (!driver.consumers.includes(consuming) || driver.failed) return undefined;
  const deliveries = messages[0]!.deliveries;
  const { number } = messages[0]!.body;
  driver.note(
    () => `    ${member} is called with ${messages.map(({ body, attempt }) => `#${body.number}:${attempt}`).join(' ')}`,
  );
  // Acknowledged before its handler runs: the group may be elsewhere by now.
  const before = member.options.ack === 'none';
  const run = driver.guard(() => (before ? settledBefore : held)(ledger, member, messages));
  if (run === undefined) return undefined;
  member.running.add(run);
  driver.count(`handled: ${messages.length > 2 ? 'many' : messages.length}`);
  if (manner === 'diligent') return ended(driver, member, run, 'returned');
  const random = seededRandom(driver.seed ^ Math.imul(number + 1, 0x9e3779b1) ^ deliveries);
  if (manner === 'prompt') return atOnce(driver, member, run, random, deliveries);
  return new Promise<void>((resolve, reject) => driver.calls.push({ member, run, resolve, reject }));
}

function held(ledger: Ledger, member: Member, messages: readonly Message[]): Run {
  const hands = messages.map((message) => claim(ledger, member, message));
  return checkCall(ledger, member, hands);
}

function settledBefore(ledger: Ledger, _: Member, messages: readonly Message[]): Run {
  const letters = messages.map(({ id }) => ledger.letterOf(id));
  messages.forEach((message, n) => checkMessage(letters[n]!, message.attempt, message, TOPIC));
  return { hands: [], alone: letters.some(({ tried }) => tried), ended: undefined };
}

/** A message is in the hands of whoever asked for it. */
export function claim(ledger: Ledger, member: Member, message: Message): Hand {
  const { hand } = ledger.letterOf(message.id);
  if (hand?.member !== member || hand.delivery !== undefined)
    return diverge(`${member} got ${message.id}, which was not delivered to him`);
  checkMessage(hand.letter, hand.attempt, message, TOPIC);
  hand.delivery = message;
  return hand;
}

/** What it does depends on what it got alone: not on what happens elsewhere. */
function atOnce(driver: Driver, member: Member, run: Run, random: () => number, deliveries: number): undefined {
  if (member.options.ack === 'manual') {
    for (const hand of run.hands) {
      const draw = random();
      const verb = draw < 0.6 || deliveries > 3 ? 'ack' : draw < 0.75 ? 'nack' : draw < 0.85 ? 'reject' : 'requeue';
      if (draw < 0.95) driver.guard(() => settle(driver, hand, verb));
    }
  }
  if (deliveries < 4 && chance(random, 0.2)) {
    const error = new Error('boom');
    ended(driver, member, run, 'threw');
    throw error;
  }
  ended(driver, member, run, 'returned');
  return undefined;
}

export function ended(driver: Driver, member: Member, run: Run, how: 'returned' | 'threw'): void {
  run.ended = how;
  member.running.delete(run);
  // It settles what it had, or tries to.
  member.mute = false;
  if (member.options.ack === 'auto') member.speaks();
  if (how === 'threw' && member.options.ack === 'none') driver.awaitedErrors.push('boom');
  driver.count(`handler: ${how}`);
}

/** Calls a verb. What is in hand for sure is settled once; what is not any more is not. */
export function settle(driver: Driver, hand: Hand, verb: Verb, delay?: number): void {
  const { letter, member } = hand;
  driver.note(() => `${verb} ${letter} ${delay ?? ''}`);
  const before = hand.over ? false : hand.certain(driver.now) ? true : undefined;
  Object.assign(hand, before === false ? {} : { verb, delay });
  member.speaks();
  const done = call(hand.delivery!, verb, delay);
  if (before !== undefined && done !== before) diverge(`${verb} of ${hand} returned ${done}`);
  driver.count(`${verb}: ${done ? 'done' : 'late'}`);
  // An event has told of it, or will.
  if (!done || hand.over) return;
  if (verb === 'ack') diverge(`${hand} was acked, and that was not told`);
  const ledger = driver.ledgerOf(hand);
  if (verb === 'requeue') letter.readyAt = driver.now + (delay ?? 0);
  else letter.dying.push(hand);
  if (verb === 'requeue') ledger?.givenBack(hand);
  else hand.end();
}

function call(delivery: Message, verb: Verb, delay: number | undefined): boolean {
  const options = delay === undefined ? undefined : { delay };
  if (verb === 'ack') return delivery.ack();
  if (verb === 'nack') return delivery.nack(options);
  return verb === 'reject' ? delivery.reject('no') : delivery.requeue(options);
}

export function extend(driver: Driver, hand: Hand, by: number | undefined): void {
  const { member, letter, delivery } = hand;
  driver.note(() => `extend ${letter} ${by ?? ''}`);
  const before = hand.over ? false : hand.certain(driver.now) ? true : undefined;
  member.speaks();
  const done = by === undefined ? delivery!.extend() : delivery!.extend(by);
  if (before !== undefined && done !== before) diverge(`extend of ${hand} returned ${done}`);
  if (done) hand.deadline = driver.now + (by ?? member.options.ackTimeout);
  driver.count(`extend: ${done ? 'done' : 'late'}`);
}
