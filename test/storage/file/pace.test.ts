import { describe, expect, it } from 'vitest';
import { checkBatch, Group } from '../../../src/storage/file/group.js';
import { LogTable } from '../../../src/storage/file/log-table.js';
import { Pace } from '../../../src/storage/file/pace.js';
import { RecordBuffer } from '../../../src/storage/file/record.js';
import type { StorageOp } from '../../../src/storage/storage.js';
import { openOn, newDisk } from './bench-disk.js';

const append = (): StorageOp => ({ type: 'append', log: 'q', entry: { head: {}, body: 'x' } });

/** A group of so many records. */
function groupOf(records: number): Group {
  const group = new Group(new RecordBuffer(1024));
  void group.add(checkBatch(Array.from({ length: records }, append)), new LogTable());
  return group;
}

describe('the pace of writes', () => {
  it('has enough in a group when making it takes twice as long as a sync', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.3;
    pace.wrote(100_000, 0);
    expect(pace.isEnough(groupOf(500))).toBe(false);
    expect(pace.isEnough(groupOf(700))).toBe(true);
  });

  it('lets thousands share a sync that takes a millisecond', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 1.1;
    pace.wrote(0, 0);
    expect(pace.isEnough(groupOf(2500))).toBe(false);
  });

  it('is slow to believe that syncs take long: the event loop may be late to hear of them', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.2;
    pace.wrote(0, 0);
    for (let n = 0; n < 3; n++) pace.wrote(0, now - 100);
    expect(pace.isEnough(groupOf(1000))).toBe(true);
    for (let n = 0; n < 500; n++) pace.wrote(0, now - 100);
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
    await Promise.all([send(100), send(100), send(10), send(10)]);
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

  it('goes on after a batch of which nothing comes', async () => {
    const { storage } = await openOn(newDisk());
    await storage.write([{ type: 'drop', log: 'nowhere', from: 0, to: 9 }]);
    const later = [{ type: 'append', log: 'q', entry: { head: {}, body: 'x' } }] as const;
    await storage.write([...later]);
    expect((await storage.read('q', 0, { entries: 1, bytes: 1 })).length).toBe(1);
    await storage.close();
  });
});
