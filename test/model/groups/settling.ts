import type { Random } from '../../../src/clock.js';
import { chance, pick } from '../chance.js';
import { diverge } from '../divergence.js';
import type { Kind } from './commands.js';
import type { Driver } from './driver.js';
import type { GroupModel } from './group-model.js';
import type { Hand } from './member-model.js';
import { settle } from './members.js';

const VERBS = ['ack', 'nack', 'reject', 'requeue'] as const;

function groupOf(driver: Driver, { letter }: Hand): GroupModel | undefined {
  const { partition, offset } = letter.entry;
  return driver.groups.find(({ letters }) => letters[partition]?.[offset] === letter);
}

function act(driver: Driver, random: Random, hands: readonly Hand[]): boolean {
  const able = hands.filter(({ delivery, run }) => delivery !== undefined && run?.ended === undefined);
  const settled = hands.filter(
    ({ delivery, run, member }) =>
      delivery !== undefined && run?.ended === 'returned' && member.options.ack === 'manual',
  );
  const all = [...able, ...settled];
  if (all.length === 0) return false;
  const hand = pick(random, all);
  const group = groupOf(driver, hand);
  if (group === undefined) return false;
  if (chance(random, 0.15)) return extend(driver, random, group, hand);
  const verb = pick(random, ['ack', 'ack', 'ack', ...VERBS] as const);
  const delay = verb !== 'ack' && verb !== 'reject' && chance(random, 0.4) ? pick(random, [0, 10, 30]) : undefined;
  settle(driver, group, hand, verb, delay);
  return true;
}

function extend(driver: Driver, random: Random, group: GroupModel, hand: Hand): boolean {
  const by = chance(random, 0.5) ? pick(random, [10, 50]) : undefined;
  const { live, member, letter } = hand;
  driver.note(() => `extend ${letter} ${by ?? ''}`);
  if (group.members.includes(member)) member.heard();
  if (live) hand.deadline = driver.now + (by ?? member.options.ackTimeout);
  const extended = by === undefined ? hand.delivery!.extend() : hand.delivery!.extend(by);
  if (extended !== live) diverge(`extend of ${letter} returned ${extended}`);
  driver.count(`extend: ${live ? 'done' : 'late'}`);
  return true;
}

export const settling: Readonly<Record<string, Kind>> = {
  settle: { weight: 12, calm: true, perform: (driver, random) => act(driver, random, driver.hands) },
  'settle late': { weight: 3, calm: true, perform: (driver, random) => act(driver, random, driver.past) },
};
