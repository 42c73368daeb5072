import { isDeepStrictEqual } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/errors.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import type { Body, LogRange, PlainHead, Remake, StorageOp, StoredEntry } from '../../src/storage/storage.js';
import { seededRandom } from '../../src/testing/seeded-random.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const everything = { entries: Infinity, bytes: Infinity };
/** What an entry with a body counts beside it. */
const HEAD = 100;

function append(body?: Body, log = 'log', head: object = {}): StorageOp & { type: 'append' } {
  return { type: 'append', log, entry: { head, body }, offset: undefined };
}

function drop(from: number, to: number, log = 'log'): StorageOp {
  return { type: 'drop', log, from, to };
}

/** Most tests rest on it that nothing here is asynchronous. */
function write(storage: MemoryStorage, batch: readonly StorageOp[]): void {
  if (storage.write(batch) !== undefined) throw new Error('write() answered with a promise');
}

function read(storage: MemoryStorage, log = 'log', from = 0, limit = everything): readonly StoredEntry[] {
  return storage.read(log, from, limit) as readonly StoredEntry[];
}

function offsets(storage: MemoryStorage, log = 'log'): number[] {
  return read(storage, log).map(({ offset }) => offset);
}

function ranges(storage: MemoryStorage): Record<string, LogRange> {
  return Object.fromEntries(storage.open() as ReadonlyMap<string, LogRange>);
}

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
  } catch (error) {
    if (SluiceError.is(error)) return error.code;
    throw error;
  }
  return undefined;
}

describe('MemoryStorage', () => {
  it('answers at once: only close() returns a promise', async () => {
    const storage = new MemoryStorage();
    expect(storage.durability).toBe('memory');
    expect(storage.open()).toEqual(new Map());
    expect(storage.write([append('a')], 'disk')).toBeUndefined();
    expect(storage.read('log', 0, everything)).toEqual([{ offset: 0, entry: { head: {}, body: 'a' } }]);
    const closing = storage.close();
    expect(closing).toBeInstanceOf(Promise);
    await closing;
  });

  it('keeps heads and bodies by reference, and nothing else of what it is given', () => {
    const storage = new MemoryStorage();
    const [head, body] = [{ id: 1 }, { any: 'thing' }];
    const op = append(body, 'log', head);
    const batch = [op];
    write(storage, batch);
    batch.length = 0;
    op.offset = 77;
    Object.assign(op.entry, { head: {}, body: 'other' });
    const [stored] = read(storage);
    expect(stored?.offset).toBe(0);
    expect(stored?.entry.head).toBe(head);
    expect(stored?.entry.body).toBe(body);
  });

  it('opens with the range of each log, first being the lowest offset that is left', () => {
    const storage = new MemoryStorage();
    for (let i = 0; i < 2000; i++)
      write(storage, [append('x', 'holes'), append('x', 'trimmed'), append('x', 'emptied')]);
    write(storage, [
      drop(0, 700, 'trimmed'),
      drop(0, 2000, 'emptied'),
      drop(600, 1800, 'holes'),
      drop(0, 600, 'holes'),
    ]);
    expect(ranges(storage)).toEqual({
      holes: { first: 1800, next: 2000 },
      trimmed: { first: 700, next: 2000 },
      emptied: { first: 2000, next: 2000 },
    });
  });

  it('after close() throws ERR_CLOSED, and open() makes it usable again, empty', async () => {
    const storage = new MemoryStorage({ maxBytes: 2 * HEAD });
    write(storage, [append('gone')]);
    await storage.close();
    await storage.close();
    expect(codeOf(() => write(storage, [append('late')]))).toBe('ERR_CLOSED');
    expect(codeOf(() => storage.read('log', 0, everything))).toBe('ERR_CLOSED');
    expect(storage.open()).toEqual(new Map());
    expect(read(storage)).toEqual([]);
    const op = append('n'.repeat(HEAD));
    write(storage, [op]);
    expect(op.offset).toBe(0);
  });

  it.each([
    [{ maxBytes: 0 }, RangeError, /options.maxBytes must be a whole number from 1.*got 0/],
    [{ maxBytes: -1 }, RangeError, /got -1/],
    [{ maxBytes: 1.5 }, RangeError, /got 1.5/],
    [{ maxBytes: NaN }, RangeError, /got NaN/],
    [{ maxBytes: '1' }, TypeError, /got "1"/],
    [{ maxBytes: null }, TypeError, /got null/],
    [{ maxbytes: 1 }, TypeError, /options has no "maxbytes"; it takes maxBytes/],
    [null, TypeError, /options must be an object; got null/],
    [7, TypeError, /options must be an object; got 7/],
  ])('refuses options %j', (options, kind, message) => {
    const make = (): MemoryStorage => new MemoryStorage(options as object);
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });

  it.each([[undefined], [{}], [{ maxBytes: undefined }], [{ maxBytes: Infinity }]])(
    'has no limit with options %j',
    (options) => {
      const storage = new MemoryStorage(options);
      for (let i = 0; i < 100; i++) write(storage, [append({ not: 'counted' })]);
      expect(offsets(storage)).toHaveLength(100);
    },
  );
});

describe('MemoryStorage in chunks', () => {
  it('agrees with a naive model over appends in bulk, drops of all shapes, removals and reads', () => {
    const offset = fc.integer({ min: 0, max: 2500 });
    const command = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ append: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1100 })) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ from: offset, length: fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 1500 })) }),
      },
      { weight: 2, arbitrary: fc.record({ trim: offset }) },
      { weight: 2, arbitrary: fc.record({ readFrom: offset, entries: fc.integer({ min: 1, max: 700 }) }) },
      { weight: 1, arbitrary: fc.constant({ remove: true as const }) },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), fc.boolean(), (commands, counted) => {
        const storage = new MemoryStorage(counted ? { maxBytes: Number.MAX_SAFE_INTEGER } : {});
        let model = new Map<number, string>();
        let next = 0;
        const answered: unknown[] = [];
        const expected: unknown[] = [];
        const forget = (from: number, to: number): void => {
          write(storage, [drop(from, to)]);
          for (let at = from; at < to; at++) model.delete(at);
        };
        for (const command of commands) {
          if ('append' in command) {
            const ops = Array.from({ length: command.append }, (_, i) => append(`body ${next + i}`));
            write(storage, ops);
            for (const op of ops) {
              answered.push(op.offset);
              expected.push(next);
              model.set(next++, op.entry.body as string);
            }
          } else if ('from' in command) {
            forget(command.from, command.from + command.length);
          } else if ('trim' in command) {
            forget(0, command.trim);
          } else if ('remove' in command) {
            write(storage, [{ type: 'remove', log: 'log' }]);
            model = new Map();
            next = 0;
          } else {
            const { readFrom, entries } = command;
            const found = read(storage, 'log', readFrom, { entries, bytes: Infinity });
            answered.push(found.map(({ offset, entry }) => [offset, entry.body]));
            expected.push([...model].filter(([at]) => at >= readFrom).slice(0, entries));
          }
        }
        expect(answered).toEqual(expected);
        expect(offsets(storage)).toEqual([...model.keys()]);
        expect(ranges(storage)['log'] ?? { first: 0, next: 0 }).toEqual({ first: [...model.keys()][0] ?? next, next });
      }),
      { numRuns: 150 },
    );
  });

  it('stays right when single entries are dropped from the front, the back and behind a survivor', () => {
    const storage = new MemoryStorage();
    for (let i = 0; i < 5000; i++) write(storage, [append(i)]);
    const survivors = new Set([0, 700, 4999]);
    for (let i = 0; i < 2500; i++) {
      for (const at of [i, 4999 - i]) if (!survivors.has(at)) write(storage, [drop(at, at + 1)]);
    }
    expect(offsets(storage)).toEqual([0, 700, 4999]);
    write(storage, [append('next')]);
    expect(offsets(storage)).toEqual([0, 700, 4999, 5000]);
  });

  it('stays right when every entry is dropped before the next comes', () => {
    const storage = new MemoryStorage();
    for (let i = 0; i < 2000; i++) {
      const op = append(i);
      write(storage, [op]);
      expect(op.offset).toBe(i);
      expect(offsets(storage)).toEqual([i]);
      write(storage, [drop(0, i + 1)]);
      expect(offsets(storage)).toEqual([]);
    }
  });

  it('ends a read with the entry that reaches the limit of bytes', () => {
    const storage = new MemoryStorage();
    for (let i = 0; i < 50; i++) write(storage, [append('x'.repeat(900))]);
    for (let i = 0; i < 50; i++) write(storage, [append(new Uint8Array(900))]);
    const count = (from: number, bytes: number): number => read(storage, 'log', from, { entries: 1000, bytes }).length;
    expect(count(0, 10_000)).toBe(10);
    expect(count(50, 10_000)).toBe(10);
    expect(count(0, 0)).toBe(1);
    expect(count(0, 50_001)).toBe(51);
  });
});

describe('MemoryStorage with maxBytes', () => {
  it('throws ERR_STORAGE_FULL past it, says what there is, and takes no offset', () => {
    const storage = new MemoryStorage({ maxBytes: 1000 });
    write(storage, [append('x'.repeat(400))]);
    const late = append('y'.repeat(401));
    expect(() => write(storage, [late])).toThrow(
      expect.objectContaining({ code: 'ERR_STORAGE_FULL', details: { maxBytes: 1000, bytes: 500, needed: 501 } }),
    );
    expect(late.offset).toBeUndefined();
    const fits = append('y'.repeat(400));
    write(storage, [fits]);
    expect(fits.offset).toBe(1);
  });

  it('applies nothing of a batch that does not fit, whatever stands before it', () => {
    const storage = new MemoryStorage({ maxBytes: 1000 });
    write(storage, [append('a', 'kept'), append('b', 'kept')]);
    const batch = [
      drop(0, 1, 'kept'),
      append('x', 'other'),
      { type: 'remove', log: 'kept' } as const,
      append(undefined, 'cursor'),
      append('x'.repeat(900)),
    ];
    expect(codeOf(() => write(storage, batch))).toBe('ERR_STORAGE_FULL');
    expect(ranges(storage)).toEqual({ kept: { first: 0, next: 2 } });
  });

  it('counts strings as UTF-8 and bytes as they are, 100 for each head', () => {
    const fill = (body: Body, room: number): string | undefined =>
      codeOf(() => write(new MemoryStorage({ maxBytes: HEAD + room }), [append(body)]));
    expect(fill('é€😀', 9)).toBeUndefined();
    expect(fill('é€😀', 8)).toBe('ERR_STORAGE_FULL');
    expect(fill(new Uint8Array(50).subarray(7, 27), 20)).toBeUndefined();
    expect(fill(new Uint8Array(50).subarray(7, 27), 19)).toBe('ERR_STORAGE_FULL');
    expect(fill('', 1)).toBeUndefined();
  });

  it('lets what carries no body go on when it is full', () => {
    const storage = new MemoryStorage({ maxBytes: HEAD + 1 });
    write(storage, [append('x')]);
    expect(codeOf(() => write(storage, [append('')]))).toBe('ERR_STORAGE_FULL');
    for (let i = 0; i < 1000; i++) write(storage, [append(undefined, 'cursor'), drop(0, i, 'cursor')]);
    expect(offsets(storage, 'cursor')).toEqual([999]);
  });

  it.each([
    ['a trim', [drop(0, 3)]],
    ['drops in blocks, twice and beyond the end', [drop(2, 900), drop(0, 1), drop(0, 2), drop(0, 2)]],
    ['removing the log', [{ type: 'remove', log: 'log' } as const]],
  ])('%s gives every byte back', (_how, batch) => {
    const storage = new MemoryStorage({ maxBytes: 3 * (HEAD + 10) });
    for (let round = 0; round < 500; round++) {
      for (let i = 0; i < 3; i++) write(storage, [append('0123456789')]);
      expect(codeOf(() => write(storage, [append('')]))).toBe('ERR_STORAGE_FULL');
      const next = ranges(storage)['log']!.next;
      write(
        storage,
        batch.map((op) => (op.type === 'drop' ? drop(op.from + next - 3, op.to + next - 3) : op)),
      );
    }
    expect(offsets(storage)).toEqual([]);
  });

  it('gives whole chunks back, too', () => {
    const storage = new MemoryStorage({ maxBytes: 2000 * (HEAD + 1) });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 2000; i++) write(storage, [append('x')]);
      expect(codeOf(() => write(storage, [append('x')]))).toBe('ERR_STORAGE_FULL');
      write(storage, [drop(2000 * round, 2000 * round + 2000)]);
    }
  });

  it('makes room for later batches, not for the batch that drops', () => {
    const storage = new MemoryStorage({ maxBytes: HEAD + 1 });
    write(storage, [append('x')]);
    expect(codeOf(() => write(storage, [drop(0, 1), append('y')]))).toBe('ERR_STORAGE_FULL');
    write(storage, [drop(0, 1)]);
    write(storage, [append('y')]);
    expect(offsets(storage)).toEqual([1]);
  });

  it('refuses a body that has no size, before anything changes', () => {
    const storage = new MemoryStorage({ maxBytes: 1000 });
    for (const body of [{}, null, 5, true, new Date(0), new ArrayBuffer(8), new Float64Array(1)]) {
      expect(() => write(storage, [append('fine'), append(body)])).toThrow(TypeError);
    }
    expect(() => write(storage, [append({ secret: 1 })])).toThrow(/string or a Uint8Array.*got an object/);
    expect(ranges(storage)).toEqual({});
  });
});

describe('memory of MemoryStorage', () => {
  const heapUsed = (): number => {
    collect();
    collect();
    return process.memoryUsage().heapUsed;
  };

  it('takes two slots per entry beside head and body', () => {
    const storage = new MemoryStorage();
    const entries = 200_000;
    const op = append({});
    const before = heapUsed();
    for (let i = 0; i < entries; i++) write(storage, [op]);
    expect((heapUsed() - before) / entries).toBeLessThan(20);
    expect(offsets(storage)).toHaveLength(entries);
  });

  it('holds next to nothing for a million dropped entries behind one that is stuck', () => {
    const storage = new MemoryStorage();
    const entries = 1_000_000;
    const op = append({});
    const before = heapUsed();
    for (let i = 0; i < entries; i++) {
      write(storage, [op]);
      if (i % 256 === 255) write(storage, [drop(Math.max(i - 255, 6), i + 1)]);
    }
    write(storage, [drop(0, 5), drop(6, entries)]);
    expect((heapUsed() - before) / entries).toBeLessThan(0.1);
    expect(offsets(storage)).toEqual([5]);
    expect(ranges(storage)).toEqual({ log: { first: 5, next: entries } });
  });

  it.each([
    ['of a chunk that is dropped in part', 20, drop(0, 10)],
    ['of chunks that are trimmed off a long log', 20_000, drop(0, 6000)],
    ['of chunks behind an entry that is stuck', 20_000, drop(1, 6000)],
    ['of chunks in front of the last', 20_000, drop(15_000, 19_900)],
  ])('lets go of heads and bodies %s, and of no others', async (_which, entries, op) => {
    const storage = new MemoryStorage();
    const { from, to } = op as Extract<StorageOp, { type: 'drop' }>;
    const [dropped, kept]: [WeakRef<object>[], WeakRef<object>[]] = [[], []];
    for (let i = 0; i < entries; i++) {
      const [head, body] = [{ i }, { i }];
      (i >= from && i < to ? dropped : kept).push(new WeakRef(head), new WeakRef(body));
      write(storage, [append(body, 'log', head)]);
    }
    write(storage, [op]);
    // A WeakRef keeps its target until the job that made or read it is over.
    await new Promise<void>((resolve) => setImmediate(resolve));
    collect();
    const gone = (refs: readonly WeakRef<object>[]): number => refs.filter((ref) => ref.deref() === undefined).length;
    expect([gone(dropped), gone(kept)]).toEqual([2 * (to - from), 0]);
    expect(offsets(storage)).toHaveLength(entries - (to - from));
  });

  it('holds no chunk for a log that was emptied', () => {
    const storage = new MemoryStorage();
    const op = append({});
    const logs = 1000;
    const before = heapUsed();
    for (let log = 0; log < logs; log++) {
      for (let i = 0; i < 600; i++) write(storage, [{ ...op, log: `log ${log}` }]);
      write(storage, [drop(0, 600, `log ${log}`)]);
    }
    expect((heapUsed() - before) / logs).toBeLessThan(600);
    expect(Object.keys(ranges(storage))).toHaveLength(logs);
  });
});

/** A head of the engine. */
class Plain implements PlainHead {
  readonly isPlain = true;
  readonly seconds: number;
  readonly tick: number;
  readonly size: number;
  readonly key: string | undefined;
  readonly routingKey: string | undefined;
  readonly due: number | undefined;

  constructor(...[seconds, tick, size, key, routingKey, due]: Parameters<Remake>) {
    this.seconds = seconds;
    this.tick = tick;
    this.size = size;
    this.key = key;
    this.routingKey = routingKey;
    this.due = Number.isNaN(due) ? undefined : due;
  }
}

const remake: Remake = (...parts) => new Plain(...parts);

describe('an open log', () => {
  it('takes entries where write() would put them', () => {
    const storage = new MemoryStorage();
    write(storage, [append('a')]);
    const log = storage.openLog('log', remake)!;
    expect(log.append({}, 'b')).toBe(1);
    write(storage, [append('c'), drop(0, 1)]);
    expect(log.append({}, 'd')).toBe(3);
    expect(read(storage).map(({ offset, entry }) => [offset, entry.body])).toEqual([
      [1, 'b'],
      [2, 'c'],
      [3, 'd'],
    ]);
  });

  it('is refused after close()', async () => {
    const storage = new MemoryStorage();
    const log = storage.openLog('log', remake)!;
    await storage.close();
    expect(() => log.append({}, 'a')).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    expect(storage.openLog('log', remake)).toBeUndefined();
  });

  it('makes plain heads anew, and gives back all others as they are, however many wait', () => {
    const random = seededRandom(20);
    const storage = new MemoryStorage();
    const log = storage.openLog('log', remake)!;
    const count = 40_000;
    const kept = new Map<number, { head: object; body: Body }>();
    const some = (name: string): string | undefined => (random() < 0.5 ? undefined : `${name} ${random()}`);
    const dropped = (from: number, to: number): void => {
      for (let offset = from; offset < to; offset++) kept.delete(offset);
      write(storage, [drop(from, to)]);
    };
    for (let n = 0; n < count; n++) {
      const plain = new Plain(
        n,
        n === 7 ? 0 : 2 ** 31 - 2 - n,
        n % 3,
        some('key'),
        some('routing key'),
        random() < 0.9 ? NaN : n,
      );
      // Some stretches are all plain, some have no plain one.
      const head = n % 5000 < 2000 || random() < 0.5 ? plain : { n };
      const body = n % 11 === 0 ? undefined : n;
      expect(log.append(head, body)).toBe(n);
      kept.set(n, { head, body });
      if (random() < 0.001) dropped(Math.floor(random() * n), Math.floor(random() * n));
    }
    for (const at of [600, 5000, 21_000]) dropped(at, at + 700);
    dropped(0, 300);
    const found = read(storage);
    expect(found.map(({ offset }) => offset)).toEqual([...kept.keys()]);
    for (const { offset, entry } of found) {
      const { head, body } = kept.get(offset)!;
      if (entry.body !== body) throw new Error(`another body at ${offset}`);
      if (head instanceof Plain ? !isDeepStrictEqual(entry.head, head) : entry.head !== head) {
        throw new Error(`another head at ${offset}`);
      }
    }
    dropped(0, count);
    expect(read(storage)).toEqual([]);
    expect(log.append({}, 'next')).toBe(count);
  });

  it('keeps no object for a plain head that waits', () => {
    const storage = new MemoryStorage();
    const log = storage.openLog('log', remake)!;
    const heads: WeakRef<object>[] = [];
    for (let n = 0; n < 30_000; n++) {
      const head = new Plain(n, n, 0, undefined, undefined, NaN);
      if (n < 10_000) heads.push(new WeakRef(head));
      log.append(head, n);
    }
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      collect();
      expect(heads.filter((ref) => ref.deref() !== undefined)).toEqual([]);
      expect(read(storage, 'log', 9_999)[0]!.entry).toEqual({
        head: new Plain(9_999, 9_999, 0, undefined, undefined, NaN),
        body: 9_999,
      });
    });
  });

  it('there is none where bytes are counted, or where somebody looks at what is written', () => {
    class Watched extends MemoryStorage {
      override write(batch: readonly StorageOp[]): void {
        void super.write(batch);
      }
    }
    expect(new MemoryStorage({ maxBytes: 1000 }).openLog('log', remake)).toBeUndefined();
    expect(new Watched().openLog('log', remake)).toBeUndefined();
  });
});
