import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/errors.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import type { Storage, StorageOp } from '../../src/storage/storage.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';

const everything = { entries: Infinity, bytes: Infinity };

function append(body: string, log = 'log'): StorageOp & { type: 'append' } {
  return { type: 'append', log, entry: { head: {}, body }, offset: undefined };
}

/** 'now' or 'later': how the call was answered; then its code or message where it failed. */
async function outcome(call: () => unknown): Promise<string> {
  const say = (error: unknown): string => (SluiceError.is(error) ? error.code : (error as Error).message);
  let answer: unknown;
  try {
    answer = call();
  } catch (error) {
    return `now: ${say(error)}`;
  }
  if (!(answer instanceof Promise)) return 'now';
  return answer.then(
    () => 'later',
    (error: unknown) => `later: ${say(error)}`,
  );
}

async function outcomes(calls: number, call: (i: number) => unknown): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < calls; i++) all.push(await outcome(() => call(i)));
  return all;
}

const kinds: [name: string, how: string, create: () => Storage][] = [
  ['a storage that answers at once', 'now', () => new MemoryStorage()],
  ['a storage that answers with promises', 'later', () => new JournalStorage()],
];

describe.each(kinds)('FaultyStorage on %s', (_name, how, create) => {
  const bad = `${how}: ERR_STORAGE_FAILED`;

  it('passes everything on', async () => {
    const inner = create();
    const storage = new FaultyStorage(inner);
    expect(storage.durability).toBe(inner.durability);
    expect(await outcome(() => storage.open())).toBe(how);
    const op = append('a');
    expect(await outcome(() => storage.write([op], 'os'))).toBe(how);
    expect(op.offset).toBe(0);
    expect(await outcome(() => storage.read('log', 0, everything))).toBe(how);
    expect(await storage.read('log', 0, everything)).toEqual(await inner.read('log', 0, everything));
    await storage.close();
    expect(await outcome(() => inner.write([append('late')]))).toBe(`${how}: ERR_CLOSED`);
  });

  it('fails the next write, which stores nothing and takes no offset', async () => {
    const storage = new FaultyStorage(create());
    await storage.open();
    storage.failNext('write');
    const [failed, stored] = [append('failed'), append('stored')];
    expect(await outcome(() => storage.write([failed]))).toBe(bad);
    expect(await outcome(() => storage.write([stored]))).toBe(how);
    expect([failed.offset, stored.offset]).toEqual([undefined, 0]);
    const entries = await storage.read('log', 0, everything);
    expect(entries.map(({ entry }) => entry.body)).toEqual(['stored']);
  });

  it.each(['open', 'write', 'read'] as const)('fails the next %s, and it alone', async (method) => {
    const storage = new FaultyStorage(create());
    const calls = {
      open: () => storage.open(),
      write: () => storage.write([]),
      read: () => storage.read('log', 0, everything),
    };
    storage.failNext(method, new Error('no luck'));
    for (const [name, call] of Object.entries(calls)) {
      expect(await outcome(call)).toBe(name === method ? `${how}: no luck` : how);
      expect(await outcome(call)).toBe(how);
    }
  });

  it('fails the next n calls, each with its error', async () => {
    const storage = new FaultyStorage(create());
    await storage.open();
    storage.failNext('write', new Error('first'));
    storage.failNext('write');
    storage.failNext('write', new SluiceError('ERR_STORAGE_FULL', 'third'));
    const all = await outcomes(4, () => storage.write([]));
    expect(all).toEqual([`${how}: first`, bad, `${how}: ERR_STORAGE_FULL`, how]);
  });

  it('fails every nth call', async () => {
    const storage = new FaultyStorage(create());
    await storage.open();
    storage.failEvery('write', 3, new Error('third'));
    const all = await outcomes(7, () => storage.write([]));
    expect(all.map((one) => one === `${how}: third`)).toEqual([false, false, true, false, false, true, false]);
    expect(await outcome(() => storage.read('log', 0, everything))).toBe(how);
  });

  it('fails by a rule that sees the arguments', async () => {
    const storage = new FaultyStorage(create());
    await storage.open();
    const seen: unknown[] = [];
    storage.failWhen('write', (batch, reach) => {
      seen.push(batch[0]?.log, reach);
      return batch.some(({ log }) => log === 'bad');
    });
    storage.failWhen('read', (log, from, limit) => log === 'log' && from === 7 && limit === everything, new Error('7'));
    expect(await outcome(() => storage.write([append('a', 'good')], 'os'))).toBe(how);
    expect(await outcome(() => storage.write([append('a', 'good'), append('a', 'bad')]))).toBe(bad);
    expect(seen).toEqual(['good', 'os', 'good', undefined]);
    expect(await outcome(() => storage.read('log', 7, everything))).toBe(`${how}: 7`);
    expect(await outcome(() => storage.read('log', 8, everything))).toBe(how);
    expect(await storage.read('bad', 0, everything)).toEqual([]);
  });

  it('lets every rule count every call, and the first that was set decide the error', async () => {
    const storage = new FaultyStorage(create());
    await storage.open();
    storage.failEvery('write', 2, new Error('second'));
    storage.failEvery('write', 3, new Error('third'));
    storage.failNext('write', new Error('next'));
    const all = await outcomes(6, () => storage.write([]));
    expect(all.map((one) => one.replace(`${how}: `, ''))).toEqual(['next', 'second', 'third', 'second', how, 'second']);
  });

  it('heals', async () => {
    const storage = new FaultyStorage(create());
    await storage.open();
    storage.failWhen('write', () => true);
    storage.failEvery('read', 1);
    storage.failNext('open');
    expect(await outcome(() => storage.write([]))).toBe(bad);
    storage.heal();
    expect(await outcome(() => storage.write([]))).toBe(how);
    expect(await outcome(() => storage.read('log', 0, everything))).toBe(how);
    expect(await outcome(() => storage.open())).toBe(how);
  });
});

describe('FaultyStorage', () => {
  it('fails as the storage inside answers, whatever that calls itself', async () => {
    const memory = new MemoryStorage();
    const slow = new FaultyStorage({
      durability: 'memory',
      open: () => memory.open(),
      write: async (batch) => memory.write(batch),
      read: (log, from, limit) => memory.read(log, from, limit),
      close: () => memory.close(),
    });
    expect(await outcome(() => slow.write([]))).toBe('later');
    expect(await outcome(() => slow.read('log', 0, everything))).toBe('now');
    slow.failNext('write');
    slow.failNext('read');
    expect(await outcome(() => slow.write([]))).toBe('later: ERR_STORAGE_FAILED');
    expect(await outcome(() => slow.read('log', 0, everything))).toBe('now: ERR_STORAGE_FAILED');
  });

  it('says by default what failed', () => {
    const storage = new FaultyStorage(new MemoryStorage());
    storage.failNext('read');
    const error = expect.objectContaining({ code: 'ERR_STORAGE_FAILED', details: { method: 'read' } });
    expect(() => storage.read('log', 0, everything)).toThrow(error);
  });

  it.each([[undefined], [null], ['storage'], [{}], [{ write: () => undefined }]])(
    'refuses %j as a storage',
    (inner) => {
      expect(() => new FaultyStorage(inner as unknown as Storage)).toThrow(TypeError);
    },
  );

  it('refuses faults that make no sense', () => {
    const storage = new FaultyStorage(new MemoryStorage());
    expect(() => storage.failNext('close' as 'open')).toThrow(/method must be one of "open", "write", "read"/);
    expect(() => storage.failNext('write', 'full' as unknown as Error)).toThrow(TypeError);
    expect(() => storage.failEvery('write', 0)).toThrow(RangeError);
    expect(() => storage.failEvery('write', 1.5)).toThrow(RangeError);
    expect(() => storage.failWhen('write', true as unknown as () => boolean)).toThrow(TypeError);
    expect(storage.write([append('unharmed')])).toBeUndefined();
  });
});
