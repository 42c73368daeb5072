import { expect, it } from 'vitest';
import { encodedBytes } from '../../../src/codec.js';
import { newDisk, openOn } from './bench-disk.js';

const LOGS = ['a', 'b', 'c', 'd'];
const MANY = { entries: 100, bytes: 2 ** 20 };

it('reads a frame once for all logs that have entries in it, at the same time or one after the other', async () => {
  const disk = newDisk();
  const { storage } = await openOn(disk);
  for (let round = 0; round < 3; round++) {
    await storage.write(LOGS.map((log) => ({ type: 'append', log, entry: { head: { log, round }, body: log } })));
  }
  await storage.close();
  const opened = await openOn(disk);
  // Where it lies is read as well, once.
  await opened.storage.read('a', 0, { entries: 1, bytes: 1 });
  let reads = 0;
  disk.fault = (call) => {
    if (call === 'read') reads++;
    return undefined;
  };
  const read = async (log: string): Promise<unknown[]> =>
    (await opened.storage.read(log, 0, MANY)).map(({ entry }) => entry.head);
  expect(await Promise.all(LOGS.map(read))).toEqual(LOGS.map((log) => [0, 1, 2].map((round) => ({ log, round }))));
  const once = reads;
  // Of three frames at most two are new, with a header each.
  expect(once).toBeLessThanOrEqual(4);
  for (const log of LOGS) expect(await read(log)).toHaveLength(3);
  expect(reads).toBe(once);
  await opened.storage.close();
});

it('gives what it read into memory that held other frames before, and what was given stays as it was', async () => {
  const disk = newDisk();
  const { storage } = await openOn(disk);
  // More than is kept, in frames of different sizes.
  const bodies = Array.from({ length: 24 }, (_, n) => new Uint8Array(50_000 + (n % 5) * 10_000).fill(n));
  for (const body of bodies) {
    await storage.write(
      LOGS.map((log) => ({ type: 'append', log, entry: { head: { log }, body: body.slice(0, -1) } })),
    );
  }
  await storage.close();
  const opened = await openOn(disk);
  const found = await Promise.all(
    LOGS.map(async (log) => {
      const read: unknown[] = [];
      for (let from = 0; from < bodies.length; from = read.length) {
        const some = await opened.storage.read(log, from, { entries: LOGS.indexOf(log) + 1, bytes: 2 ** 20 });
        read.push(...some.map(({ entry }) => entry.body));
      }
      return read;
    }),
  );
  for (const read of found) {
    expect(read.map((body) => Buffer.compare(body as Uint8Array, bodies[read.indexOf(body)]!.slice(0, -1)))).toEqual(
      bodies.map(() => 0),
    );
  }
  await opened.storage.close();
});

it('has heads made of their text by whoever reads, who is told how large each body is', async () => {
  const disk = newDisk();
  const { storage } = await openOn(disk);
  const bodies = ['', 'abc', 'é', '\ud800', 'x'.repeat(1000), 'é'.repeat(1000), new Uint8Array(3), undefined];
  for (const body of bodies) {
    await storage.write([{ type: 'append', log: 'a', entry: { head: { k: 'ü' }, body } }]);
    await storage.write([{ type: 'append', log: 'a', entry: { head: { k: 'u' }, body } }]);
  }
  const head = (text: string, length: number, size: number): object => ({ text: text.slice(0, length), size });
  const read = await storage.read('a', 0, { ...MANY, head });
  const sized = bodies.flatMap((body) =>
    ['ü', 'u'].map((k) => ({ head: { text: `{"k":"${k}"}`, size: encodedBytes(body) }, body })),
  );
  expect(
    read.map(({ entry: { head, body } }) => ({ head, body: body instanceof Buffer ? new Uint8Array(body) : body })),
  ).toEqual(sized);
  await storage.close();
});

it('reads small frames many at once where a read goes on, and tells of damage only those who want what is damaged', async () => {
  const disk = newDisk();
  const { storage } = await openOn(disk);
  const count = 200;
  for (let n = 0; n < count; n++) {
    await storage.write([{ type: 'append', log: 'a', entry: { head: { n }, body: `body ${n} `.repeat(9) } }]);
  }
  await storage.close();
  const opened = await openOn(disk);
  let reads = 0;
  disk.fault = (call) => {
    if (call === 'read') reads++;
    return undefined;
  };
  const all = { entries: count, bytes: 2 ** 20 };
  const whole = await opened.storage.read('a', 0, all);
  expect(whole.map(({ entry }) => entry.head)).toEqual(Array.from({ length: count }, (_, n) => ({ n })));
  expect(reads).toBeLessThan(10);
  await opened.storage.close();
  const damaged = await openOn(disk);
  const path = '/data/0000000001.seg';
  const content = Buffer.from(disk.files().get(path)!);
  content[content.indexOf('body 150 ')]!++;
  disk.put(path, content);
  const corrupt = { code: 'ERR_STORAGE_CORRUPT', details: { file: path } };
  const some = async (from: number): Promise<number> =>
    (await damaged.storage.read('a', from, { entries: 40, bytes: 2 ** 20 })).length;
  // Together and one after the other.
  for (let round = 0; round < 2; round++) {
    const found = await Promise.allSettled([100, 105, 110, 115, 151, 155].map(some));
    expect(found.map((one) => (one.status === 'fulfilled' ? one.value : one.reason))).toMatchObject([
      40,
      40,
      40,
      corrupt,
      40,
      40,
    ]);
  }
  await damaged.storage.close();
});
