import type { Random } from '../../src/clock.js';
import { between, chance, pick } from './chance.js';
import type { Kind } from './commands.js';
import type { Driver, Holding } from './driver.js';
import { drawError, extend, nack, rejectFor, settle } from './members.js';

/** Something in hand, whose handler is not about to settle it. */
function drawHolding(driver: Driver, random: Random): Holding | undefined {
  const open = driver.holdings.filter(({ hand: { live, run, taker } }) => {
    if (!live || (taker.closesAt !== undefined && !driver.quiet)) return false;
    return run === undefined || run.state === 'running' || (run.state === 'returned' && taker.options.ack === 'manual');
  });
  return open.length === 0 ? undefined : pick(random, open);
}

function verb(act: (driver: Driver, holding: Holding, random: Random) => void): Kind['perform'] {
  return (driver, random) => {
    const holding = drawHolding(driver, random);
    if (holding === undefined) return false;
    act(driver, holding, random);
    return true;
  };
}

/** Too late: it was settled, or taken back. */
function lateVerb(driver: Driver, random: Random): boolean {
  const late = driver.past.filter(({ hand }) => !hand.live);
  if (late.length === 0) return false;
  const holding = pick(random, late);
  pick(random, [
    () => settle(driver, holding, 'ack'),
    () => settle(driver, holding, 'reject'),
    () => settle(driver, holding, 'requeue'),
    () => nack(driver, holding, 5, drawError(random)),
    () => nack(driver, holding, undefined, undefined),
    () => extend(driver, holding, 5),
  ])();
  return true;
}

export const settling: Readonly<Record<string, Kind>> = {
  ack: { weight: 8, perform: verb((driver, holding) => settle(driver, holding, 'ack')) },
  nack: {
    weight: 4,
    perform: verb((driver, holding, random) =>
      nack(driver, holding, undefined, chance(random, 0.6) ? drawError(random) : undefined),
    ),
  },
  'nack later': {
    weight: 1.5,
    perform: verb((driver, holding, random) =>
      nack(driver, holding, between(random, 0, 20), chance(random, 0.6) ? drawError(random) : undefined),
    ),
  },
  reject: {
    weight: 3,
    perform: verb((driver, holding, random) =>
      chance(random, 0.5) ? settle(driver, holding, 'reject') : rejectFor(driver, holding, 'spoilt'),
    ),
  },
  requeue: { weight: 3, perform: verb((driver, holding) => settle(driver, holding, 'requeue')) },
  'requeue later': {
    weight: 1.5,
    perform: verb((driver, holding, random) => settle(driver, holding, 'requeue', between(random, 0, 20))),
  },
  extend: {
    weight: 2.5,
    perform: verb((driver, holding, random) =>
      extend(driver, holding, chance(random, 0.5) ? between(random, 1, 60) : undefined),
    ),
  },
  'late verb': { weight: 4, perform: lateVerb },
};
