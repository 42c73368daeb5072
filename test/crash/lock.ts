/**
 * npm run prove:lock [-- rounds [seed]]
 * Processes that open one directory at once, owners stopped and killed, stale locks, reused pids: never two at a time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockRound } from './locking.js';
import type { LockTally } from './locking.js';
import { Random } from './seeded.js';

const rounds = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}`);
const directory = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
const random = new Random(seed);
const tally: LockTally = { rounds: 0, refused: 0, takenOver: 0, slowest: 0 };
while (tally.rounds < rounds) {
  const wrong = await lockRound(join(directory, 'data'), random, tally);
  if (wrong === undefined) continue;
  console.log(`round ${tally.rounds}, seed ${seed}: ${wrong}`);
  process.exit(1);
}
rmSync(directory, { recursive: true, force: true });
console.log(tally);
console.log(`${tally.rounds} rounds: never two owners`);
