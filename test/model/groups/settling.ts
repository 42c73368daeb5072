import type { Random } from '../../../src/clock.js';
import { chance, pick } from '../chance.js';
import type { Kind } from '../deck.js';
import type { Driver } from './driver.js';
import type { Hand } from './hand.js';
import { extend, settle } from './members.js';

function act(driver: Driver, random: Random, hands: readonly Hand[]): boolean {
  if (hands.length === 0) return false;
  const hand = pick(random, hands);
  if (chance(random, 0.15)) {
    extend(driver, hand, chance(random, 0.5) ? pick(random, [10, 50]) : undefined);
    return true;
  }
  const verb = pick(random, ['ack', 'ack', 'ack', 'ack', 'nack', 'reject', 'requeue'] as const);
  const delay = (verb === 'nack' || verb === 'requeue') && chance(random, 0.4) ? pick(random, [0, 10, 30]) : undefined;
  settle(driver, hand, verb, delay);
  return true;
}

export const settling: Readonly<Record<string, Kind<Driver>>> = {
  settle: { weight: 12, calm: true, perform: (driver, random) => act(driver, random, driver.hands) },
  'settle late': { weight: 3, calm: true, perform: (driver, random) => act(driver, random, driver.past) },
};
