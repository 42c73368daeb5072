import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { compiled } from './compiled.js';
import type { Random } from './seeded.js';

export interface LockTally {
  rounds: number;
  refused: number;
  takenOver: number;
  /** Longest time that it took to refuse, ms. */
  slowest: number;
}

const CHILD = await compiled('lock-child.ts', import.meta.url);

interface Opener {
  readonly child: ChildProcess;
  /** The first thing it says. */
  readonly said: Promise<string>;
  readonly ended: Promise<void>;
}

function start(directory: string, mode: 'stay' | 'leave'): Opener {
  const child = spawn(process.execPath, [CHILD, directory, mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = new Promise<string>((resolve) => {
    const lines = createInterface({ input: child.stdout! });
    lines.once('line', resolve);
    child.once('exit', () => resolve('nothing'));
  });
  return { child, said, ended: new Promise((resolve) => child.once('close', () => resolve())) };
}

/** Several open at once: one has it. It is stopped, killed, and its lock made to look like another's. Returns what is wrong. */
export async function lockRound(directory: string, random: Random, tally: LockTally): Promise<string | undefined> {
  const openers = Array.from({ length: 2 + random.below(2) }, () => start(directory, 'stay'));
  try {
    const said = await Promise.all(openers.map((opener) => opener.said));
    const owner = openers[said.indexOf('open')];
    if (said.filter((what) => what === 'open').length !== 1 || owner === undefined)
      return `they said ${said.join(', ')}`;
    for (const what of said) if (what !== 'open') judgeRefusal(what, owner.child.pid!, tally);

    // A stopped owner is still the owner.
    if (random.oneIn(2)) owner.child.kill('SIGSTOP');
    const late = start(directory, 'leave');
    judgeRefusal(await late.said, owner.child.pid!, tally);
    await late.ended;
    owner.child.kill('SIGKILL');
    await owner.ended;

    // Its pid is somebody else's by now: this process's.
    if (random.oneIn(2)) {
      const claim = JSON.parse(readFileSync(`${directory}/lock`, 'utf8')) as object;
      writeFileSync(`${directory}/lock`, JSON.stringify({ ...claim, pid: process.pid }));
    }
    // Several see the stale lock at once; those that come too late see the new one's, or its absence.
    const heirs = Array.from({ length: 1 + random.below(3) }, () => start(directory, 'stay'));
    openers.push(...heirs);
    const heard = await Promise.all(heirs.map((heir) => heir.said));
    if (heard.filter((what) => what === 'open').length !== 1) return `after a kill they said ${heard.join(', ')}`;
    tally.takenOver++;
    tally.rounds++;
    return undefined;
  } finally {
    for (const { child } of openers) child.kill('SIGKILL');
    await Promise.all(openers.map((opener) => opener.ended));
  }
}

function judgeRefusal(what: string, owner: number, tally: LockTally): void {
  const [, pid, ms] = /^locked (\d+) ([\d.]+)$/.exec(what) ?? [];
  if (Number(pid) !== owner) throw new Error(`said "${what}" while ${owner} had it`);
  tally.refused++;
  tally.slowest = Math.max(tally.slowest, Number(ms));
}
