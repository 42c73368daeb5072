import type { Random } from '../../../src/clock.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';
import type { Driver } from './driver.js';
import { moving } from './moving.js';
import { publishing } from './publishing.js';
import { restarting } from './restarting.js';
import { settling } from './settling.js';
import { taking } from './taking.js';

export interface Kind {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** Begins only when nothing moves. */
  readonly calm?: boolean;
  /** Does it, with what it draws. false: there is nothing to do it to. */
  readonly perform: (driver: Driver, random: Random) => boolean | Promise<boolean>;
}

const KINDS: Readonly<Record<string, Kind>> = { ...publishing, ...taking, ...settling, ...moving, ...restarting };

/** What it draws depends on its seed alone, so that it does the same when others before it are left out. */
export interface Command {
  readonly kind: string;
  readonly seed: number;
}

const NAMES = Object.keys(KINDS);
const TOTAL = NAMES.reduce((sum, name) => sum + KINDS[name]!.weight, 0);

export function drawCommand(random: Random): Command {
  let left = random() * TOTAL;
  const kind = NAMES.find((name) => (left -= KINDS[name]!.weight) < 0)!;
  return { kind, seed: Math.floor(random() * 2 ** 31) };
}

/** Whether there was something to do. */
export async function perform(driver: Driver, { kind, seed }: Command): Promise<boolean> {
  const { calm, perform: act } = KINDS[kind]!;
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
