import { spawn } from 'node:child_process';
import { FileStorage } from '../../src/storage/file-storage.js';
import type { Ledger, LedgerBatch } from './ledger.js';
import { compiled } from './compiled.js';
import type { Random } from './seeded.js';

export interface KillTally {
  rounds: number;
  confirmed: number;
  /** Kills while a write was under way. */
  duringWrite: number;
  torn: number;
}

const CHILD = await compiled('kill-child.ts', import.meta.url);

/**
 * One round: a process writes to the directory and is killed at a random moment; then this process opens what it left, and
 * compares it with what it was told. Returns what is wrong.
 */
export async function killRound(
  directory: string,
  ledger: Ledger,
  random: Random,
  firstNonce: number,
  tally: KillTally,
): Promise<{ readonly wrong: string | undefined; readonly nextNonce: number }> {
  const flush = random.oneIn(3) ? 'async' : 'sync';
  // Half of them end themselves while a write is under way, the others are killed from here whenever it is.
  const lastWrite = random.oneIn(2) ? random.below(60) + 1 : 0;
  const values = [directory, random.below(2 ** 31), firstNonce, ledger.judgedNext, flush, lastWrite];
  const args = [CHILD, ...values.map(String)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const batches = new Map<number, LedgerBatch>();
  let nextNonce = firstNonce;
  let isWriting = false;
  let left = lastWrite > 0 ? Infinity : random.below(150);
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) {
      const [what, value] = [line[0], line.slice(2)];
      if (what === 'b' || what === 'e') isWriting = what === 'b';
      else if (what === 'c') batches.get(Number(value))!.outcome = 'confirmed';
      else if (what === 'w') {
        const batch = { ...(JSON.parse(value) as LedgerBatch), outcome: 'unknown' as const, life: tally.rounds };
        nextNonce = batch.nonce + 1;
        batches.set(batch.nonce, batch);
        ledger.add(batch);
      }
      // What else the pipe holds has happened as well, and is read to its end.
      if (what !== 'o' && left-- === 0) child.kill('SIGKILL');
    }
  });
  await new Promise((resolve) => child.once('close', resolve));
  tally.rounds++;
  if (isWriting) tally.duringWrite++;

  // Kills follow kills as well.
  if (random.oneIn(3)) return { wrong: undefined, nextNonce };
  const storage = new FileStorage(directory, { keepFree: 0 });
  const ranges = await storage.open((report) => {
    if (report.type === 'torn-tail') tally.torn++;
  });
  const wrong = await ledger.judge(storage, ranges, { keepsConfirmed: true, inOrder: true });
  tally.confirmed = ledger.confirmed;
  await storage.close();
  return { wrong, nextNonce };
}
