import type { Random } from '../../src/clock.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import type { Command, Deck } from './deck.js';
import type { Census } from './minutes.js';

/** So many commands to one broker; then another begins. */
const COMMANDS_PER_RUN = 250;
/** Tries to make a failing run shorter. */
const MOST_TRIES = 250;

/** What gets the commands: a broker, and whoever watches it. */
interface Subject {
  open(): Promise<void>;
  /** Whether there was something to do. */
  perform(command: Command): Promise<boolean>;
  /** After the last command. */
  end(): Promise<void>;
  /** It went wrong. */
  abandon(): Promise<void>;
  guard(work: () => void): void;
}

export interface Proposition<C> {
  readonly deck: Deck<never>;
  readonly drawConfiguration: (random: Random) => C;
  readonly begin: (configuration: C, seed: number, census: Census, log: string[] | undefined) => Subject;
}

export interface Failure {
  readonly seed: number;
  readonly message: string;
  readonly configuration: unknown;
  /** The shortest that was found. */
  readonly commands: readonly Command[];
  /** What happened in it. */
  readonly log: readonly string[];
}

interface Result {
  readonly error: Error | undefined;
  /** Commands that found something to do. */
  readonly done: number;
  /** The one that it went wrong after. */
  readonly at: number;
}

/** Runs until so many commands are done, each run with a seed of its own: `seed`, `seed` + 1, … */
export async function prove<C>(
  proposition: Proposition<C>,
  commands: number,
  seed: number,
  census: Census,
): Promise<Failure | undefined> {
  for (let done = 0, run = seed; done < commands; run++) {
    const random = seededRandom(run);
    const configuration = proposition.drawConfiguration(random);
    const list = Array.from({ length: COMMANDS_PER_RUN }, () => proposition.deck.draw(random));
    const log: string[] = [];
    const result = await once(() => proposition.begin(configuration, run, census, log), list);
    done += result.done;
    if (result.error === undefined) continue;
    const begin = (again?: string[]): Subject => proposition.begin(configuration, run, new Map(), again);
    const failed = { message: result.error.stack!, commands: list.slice(0, result.at + 1), log };
    return { seed: run, configuration, ...(await shortest(begin, failed, result.error)) };
  }
  return undefined;
}

async function once(begin: () => Subject, commands: readonly Command[]): Promise<Result> {
  const subject = begin();
  let done = 0;
  let at = 0;
  // The engine's own loops must not fail; nobody would hear of it.
  const unhandled = (error: unknown): void =>
    subject.guard(() => {
      throw error;
    });
  process.on('unhandledRejection', unhandled);
  try {
    await subject.open();
    for (; at < commands.length; at++) if (await subject.perform(commands[at]!)) done++;
    await subject.end();
    return { error: undefined, done, at };
  } catch (error) {
    await subject.abandon().catch(() => undefined);
    return { error: error as Error, done, at: Math.min(at, commands.length - 1) };
  } finally {
    process.off('unhandledRejection', unhandled);
  }
}

/** What went wrong, whichever messages and members it went wrong with. */
function kindOf({ message }: Error): string {
  return message.replace(/0m[a-z0-9]{18}|[#a-z]?\d+|one|two|receive|\{.*\}|\[.*\]/g, '#');
}

type Story = Pick<Failure, 'message' | 'commands' | 'log'>;

/** Leaves out what it fails without, in the same way. */
async function shortest(begin: (log?: string[]) => Subject, failed: Story, error: Error): Promise<Story> {
  let list = failed.commands;
  let tries = 0;
  for (
    let size = Math.ceil(list.length / 2);
    size >= 1 && tries < MOST_TRIES;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < list.length && tries < MOST_TRIES;) {
      const shorter = [...list.slice(0, from), ...list.slice(from + size)];
      const result = await once(begin, shorter);
      tries++;
      if (result.error === undefined || kindOf(result.error) !== kindOf(error)) from += size;
      else {
        list = shorter.slice(0, result.at + 1);
      }
    }
  }
  const log: string[] = [];
  const { error: last } = await once(() => begin(log), list);
  // What depends on how fast it runs does not happen every time.
  if (last === undefined) return { ...failed, message: `${failed.message}\n(not every time)` };
  return { message: last.stack!, commands: list, log };
}

export function describeFailure({ seed, message, commands, configuration, log }: Failure): string {
  return [
    `seed ${seed}: ${message}`,
    `with ${JSON.stringify(configuration)}`,
    `after ${commands.length} commands:`,
    ...log,
  ].join('\n');
}
