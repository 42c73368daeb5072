/**
 * npm run prove:kill:storage [-- rounds [seed]]
 * A process writes and is killed at a random moment, round after round on one directory. The ledger is a pipe to this one.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killRound } from './killing.js';
import type { KillTally } from './killing.js';
import { Ledger } from './ledger.js';
import { Random } from './seeded.js';

const rounds = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}`);
const directory = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
const random = new Random(seed);
const ledger = new Ledger();
const tally: KillTally = { rounds: 0, confirmed: 0, duringWrite: 0, torn: 0 };
let nonce = 1;
while (tally.rounds < rounds) {
  const { wrong, nextNonce } = await killRound(join(directory, 'data'), ledger, random, nonce, tally);
  if (wrong !== undefined) {
    console.log(`round ${tally.rounds}, seed ${seed}, ${directory}: ${wrong}`);
    process.exit(1);
  }
  nonce = nextNonce;
}
rmSync(directory, { recursive: true, force: true });
console.log(tally);
console.log(`${tally.rounds} kills, ${tally.duringWrite} of them during a write: nothing lost, torn or invented`);
