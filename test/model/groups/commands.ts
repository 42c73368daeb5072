import { seededRandom } from '../../../src/testing/seeded-random.js';
import { Deck, type Command } from '../deck.js';
import type { Driver } from './driver.js';
import { moving } from './moving.js';
import { publishing } from './publishing.js';
import { restarting } from './restarting.js';
import { settling } from './settling.js';
import { taking } from './taking.js';

export const DECK = new Deck<Driver>({ ...publishing, ...taking, ...settling, ...moving, ...restarting });

/** Whether there was something to do. */
export async function perform(driver: Driver, { kind, seed }: Command): Promise<boolean> {
  const { calm, perform: act } = DECK.kinds[kind]!;
  const random = seededRandom(seed);
  if (!driver.quiet && calm === true) await driver.rest();
  if (!(await act(driver, random))) return false;
  driver.count(`command: ${kind}`);
  const pace = random();
  driver.quiet = false;
  if (pace < 0.7) await driver.rest();
  else if (pace < 0.8) for (let n = Math.ceil(random() * 6); n > 0; n--) await Promise.resolve();
  return true;
}
