import { describe, expect, it } from 'vitest';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import type { Storage } from '../../src/storage/storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { storageConformance, type StorageConformanceOptions } from '../../src/testing/storage-conformance.js';
import { dropping, type Flaw, flawed, flaws, lapses, naming, reopenedWith, storing } from './flawed-storages.js';

describe('the options', () => {
  const test = (): void => undefined;
  const create = (): Storage => new MemoryStorage();

  it.each([
    [{ create }, /options.test must be a function; got undefined/],
    [{ test }, /options.create must be a function; got undefined/],
    [{ test, create, reopen: true }, /options.reopen must be a function/],
    [{ test, create, createLimited: 5 }, /options.createLimited must be a function/],
    [{ test, create, seed: '1' }, /options.seed must be a whole number/],
    [{ test, create, reopens: create }, /options has no "reopens"/],
  ])('%j is refused', (options, message) => {
    expect(() => storageConformance(options as unknown as StorageConformanceOptions)).toThrow(TypeError);
    expect(() => storageConformance(options as unknown as StorageConformanceOptions)).toThrow(message);
  });

  it('decide which tests there are', () => {
    const names = (options: Partial<StorageConformanceOptions>): string[] => {
      const all: string[] = [];
      storageConformance({ test: (name) => all.push(name), create, ...options });
      expect(new Set(all).size).toBe(all.length);
      return all;
    };
    expect(names({}).length).toBeGreaterThan(70);
    expect(names({}).filter((name) => /reopen|full/.test(name))).toEqual([]);
    expect(names({ reopen: create }).filter((name) => name.startsWith('reopen'))).toHaveLength(11);
    expect(names({ createLimited: create }).filter((name) => name.startsWith('full'))).toHaveLength(4);
    expect(names({ reopen: create, seed: 7 })).toContain('random operations and reopening, seed 11');
  });
});

type Options = Omit<StorageConformanceOptions, 'test'>;

function testsOf(options: Options): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  storageConformance({ ...options, test: (name, fn) => tests.set(name, fn) });
  return tests;
}

/** Runs one test of the suite; resolves with what it fails with, undefined when it does not. */
async function failure(name: string, options: Options): Promise<unknown> {
  const test = testsOf(options).get(name);
  if (test === undefined) throw new Error(`there is no test "${name}"`);
  return test().then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** Names of the tests that fail. */
async function failuresOf(options: Options): Promise<string[]> {
  const failing: string[] = [];
  for (const name of testsOf(options).keys()) if ((await failure(name, options)) !== undefined) failing.push(name);
  return failing;
}

describe('the suite lets pass', () => {
  const sound: [what: string, make: () => Flaw][] = [
    ['a storage that another one wraps', () => ({})],
    ['one that stores what it is given', () => storing((entry) => entry)],
    ['one that calls logs by their names', () => naming((name) => name)],
    ['one that drops what it is told', () => dropping((op) => [op])],
  ];
  it.each(sound)('%s', async (_what, make) => {
    const options = {
      create: () => flawed(new MemoryStorage(), make()),
      createLimited: (maxBytes: number) => flawed(new MemoryStorage({ maxBytes }), make()),
    };
    expect(await failuresOf(options)).toEqual([]);
  });

  it('a storage that is reopened as it was', async () => {
    const options = { create: () => new JournalStorage(), reopen: reopenedWith({}) };
    expect(await failuresOf(options)).toEqual([]);
  });
});

describe('the suite notices that', () => {
  it.each(flaws)('%s', async (_flaw, noticedBy, make) => {
    const create = (): Storage => flawed(new MemoryStorage(), make());
    const createLimited = (maxBytes: number): Storage => flawed(new MemoryStorage({ maxBytes }), make());
    expect(await failure(noticedBy, { create, createLimited })).toBeInstanceOf(Error);
  });

  it('and says with which seed, and where', async () => {
    const make = flaws.find(([, noticedBy]) => noticedBy.startsWith('random'))![2];
    const error = await failure('random operations, seed 3', { create: () => flawed(new MemoryStorage(), make()) });
    expect((error as Error).message).toMatch(/^seed 3, step \d+: offsets of [abc] from \d+/);
  });
});

describe('the suite notices that after reopening', () => {
  it.each(lapses)('%s', async (_lapse, noticedBy, lapse) => {
    const create = (): Storage => new JournalStorage();
    expect(await failure(noticedBy, { create, reopen: reopenedWith(lapse) })).toBeInstanceOf(Error);
  });

  it('everything is lost', async () => {
    const options = { create: () => new MemoryStorage(), reopen: () => new MemoryStorage() };
    const reopening = [...testsOf(options).keys()].filter((name) => name.includes('reopen'));
    const unnoticed = ['reopen: an empty storage is still empty'];
    expect(reopening).toHaveLength(16);
    expect(await failuresOf(options)).toEqual(reopening.filter((name) => !unnoticed.includes(name)));
  });

  it('what nobody awaited is lost', async () => {
    const reopen = (storage: Storage): Storage => (storage as JournalStorage).crash();
    class Hasty extends JournalStorage {
      override close(): Promise<void> {
        return Promise.resolve();
      }
    }
    const noticedBy = 'reopen: writes that nobody awaited before close()';
    expect(await failure(noticedBy, { create: () => new Hasty(), reopen })).toBeInstanceOf(Error);
  });
});
