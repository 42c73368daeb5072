import { seededRandom } from '../../src/testing/seeded-random.js';
import { drawCommand, perform, type Command } from './commands.js';
import { drawConfiguration, MAIN, type Configuration } from './configuration.js';
import { Driver, watch } from './driver.js';

/** So many commands to one broker; then another begins. */
const COMMANDS_PER_RUN = 250;
/** Tries to make a failing run shorter. */
const MOST_TRIES = 250;

export type Census = Map<string, number>;

export interface Failure {
  readonly seed: number;
  readonly message: string;
  /** The shortest that was found. */
  readonly commands: readonly Command[];
  readonly configuration: Configuration;
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
export async function prove(commands: number, seed: number, census: Census): Promise<Failure | undefined> {
  for (let done = 0, run = seed; done < commands; run++) {
    const random = seededRandom(run);
    const configuration = drawConfiguration(random);
    const list = Array.from({ length: COMMANDS_PER_RUN }, () => drawCommand(random));
    const result = await once(configuration, run, list, census, undefined);
    done += result.done;
    if (result.error !== undefined) return shortest(configuration, run, list.slice(0, result.at + 1), result.error);
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
    await backlog(driver);
    for (; at < commands.length; at++) if (await perform(driver, commands[at]!)) done++;
    await driver.rest();
    await driver.close();
    return { error: undefined, done, at };
  } catch (error) {
    await driver.broker?.close({ timeout: 0 }).catch(() => undefined);
    return { error: error as Error, done, at: Math.min(at, commands.length - 1) };
  } finally {
    process.off('unhandledRejection', unhandled);
  }
}

async function backlog(driver: Driver): Promise<void> {
  const { backlog: count } = driver.configuration;
  if (count === 0) return;
  const queue = driver.model.queue(MAIN);
  const parcels = Array.from({ length: count }, () => {
    const number = driver.numbers++;
    const body = { number, text: '' };
    const key = ['a', 'b', 'c', 'd', undefined][number % 5];
    const common = { number, text: '', bytes: JSON.stringify(body).length, id: undefined, key, headers: undefined };
    return {
      body,
      key,
      draft: {
        ...common,
        priority: 0,
        persistent: true,
        ttl: undefined,
        delay: undefined,
        deliverAt: undefined,
        sentAt: driver.now,
      },
    };
  });
  const sending = driver.model.acceptance.send(
    queue,
    parcels.map(({ draft }) => draft),
    true,
    true,
  );
  const answer = watch(driver.handle(queue).sendMany(parcels.map(({ body, key }) => ({ body, key }))));
  driver.sends.push({ queue, sending, answer, abort: undefined });
  await driver.rest();
}

/** What went wrong, whichever messages it went wrong with. */
function kindOf({ message }: Error): string {
  return message.replace(/0m[a-z0-9]{18}|#?\d+/g, '#');
}

/** Leaves out what it fails without, in the same way. */
export async function shortest(
  configuration: Configuration,
  seed: number,
  commands: readonly Command[],
  error: Error,
): Promise<Failure> {
  let list = commands;
  let message = error.message;
  let tries = 0;
  for (
    let size = Math.ceil(list.length / 2);
    size >= 1 && tries < MOST_TRIES;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < list.length && tries < MOST_TRIES;) {
      const shorter = [...list.slice(0, from), ...list.slice(from + size)];
      const result = await once(configuration, seed, shorter, new Map(), undefined);
      tries++;
      if (result.error === undefined || kindOf(result.error) !== kindOf(error)) from += size;
      else {
        list = shorter.slice(0, result.at + 1);
        ({ message } = result.error);
      }
    }
  }
  const log: string[] = [];
  const { error: last } = await once(configuration, seed, list, new Map(), log);
  return { seed, message: last?.message ?? `${message} (not every time)`, commands: list, configuration, log };
}

export function describeFailure({ seed, message, commands, configuration, log }: Failure): string {
  return [
    `seed ${seed}: ${message}`,
    `with ${JSON.stringify(configuration)}`,
    `after ${commands.length} commands:`,
    ...log,
  ].join('\n');
}
