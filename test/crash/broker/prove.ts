/**
 * npm run prove:kill [-- rounds [seed]]
 * A broker under mixed load is killed at a random moment, or by one of its messages, round after round on one directory. The ledger
 * is a pipe to this process.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../seeded.js';
import { killRound, type KillTally } from './killing.js';
import { Ledger } from './ledger.js';

const rounds = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}`);
const directory = mkdtempSync(join(tmpdir(), 'sluice-kill-'));
const random = new Random(seed);
const ledger = new Ledger();
const tally: KillTally = { rounds: 0, duringWrite: 0, byMessage: 0, torn: 0 };
const figures = (): string =>
  `${tally.rounds} kills, ${tally.duringWrite} of them during a write, ${tally.byMessage} by a message; ${tally.torn} torn ends cut; ` +
  `${ledger.confirmed} sends confirmed, ${ledger.flushed} acknowledgements flushed, ${ledger.checked} messages checked`;
while (tally.rounds < rounds) {
  const wrong = await killRound(join(directory, 'data'), ledger, random, tally);
  if (wrong !== undefined) {
    console.log(`round ${tally.rounds}, seed ${seed}, ${directory}: ${wrong}`);
    process.exit(1);
  }
  if (tally.rounds % 100 === 0) console.log(figures());
}
rmSync(directory, { recursive: true, force: true });
console.log(figures());
console.log('0 confirmed lost, 0 delivered after a flushed acknowledgement, 0 torn apart, 0 invented, order kept');
