import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockRound } from './locking.js';
import type { LockTally } from './locking.js';
import { Random } from './seeded.js';

// The short form of prove:lock.
it('has one owner at a time, whoever is stopped or killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  const [random, tally] = [new Random(3), { rounds: 0, refused: 0, takenOver: 0, slowest: 0 } satisfies LockTally];
  try {
    for (let round = 0; round < 2; round++)
      expect(await lockRound(join(directory, 'data'), random, tally)).toBeUndefined();
    expect(tally.refused).toBeGreaterThan(2);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
