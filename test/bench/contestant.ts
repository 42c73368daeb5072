/**
 * One contender in a process of its own: sets up what its arguments name, then runs once for every message from the parent.
 * Compiled by build.ts, started by contest.ts.
 */
import { profile, type Profile } from './profile.js';
import { durable, rows } from './rows/all.js';
import type { Figures, Scale } from './row.js';

/** What the contestant is asked to be; its only argument, as JSON. */
export interface Part {
  readonly row: number;
  readonly contest: string;
  readonly contender: string;
  readonly scale: Scale;
}

/** What it is asked to do, over and over. */
export type Request = 'run' | 'profile';
/** What it answers: that it is ready, or what the run measured. */
export interface Answer {
  readonly figures?: Figures;
  readonly profile?: Profile;
}

/** Runs that a profile is made of. */
const PROFILED_RUNS = 10;

const part = JSON.parse(process.argv[2]!) as Part;
const contest = [...rows, ...durable]
  .filter(({ number }) => number === part.row)
  .flatMap(({ contests }) => contests)
  .find(({ name }) => name === part.contest);
const measure = await contest!.contenders[part.contender]!.setUp(part.scale);

const run = async (request: Request): Promise<void> => {
  // Each run begins with the heap swept, whatever the one before left.
  globalThis.gc!();
  answer(request === 'run' ? { figures: await measure() } : { profile: await profile(measure, PROFILED_RUNS) });
};
process.on('message', (request: Request) => void run(request));
process.on('disconnect', () => process.exit());
answer({});

function answer(told: Answer): void {
  process.send!(told);
}
