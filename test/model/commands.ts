import type { Random } from '../../src/clock.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { checkBalance } from './comparison.js';
import type { Driver } from './driver.js';
import { managing } from './managing.js';
import { sending } from './sending.js';
import { settling } from './settling.js';
import { taking } from './taking.js';

/** Does it, with what it draws. false: there is nothing to do it to. */
export type Perform = (driver: Driver, random: Random) => boolean | Promise<boolean>;

export interface Kind {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** Only when nothing moves. */
  readonly calm?: boolean;
  readonly perform: Perform;
}

export const KINDS: Readonly<Record<string, Kind>> = { ...sending, ...taking, ...settling, ...managing };

/** What it draws depends on its seed alone, so that it does the same when others before it are left out. */
export interface Command {
  readonly kind: string;
  readonly seed: number;
}

const NAMES = Object.keys(KINDS);
const WEIGHTS = NAMES.map((name) => KINDS[name]!.weight);
const TOTAL = WEIGHTS.reduce((sum, weight) => sum + weight, 0);

export function drawCommand(random: Random): Command {
  let left = random() * TOTAL;
  const at = WEIGHTS.findIndex((weight) => (left -= weight) < 0);
  return { kind: NAMES[at]!, seed: Math.floor(random() * 2 ** 31) };
}

/** Whether there was something to do. */
export async function perform(driver: Driver, { kind, seed }: Command): Promise<boolean> {
  const { calm, perform: act } = KINDS[kind]!;
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
