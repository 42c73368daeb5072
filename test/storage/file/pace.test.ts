import { describe, expect, it } from 'vitest';
import { checkBatch, Group } from '../../../src/storage/file/group.js';
import { LogTable } from '../../../src/storage/file/log-table.js';
import { Pace } from '../../../src/storage/file/pace.js';
import type { StorageOp } from '../../../src/storage/storage.js';
import { openOn, newDisk } from './bench-disk.js';

const append = (): StorageOp => ({ type: 'append', log: 'q', entry: { head: {}, body: 'x' } });

/** A group of so many records, in a buffer that holds `bytes`. */
function groupOf(records: number, bytes?: number): Group {
  const group = new Group();
  void group.add(checkBatch(Array.from({ length: records }, append)), new LogTable());
  if (bytes !== undefined) group.buffer.length = bytes;
  return group;
}

describe('the pace of writes', () => {
  it('has enough in half of those who wait, not in less', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.3;
    pace.wrote(groupOf(200, 100_000), 0, groupOf(150));
    expect(pace.isEnough(groupOf(170))).toBe(false);
    expect(pace.isEnough(groupOf(180))).toBe(true);
  });

  it('lets all who wait share a sync that takes longer than making their records', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.3;
    pace.wrote(groupOf(200, 100_000), 0, groupOf(90));
    expect(pace.isEnough(groupOf(200))).toBe(false);
    expect(pace.isEnough(groupOf(290))).toBe(false);
  });

  it('has enough in what takes as long as a sync, of more than ever waited', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.3;
    pace.wrote(groupOf(1, 100_000), 0, undefined);
    expect(pace.isEnough(groupOf(290))).toBe(false);
    expect(pace.isEnough(groupOf(310))).toBe(true);
  });

  it('is slow to believe that syncs take long: the event loop may be late to hear of them', () => {
    let now = 0;
    const pace = new Pace(() => now);
    const wrote = (took: number): void => pace.wrote(groupOf(1, 0), now - took, undefined);
    now = 0.2;
    wrote(0.2);
    for (let n = 0; n < 3; n++) wrote(100);
    expect(pace.isEnough(groupOf(400))).toBe(true);
    for (let n = 0; n < 500; n++) wrote(100);
    expect(pace.isEnough(groupOf(10_000))).toBe(false);
  });
});

describe('the writer', () => {
  it('writes what is enough while others are encoded', async () => {
    const { storage } = await openOn(newDisk());
    const send = (records: number): Promise<void> => storage.write(Array.from({ length: records }, append));
    // On this clock no time passes while it writes.
    for (let n = 0; n < 10; n++) await send(1);
    const before = storage.stats()['writes'] as number;
    await Promise.all([send(200), send(200), send(10), send(10)]);
    expect(storage.stats()['writes']).toBe(before + 2);
    await storage.close();
  });

  it('writes together what is little', async () => {
    const { storage } = await openOn(newDisk());
    const before = storage.stats()['writes'] as number;
    await Promise.all(Array.from({ length: 100 }, () => storage.write([append()])));
    expect(storage.stats()['writes']).toBe(before + 1);
    await storage.close();
  });

  it('fills groups again, and nothing of what was in them is left', async () => {
    const { storage } = await openOn(newDisk());
    const texts = Array.from({ length: 60 }, (_, n) => 'x'.repeat((n * 7919) % 5000));
    for (let n = 0; n < texts.length; n += 6) {
      const some = texts.slice(n, n + 6);
      await Promise.all(
        some.map((body, at) =>
          storage.write([
            { type: 'append', log: 'q', entry: { head: { n: n + at }, body } },
            { type: 'append', log: `other-${n % 4}`, entry: { head: {}, body: 'y' } },
            { type: 'drop', log: 'q', from: 0, to: n - 10 },
          ]),
        ),
      );
    }
    const read = await storage.read('q', 0, { entries: 100, bytes: 10 ** 6 });
    expect(read.map(({ offset, entry }) => [offset, entry.body])).toEqual(
      texts.map((text, n) => [n, text]).slice(texts.length - 6 - 10),
    );
    await storage.close();
  });

  it('goes on after a batch of which nothing comes', async () => {
    const { storage } = await openOn(newDisk());
    await storage.write([{ type: 'drop', log: 'nowhere', from: 0, to: 9 }]);
    const later = [{ type: 'append', log: 'q', entry: { head: {}, body: 'x' } }] as const;
    await storage.write([...later]);
    expect((await storage.read('q', 0, { entries: 1, bytes: 1 })).length).toBe(1);
    await storage.close();
  });
});
