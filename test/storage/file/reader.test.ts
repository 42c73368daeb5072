import { expect, it } from 'vitest';
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
