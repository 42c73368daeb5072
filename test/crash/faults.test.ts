import { expect, it } from 'vitest';
import { everyFault } from './every-call.js';

// The short form of prove:faults: one point in so many.
it('loses nothing confirmed, and never hangs, whichever call fails', async () => {
  const tally = await everyFault(31);
  expect(tally.points).toBeGreaterThan(200);
  expect(tally.whileOpening).toBeGreaterThan(60);
}, 60_000);
