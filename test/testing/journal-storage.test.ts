import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/errors.js';
import type { Body, Durability, StorageOp } from '../../src/storage/storage.js';
import { type Crash, JournalStorage } from '../../src/testing/journal-storage.js';
import { seededRandom } from '../../src/testing/seeded-random.js';

const everything = { entries: Infinity, bytes: Infinity };

function append(body: Body, head: object = {}): StorageOp & { type: 'append' } {
  return { type: 'append', log: 'log', entry: { head, body }, offset: undefined };
}

async function bodies(storage: JournalStorage): Promise<Body[]> {
  return (await storage.read('log', 0, everything)).map(({ entry }) => entry.body);
}

/** Writes one batch of each reach, the body saying which, and crashes; what is found afterwards. */
async function found(reaches: readonly Durability[], crash?: Crash): Promise<string> {
  const storage = new JournalStorage();
  await storage.open();
  for (const reach of reaches) await storage.write([append(reach[0])], reach);
  const left = storage.crash(crash);
  await left.open();
  return (await bodies(left)).join('');
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'done',
    (error: unknown) => (SluiceError.is(error) ? error.code : error),
  );

describe('JournalStorage', () => {
  it('gives back nothing that it was given', async () => {
    const storage = new JournalStorage();
    const head = { list: [1, { x: 'y' }], gone: undefined };
    const bytes = new Uint8Array([1, 2, 3]);
    await storage.write([append(bytes, head)]);
    bytes[0] = 9;
    head.list.push(2);
    const [first] = await storage.read('log', 0, everything);
    expect(first!.entry).toEqual({ head: { list: [1, { x: 'y' }] }, body: new Uint8Array([1, 2, 3]) });
    (first!.entry.body as Uint8Array)[0] = 9;
    Object.assign(first!.entry.head, { list: 'spoiled' });
    const [second] = await storage.read('log', 0, everything);
    expect(second?.entry).toEqual({ head: { list: [1, { x: 'y' }] }, body: new Uint8Array([1, 2, 3]) });
  });

  it('takes a batch as it is when write() is called', async () => {
    const storage = new JournalStorage();
    const batch = [append('a', { n: 1 })];
    const writing = storage.write(batch);
    Object.assign(batch[0]!.entry, { head: { n: 2 }, body: 'b' });
    await writing;
    const [entry] = await storage.read('log', 0, everything);
    expect(entry?.entry).toEqual({ head: { n: 1 }, body: 'a' });
  });

  it('refuses a body that is neither text nor bytes, and nothing of its batch is stored', async () => {
    const storage = new JournalStorage();
    await expect(storage.write([append('a'), append({ by: 'reference' })])).rejects.toThrow(TypeError);
    expect(await bodies(storage)).toEqual([]);
  });

  it('keeps what it holds over close() and open()', async () => {
    const storage = new JournalStorage();
    await storage.open();
    await storage.write([append('disk')], 'disk');
    void storage.write([append('memory')], 'memory');
    await storage.close();
    expect(await codeOf(storage.read('log', 0, everything))).toBe('ERR_CLOSED');
    expect(await storage.open()).toEqual(new Map([['log', { first: 0, next: 2 }]]));
    expect(await bodies(storage)).toEqual(['disk', 'memory']);
    const left = storage.crash({ survives: 'disk' });
    await left.open();
    expect(await bodies(left)).toEqual(['disk', 'memory']);
  });
});

describe('crash()', () => {
  it.each<[Durability[], Crash | undefined, string]>([
    [['disk', 'os', 'memory'], undefined, 'do'],
    [['disk', 'os', 'memory'], { survives: 'disk' }, 'd'],
    [['memory', 'memory'], undefined, ''],
    [['memory', 'os', 'memory', 'os', 'memory'], undefined, 'momo'],
    [['memory', 'os', 'disk', 'os'], { survives: 'disk' }, 'mod'],
    [['disk', 'os', 'memory'], { luck: 1 }, 'dom'],
    [['disk', 'memory', 'memory', 'memory'], { luck: 0.5 }, 'dmm'],
    [['os', 'os', 'os'], { survives: 'disk', luck: 0.3 }, 'o'],
  ])('after %j with %j finds what came before some point, and all that is certain', async (reaches, crash, left) => {
    expect(await found(reaches, crash)).toBe(left);
  });

  it('goes on at the offset after what is found', async () => {
    const storage = new JournalStorage();
    await storage.write([append('a'), append('b')]);
    await storage.write([append('forgotten')], 'memory');
    const left = storage.crash();
    expect(await left.open()).toEqual(new Map([['log', { first: 0, next: 2 }]]));
    const op = append('c');
    await left.write([op]);
    expect(op.offset).toBe(2);
    expect(await bodies(left)).toEqual(['a', 'b', 'c']);
  });

  it('takes drops and removals back that reached only memory', async () => {
    const storage = new JournalStorage();
    await storage.write([append('a'), append('b')]);
    await storage.write([{ type: 'drop', log: 'log', from: 0, to: 1 }], 'memory');
    await storage.write([{ type: 'remove', log: 'log' }], 'memory');
    expect(await bodies(storage)).toEqual([]);
    const left = storage.crash();
    expect(await bodies(left)).toEqual(['a', 'b']);
  });

  it('settles what waits, and rejects everything afterwards, with ERR_CLOSED', async () => {
    const storage = new JournalStorage();
    await storage.write([append('a')]);
    const waiting = [codeOf(storage.write([append('b')])), codeOf(storage.read('log', 0, everything))];
    const left = storage.crash();
    expect(await Promise.all(waiting)).toEqual(['ERR_CLOSED', 'ERR_CLOSED']);
    expect(await codeOf(storage.write([]))).toBe('ERR_CLOSED');
    expect(await codeOf(storage.read('log', 0, everything))).toBe('ERR_CLOSED');
    expect(await codeOf(storage.open())).toBe('ERR_CLOSED');
    expect(await codeOf(storage.close())).toBe('done');
    expect(await bodies(left)).toEqual(['a']);
  });

  it('may find writes that were not done', async () => {
    const start = async (): Promise<JournalStorage> => {
      const storage = new JournalStorage();
      await storage.write([append('done')]);
      for (const body of ['x', 'y']) void codeOf(storage.write([append(body)]));
      return storage;
    };
    expect(await bodies((await start()).crash())).toEqual(['done']);
    expect(await bodies((await start()).crash({ luck: 0.4 }))).toEqual(['done', 'x']);
    expect(await bodies((await start()).crash({ luck: 1 }))).toEqual(['done', 'x', 'y']);
  });

  it('leaves a storage that crashes in turn', async () => {
    let storage = new JournalStorage();
    for (let life = 0; life < 5; life++) {
      await storage.write([append(life)].map((op) => ({ ...op, entry: { head: { life }, body: String(life) } })));
      await storage.write([append('lost')], 'memory');
      storage = storage.crash();
    }
    expect(await bodies(storage)).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('latency', () => {
  it('takes turns of the event loop, but keeps batches in call order', async () => {
    const storage = new JournalStorage({ latency: seededRandom(1) });
    await storage.open();
    const done: number[] = [];
    const writes = Array.from({ length: 200 }, async (_, i) => {
      const op = append(String(i));
      await storage.write([op]);
      done.push(i);
      return op.offset;
    });
    const inOrder = Array.from({ length: 200 }, (_, i) => i);
    expect(await Promise.all(writes)).toEqual(inOrder);
    expect(done).toEqual(inOrder);
    expect(await bodies(storage)).toEqual(inOrder.map(String));
  });

  it('lets a read overtake writes, and is the same for the same seed', async () => {
    const run = async (seed: number): Promise<number[]> => {
      const storage = new JournalStorage({ latency: seededRandom(seed) });
      const seen: Promise<number>[] = [];
      for (let i = 0; i < 30; i++) {
        void storage.write([append('x')]);
        seen.push(storage.read('log', 0, everything).then((entries) => entries.length));
      }
      return Promise.all(seen);
    };
    const seen = await run(7);
    expect(new Set(seen).size).toBeGreaterThan(1);
    expect(await run(7)).toEqual(seen);
    expect(await run(8)).not.toEqual(seen);
  });

  it('is kept by what crash() leaves', async () => {
    const storage = new JournalStorage({ latency: () => 0.99 }).crash();
    let turned = false;
    setImmediate(() => (turned = true));
    await storage.open();
    expect(turned).toBe(true);
  });
});

describe('seededRandom', () => {
  it('is uniform in [0, 1), and the same for the same seed', () => {
    const [a, b, other] = [seededRandom(5), seededRandom(5), seededRandom(6)];
    const drawn = Array.from({ length: 10_000 }, a);
    expect(Array.from({ length: 10_000 }, b)).toEqual(drawn);
    expect(other()).not.toBe(drawn[0]);
    for (let tenth = 0; tenth < 10; tenth++) {
      const share = drawn.filter((x) => x >= tenth / 10 && x < (tenth + 1) / 10).length;
      expect(share).toBeGreaterThan(900);
      expect(share).toBeLessThan(1100);
    }
  });
});
