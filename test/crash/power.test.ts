import { expect, it } from 'vitest';
import { liveAndDie, newTally } from './lives.js';

// The short form of prove:power, on the seeds that failed once and a few more. The long form is a command of its own.
it('loses, tears and invents nothing through kills, power cuts and faults', async () => {
  const tally = newTally();
  for (const seed of FAILED_ONCE) await liveAndDie(seed, tally);
  for (let seed = 1; seed <= 200; seed++) await liveAndDie(seed, tally);
  expect(tally.cuts).toBeGreaterThan(300);
  expect(tally.duringWrite).toBeGreaterThan(60);
  expect(tally.confirmed).toBeGreaterThan(3000);
}, 60_000);

const FAILED_ONCE = [36, 1017, 1035, 2125, 2258, 3043, 10_524, 21_082, 33_003, 40_126, 1_038_332];
