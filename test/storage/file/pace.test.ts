import { describe, expect, it } from 'vitest';
import { Group } from '../../../src/storage/file/group.js';
import { Pace } from '../../../src/storage/file/pace.js';
import { RecordBuffer } from '../../../src/storage/file/record.js';
import { openOn, newDisk } from './bench-disk.js';

/** A group of so many frames. */
function groupOf(frames: number, began: number): Group {
  const group = new Group(new RecordBuffer(1024), began);
  for (let n = 0; n < frames; n++) group.beginFrame();
  return group;
}

describe('the pace of writes', () => {
  it('lets a large group leave when it gathered for as long as a sync takes', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.3;
    pace.wrote(100_000, 0);
    const group = groupOf(2, now);
    now += 0.15;
    expect(pace.isDue(group)).toBe(false);
    now += 0.1;
    expect(pace.isDue(group)).toBe(true);
  });

  it('does not ask how long a small one waited', () => {
    const pace = new Pace(() => 1e6);
    expect(pace.isDue(groupOf(1, 0))).toBe(false);
  });

  it('is slow to believe that syncs take long: the event loop may be late to hear of them', () => {
    let now = 0;
    const pace = new Pace(() => now);
    now = 0.2;
    pace.wrote(0, 0);
    for (let n = 0; n < 3; n++) pace.wrote(0, now - 100);
    const group = groupOf(2, now);
    now += 0.3;
    expect(pace.isDue(group)).toBe(true);
    for (let n = 0; n < 100; n++) pace.wrote(0, now - 100);
    expect(pace.isDue(groupOf(2, now - 50))).toBe(false);
    expect(pace.isDue(groupOf(2, now - 101))).toBe(true);
  });
});

describe('the writer', () => {
  it('writes what was gathered for long enough while others are encoded', async () => {
    const { storage, clock } = await openOn(newDisk());
    const send = (): Promise<void> =>
      storage.write([{ type: 'append', log: 'q', entry: { head: {}, body: new Uint8Array(40 * 1024) } }]);
    await send();
    const before = storage.stats()['writes'] as number;
    const early = [send(), send()];
    await clock.advance(5);
    early.push(send(), send());
    await Promise.all(early);
    expect(storage.stats()['writes']).toBe(before + 2);
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
