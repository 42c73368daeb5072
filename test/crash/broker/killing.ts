import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Broker, FileStorage } from '../../../src/index.js';
import { compiled } from '../compiled.js';
import type { Random } from '../seeded.js';
import type { Ledger } from './ledger.js';
import { declare } from './scene.js';

export interface KillTally {
  rounds: number;
  /** Kills while a write was under way, and processes that a message ended. */
  duringWrite: number;
  byMessage: number;
  torn: number;
}

const CHILD = await compiled('child.ts', import.meta.url);
/** What the child exits with when something is wrong with it, rather than with a message. */
const BROKEN = 70;

/**
 * One round: a broker works on the directory until it is killed, from here or by a message; then this process opens what it left,
 * most of the time, and compares it with what it was told. Returns what is wrong.
 */
export async function killRound(
  directory: string,
  ledger: Ledger,
  random: Random,
  tally: KillTally,
): Promise<string | undefined> {
  const flush = random.oneIn(3) ? 'async' : 'sync';
  // Half of them end themselves while a write is under way, the others are killed from here whenever it is.
  const lastWrite = random.oneIn(2) ? random.below(150) + 10 : 0;
  const values = [directory, random.below(2 ** 31), ledger.nextId, flush, lastWrite];
  const child = spawn(process.execPath, [CHILD, ...values.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  let left = lastWrite > 0 ? 20_000 : 50 + random.below(3000);
  ledger.selfKilled = ledger.isWriting = false;
  // What else the pipe holds when it is killed has happened as well, and is read to its end.
  for await (const line of createInterface(child.stdout)) {
    ledger.hear(line);
    if (left-- === 0) child.kill('SIGKILL');
  }
  const code = await ended;
  ledger.ended();
  tally.rounds++;
  if (ledger.isWriting) tally.duringWrite++;
  if (ledger.selfKilled) tally.byMessage++;
  if (code === BROKEN) return 'the process ended itself: see above';

  // Kills follow kills as well.
  if (random.oneIn(3)) return undefined;
  const broker = await Broker.open({ storage: new FileStorage(directory, { keepFree: 0 }) });
  let wrong: string | undefined;
  broker.on('error', ({ error }) => (wrong ??= error.message));
  broker.on('warning', ({ code: warning }) => (tally.torn += warning === 'STORAGE_TORN_TAIL' ? 1 : 0));
  broker.on('deadLettered', ({ source, id }) => ledger.hear(`d ${source} ${id}`));
  declare(broker);
  do await new Promise((resolve) => setTimeout(resolve, 1));
  while (broker.stats().queues.some(({ unacked }) => unacked > 0));
  wrong ??= await ledger.judge(broker);
  await broker.close();
  return wrong;
}
