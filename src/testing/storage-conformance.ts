import { checkFunction, checkInteger, checkOptions } from '../arguments.js';
import type { Storage } from '../storage/storage.js';
import { appending } from './conformance/appending.js';
import { closing } from './conformance/closing.js';
import { dropping } from './conformance/dropping.js';
import { entries } from './conformance/entries.js';
import { filling, ROOM } from './conformance/filling.js';
import { logNames } from './conformance/names.js';
import { randomOperations } from './conformance/random-operations.js';
import { reading } from './conformance/reading.js';
import { type Check, numbers, type Reopen, Subject } from './conformance/subject.js';
import { surviving } from './conformance/surviving.js';

export interface StorageConformanceOptions {
  /** The runner's: `it` of vitest, `test` of node:test or Jest, … */
  readonly test: (name: string, fn: () => Promise<void>) => void;
  /** Makes a storage that is empty and not open yet. Each test has one of its own, and closes it. */
  readonly create: () => Storage | Promise<Storage>;
  /**
   * Given, durability is tested, too: it is called with a storage that was closed, and returns one that is not open yet,
   * on the same data: another one, or the same (nothing returned means that). For a storage that forgets, leave it out.
   */
  readonly reopen?: Reopen | undefined;
  /** Given, a full storage is tested, too: makes one with room for about so many bytes (4 MiB). */
  readonly createLimited?: ((bytes: number) => Storage | Promise<Storage>) | undefined;
  /** First of five seeds of the random operations; the tests' names and failures say theirs. Default 1. */
  readonly seed?: number | undefined;
}

const OPTIONS = new Set(['test', 'create', 'reopen', 'createLimited', 'seed']);
const SEEDS = 5;

/**
 * The contract of Storage as tests, for any runner with `test(name, fn)`. Storages that answer at once and ones that
 * answer with promises pass the same tests. They take the freedoms that the broker takes: a body belongs to the storage
 * once it is written, and nobody changes what was read.
 *
 * @throws TypeError, RangeError when an option is of the wrong kind or unknown
 */
export function storageConformance(options: StorageConformanceOptions): void {
  checkOptions(options, 'options', OPTIONS);
  const { test, create, reopen, createLimited, seed = 1 } = options;
  checkFunction(test, 'options.test');
  checkFunction(create, 'options.create');
  if (reopen !== undefined) checkFunction(reopen, 'options.reopen');
  if (createLimited !== undefined) checkFunction(createLimited, 'options.createLimited');
  checkInteger(seed, 'options.seed', 0);

  const checkOn =
    (make: () => Storage | Promise<Storage>): Check =>
    (name, fn) => {
      test(name, async () => run(fn, await Subject.open(await make(), reopen)));
    };
  const check = checkOn(create);
  const seeds = numbers(seed, seed + SEEDS);

  appending(check);
  reading(check);
  dropping(check);
  entries(check);
  logNames(check);
  closing(check);
  randomOperations(check, seeds, false);
  if (reopen !== undefined) {
    surviving(check);
    randomOperations(check, seeds, true);
  }
  if (createLimited !== undefined) filling(checkOn(() => createLimited(ROOM)));
}

async function run(fn: (subject: Subject) => Promise<void>, subject: Subject): Promise<void> {
  try {
    await fn(subject);
  } catch (error) {
    // The failure is what matters; a storage that broke may not close either.
    await subject.storage.close().catch(() => undefined);
    throw error;
  }
  await subject.storage.close();
}
