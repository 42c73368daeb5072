import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { killRound } from './killing.js';
import type { KillTally } from './killing.js';
import { Ledger } from './ledger.js';
import { Random } from './seeded.js';

// The short form of prove:kill:storage.
it('keeps what was confirmed when its process is killed, again and again', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
  const [random, ledger] = [new Random(4), new Ledger()];
  const tally: KillTally = { rounds: 0, confirmed: 0, duringWrite: 0, torn: 0 };
  try {
    for (let nonce = 1; tally.rounds < 4;) {
      const { wrong, nextNonce } = await killRound(join(directory, 'data'), ledger, random, nonce, tally);
      expect(wrong).toBeUndefined();
      nonce = nextNonce;
    }
    expect(tally.confirmed).toBeGreaterThan(0);
    expect(tally.duringWrite).toBeGreaterThan(0);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
