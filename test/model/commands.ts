import { seededRandom } from '../../src/testing/seeded-random.js';
import { checkBalance } from './comparison.js';
import { Deck, type Command, type Kind as DrawnKind } from './deck.js';
import type { Driver } from './driver.js';
import { managing } from './managing.js';
import { sending } from './sending.js';
import { settling } from './settling.js';
import { taking } from './taking.js';

export type Kind = DrawnKind<Driver>;

export const DECK = new Deck<Driver>({ ...sending, ...taking, ...settling, ...managing });

/** Whether there was something to do. */
export async function perform(driver: Driver, { kind, seed }: Command): Promise<boolean> {
  const { calm, perform: act } = DECK.kinds[kind]!;
  const random = seededRandom(seed);
  if (!driver.quiet && calm === true) await driver.rest();
  if (!(await act(driver, random))) return false;
  checkBalance(driver.broker);
  driver.count(`command: ${kind}`);
  const pace = driver.tight ? 0 : random();
  driver.quiet = false;
  if (calm === true || pace < 0.7 || driver.model.world.expectations.uncertain) await driver.rest();
  else if (pace < 0.8) for (let n = Math.ceil(random() * 6); n > 0; n--) await Promise.resolve();
  return true;
}
