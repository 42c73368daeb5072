import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random } from '../seeded.js';
import { killRound, type KillTally } from './killing.js';
import { Ledger } from './ledger.js';

// The short form of prove:kill.
it('a broker that is killed again and again loses nothing, tears nothing apart, and brings nothing back', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
  const [random, ledger] = [new Random(11), new Ledger()];
  const tally: KillTally = { rounds: 0, duringWrite: 0, byMessage: 0, torn: 0 };
  try {
    while (tally.rounds < 8) expect(await killRound(join(directory, 'data'), ledger, random, tally)).toBeUndefined();
    expect(ledger.confirmed).toBeGreaterThan(0);
    expect(ledger.checked).toBeGreaterThan(0);
    expect(tally.duringWrite).toBeGreaterThan(0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 120_000);
