import { seededRandom } from '../../../src/testing/seeded-random.js';
import { drawCommand, perform, type Command } from './commands.js';
import { drawConfiguration, type Configuration } from './configuration.js';
import { Driver } from './driver.js';
import { drawDraft, publishAll } from './publishing.js';

/** So many commands to one topic; then another begins. */
export const COMMANDS_PER_RUN = 250;
/** Tries to make a failing run shorter. */
const MOST_TRIES = 250;

export type Census = Map<string, number>;

export interface Failure {
  readonly seed: number;
  readonly message: string;
  /** What happened in the shortest run that failed like it. */
  readonly commands: readonly Command[];
  readonly configuration: Configuration;
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
export async function prove(commands: number, seed: number, census: Census): Promise<Failure | undefined> {
  for (let done = 0, run = seed; done < commands; run++) {
    const random = seededRandom(run);
    const configuration = drawConfiguration(random);
    const list = Array.from({ length: COMMANDS_PER_RUN }, () => drawCommand(random));
    const log: string[] = [];
    const result = await once(configuration, run, list, census, log);
    done += result.done;
    if (result.error !== undefined)
      return shortest(configuration, run, list.slice(0, result.at + 1), result.error, log);
  }
  return undefined;
}

export async function once(
  configuration: Configuration,
  seed: number,
  commands: readonly Command[],
  census: Census,
  log: string[] | undefined,
): Promise<Result> {
  const driver = new Driver(configuration, seed, census, log);
  let done = 0;
  let at = 0;
  // The engine's own loops must not fail; nobody would hear of it.
  const unhandled = (error: unknown): void =>
    driver.guard(() => {
      throw error;
    });
  process.on('unhandledRejection', unhandled);
  try {
    await driver.open();
    const random = seededRandom(seed);
    const backlog = Array.from({ length: configuration.backlog }, () => drawDraft(driver, random));
    if (backlog.length > 0) publishAll(driver, backlog, false);
    for (; at < commands.length; at++) if (await perform(driver, commands[at]!)) done++;
    await driver.close();
    return { error: undefined, done, at };
  } catch (error) {
    await driver.broker?.close({ timeout: 0 }).catch(() => undefined);
    return { error: error as Error, done, at: Math.min(at, commands.length - 1) };
  } finally {
    process.off('unhandledRejection', unhandled);
  }
}

/** What went wrong, whichever messages and members it went wrong with. */
function kindOf({ message }: Error): string {
  return message.replace(/[a-z]?\d+|one|two|receive|\{.*\}|\[.*\]/g, '#');
}

/** Leaves out what it fails without, in the same way. */
async function shortest(
  configuration: Configuration,
  seed: number,
  commands: readonly Command[],
  error: Error,
  first: readonly string[],
): Promise<Failure> {
  let list = commands;
  let tries = 0;
  for (let size = Math.ceil(list.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < list.length && tries < MOST_TRIES; tries++) {
      const shorter = [...list.slice(0, from), ...list.slice(from + size)];
      const result = await once(configuration, seed, shorter, new Map(), undefined);
      if (result.error === undefined || kindOf(result.error) !== kindOf(error)) from += size;
      else {
        list = shorter.slice(0, result.at + 1);
      }
    }
  }
  const log: string[] = [];
  const { error: last } = await once(configuration, seed, list, new Map(), log);
  return {
    seed,
    // What depends on how fast it runs does not happen every time.
    message: (last ?? error).stack!,
    commands: last === undefined ? commands : list,
    configuration,
    log: last === undefined ? first : log,
  };
}

export function describeFailure({ seed, message, commands, configuration, log }: Failure): string {
  const heading = `seed ${seed}: ${message}\nwith ${JSON.stringify(configuration)}\nafter ${commands.length} commands:`;
  return [heading, ...log].join('\n');
}
