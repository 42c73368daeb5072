import { describe, expect, it } from 'vitest';
import type { FileStorage } from '../../../src/storage/file-storage.js';
import type { SimulatedDisk } from '../../crash/simulated-disk.js';
import { framesOf, headsOf, newDisk, openOn, settled } from './bench-disk.js';

const SEGMENT = '/data/0000000001.seg';

/** An entry whose frame has a size and a tail that others of its kind have too. */
const append = (storage: FileStorage, n: number): Promise<void> =>
  Promise.resolve(
    storage.write([{ type: 'append', log: 'q', entry: { head: { n: 100 + n }, body: 'x'.repeat(1500) } }]),
  );

async function written(count: number): Promise<SimulatedDisk> {
  const disk = newDisk();
  const { storage } = await openOn(disk);
  for (let n = 0; n < count; n++) await append(storage, n);
  disk.kill();
  await settled();
  return disk;
}

const segment = (disk: SimulatedDisk): Buffer => disk.files().get(SEGMENT)!;
const numbers = (...all: number[]): unknown[] => all.map((n) => ({ n: 100 + n }));

describe('a torn end', () => {
  it('is cut and told, and what was confirmed before it stays', async () => {
    const disk = await written(3);
    const last = framesOf(segment(disk), 1).at(-1)!;
    segment(disk).fill(0, last.offset + 600, last.offset + 900);
    const { storage, reports } = await openOn(disk);
    expect(reports).toEqual([{ type: 'torn-tail', file: SEGMENT, position: last.offset }]);
    expect(storage.stats()['tornTails']).toBe(1);
    expect(await headsOf(storage, 'q')).toEqual(numbers(0, 1));
    await append(storage, 7);
    expect(await headsOf(storage, 'q')).toEqual(numbers(0, 1, 7));
    await storage.close();
    expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual(numbers(0, 1, 7));
  });

  it('is told when its header was lost and a frame behind it was not', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    await append(storage, 0);
    // Too large to share a frame: a group of two.
    const large = (n: number): Promise<void> =>
      Promise.resolve(storage.write([{ type: 'append', log: 'q', entry: { head: { n }, body: 'x'.repeat(70_000) } }]));
    const both = [large(1), large(2), large(3)];
    await Promise.all(both);
    disk.kill();
    await settled();
    const frames = framesOf(segment(disk), 1);
    expect(frames).toHaveLength(5);
    segment(disk).fill(0, frames[2]!.offset, frames[2]!.offset + 512);
    const again = await openOn(disk);
    expect(again.reports).toEqual([{ type: 'torn-tail', file: SEGMENT, position: frames[2]!.offset }]);
  });

  it('does not bring back the frame behind it when the gap is filled with one of its size', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    const large = (of: FileStorage, n: number): Promise<void> =>
      Promise.resolve(
        of.write([{ type: 'append', log: 'q', entry: { head: { n: 100 + n }, body: 'x'.repeat(70_000) } }]),
      );
    await large(storage, 0);
    await Promise.all([large(storage, 1), large(storage, 2)]);
    disk.kill();
    await settled();
    const [, , first, second] = framesOf(segment(disk), 1);
    segment(disk).fill(0, first!.offset + 1024, first!.offset + 2048);
    const again = await openOn(disk);
    await large(again.storage, 3);
    expect(framesOf(segment(disk), 1).at(-1)).toEqual(second);
    disk.kill();
    await settled();
    expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual(numbers(0, 3));
  });

  it('is not completed by equal bytes of the frame written over it', async () => {
    const disk = await written(2);
    const last = framesOf(segment(disk), 1).at(-1)!;
    const sector = Math.floor(last.offset / 512) * 512;
    // Its header and head are there; of its body, which others share, the last sectors are not.
    segment(disk).fill(0, sector + 1024);
    const again = await openOn(disk);
    const before = Buffer.from(segment(disk).subarray(sector, sector + 512));
    await append(again.storage, 9);
    disk.kill();
    await settled();
    // The power goes: of the new frame, all but the sector with its header reached the disk.
    before.copy(segment(disk), sector);
    expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual(numbers(0));
  });
});

describe('damage', () => {
  const corrupt = (position: number) => ({ code: 'ERR_STORAGE_CORRUPT', details: { file: SEGMENT, position } });

  it('below what a later frame vouches for is reported with file and position, and nothing is changed', async () => {
    const disk = await written(3);
    const frame = framesOf(segment(disk), 1)[2]!;
    segment(disk)[frame.offset + 100]! ^= 1;
    const before = new Map([...disk.files()].map(([path, content]) => [path, Buffer.from(content)]));
    before.delete('/data/lock');
    await expect(openOn(disk)).rejects.toMatchObject(corrupt(frame.offset));
    const after = new Map(disk.files());
    after.delete('/data/lock');
    expect(after).toEqual(before);
  });

  it('is seen when a header sector is gone and the end looks clean', async () => {
    const disk = await written(3);
    const frame = framesOf(segment(disk), 1)[2]!;
    segment(disk).fill(0, frame.offset, frame.offset + 512);
    await expect(openOn(disk)).rejects.toMatchObject(corrupt(frame.offset));
  });

  it('of the last frame is seen after a close, also without the file that says so', async () => {
    for (const without of [[], ['/data/clean'], ['/data/0000000001.idx']]) {
      const disk = newDisk();
      const { storage } = await openOn(disk);
      await append(storage, 0);
      await storage.close();
      for (const path of without) disk.remove(path);
      const state = framesOf(segment(disk), 1).at(-1)!;
      segment(disk)[state.offset + 45]! ^= 1;
      await expect(openOn(disk)).rejects.toMatchObject(corrupt(state.offset));
    }
  });

  it('of the last batch is seen once a storage was idle', async () => {
    const disk = newDisk();
    const { storage, clock } = await openOn(disk);
    await append(storage, 0);
    await clock.advance(1000);
    await clock.advance(1000);
    const [, batch, mark] = framesOf(segment(disk), 1);
    expect(mark).toMatchObject({ length: 0, synced: { segment: 1, offset: mark!.offset } });
    await clock.advance(1000);
    await clock.advance(1000);
    expect(framesOf(segment(disk), 1)).toHaveLength(3);
    disk.kill();
    await settled();
    segment(disk)[batch!.offset + 100]! ^= 1;
    await expect(openOn(disk)).rejects.toMatchObject(corrupt(batch!.offset));
  });

  it('is not hidden by a close of earlier: the word of it goes before anything is written', async () => {
    const disk = newDisk();
    await (await openOn(disk)).storage.close();
    expect(disk.files().has('/data/clean')).toBe(true);
    const { storage } = await openOn(disk);
    expect(disk.files().has('/data/clean')).toBe(false);
    await append(storage, 0);
    await append(storage, 1);
    disk.kill();
    await settled();
    const first = framesOf(segment(disk), 1).at(-2)!;
    segment(disk).fill(0, first.offset, first.offset + 512);
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT' });
  });

  it('is a file that is missing: the last begun, one in the middle, the format', async () => {
    for (const [gone, file] of [
      ['0000000003.seg', '/data/0000000003.seg'],
      ['0000000002.seg', '/data/0000000002.seg'],
      ['format', '/data/format'],
    ]) {
      const disk = newDisk();
      const { storage } = await openOn(disk, { segmentBytes: 2000 });
      for (let n = 0; n < 3; n++) await append(storage, n);
      await settled();
      disk.kill();
      await settled();
      disk.remove(`/data/${gone}`);
      await expect(openOn(disk)).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT', details: { file } });
    }
  });

  it('is a segment that is missing together with its index file', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, { segmentBytes: 2000 });
    for (let n = 0; n < 4; n++) await append(storage, n);
    await settled();
    disk.kill();
    await settled();
    disk.remove('/data/0000000002.seg');
    disk.remove('/data/0000000002.idx');
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT' });
  });

  it('is the only segment that is missing, where its index file says that it was begun', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, { segmentBytes: 20_000 });
    for (let n = 0; n < 8; n++) {
      await append(storage, n);
      await settled();
    }
    disk.kill();
    await settled();
    expect([...disk.files().keys()]).toContain('/data/0000000001.idx');
    disk.remove('/data/0000000001.seg');
    disk.remove('/data/0000000002.seg');
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT', details: { file: SEGMENT } });
  });

  it('of the last frame is seen after a close and a power cut', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const disk = newDisk(seed);
      const { storage } = await openOn(disk);
      await append(storage, 0);
      await storage.close();
      disk.cutPower();
      const state = framesOf(segment(disk), 1).at(-1)!;
      segment(disk)[state.offset + 45]! ^= 1;
      await expect(openOn(disk)).rejects.toMatchObject(corrupt(state.offset));
    }
  });

  it('found by a read is an error of that read', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    for (let n = 0; n < 3; n++) await append(storage, n);
    const frame = framesOf(segment(disk), 1)[2]!;
    segment(disk)[frame.offset + 500]! ^= 1;
    await expect(storage.read('q', 1, { entries: 1, bytes: 1 })).rejects.toMatchObject(corrupt(frame.offset));
    expect(await storage.read('q', 2, { entries: 1, bytes: 1 })).toHaveLength(1);
    await storage.write([{ type: 'drop', log: 'q', from: 0, to: 1 }]);
  });
});

describe('opening', () => {
  it('of a new directory is on the disk when the first batch is, with or without a body', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = newDisk(seed);
      const { storage } = await openOn(disk);
      await storage.write([{ type: 'append', log: 'q', entry: { head: { n: 1 } } }]);
      disk.cutPower();
      await settled();
      expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual([{ n: 1 }]);
    }
  });

  it('is done by one of two that find a lock whose owner is gone', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      const disk = newDisk(seed);
      await openOn(disk);
      disk.kill();
      const outcomes = await Promise.allSettled([openOn(disk), openOn(disk)]);
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    }
  });

  it('begins a run of its own, and so does a write after one that was refused', async () => {
    const disk = await written(1);
    const { storage } = await openOn(disk);
    await append(storage, 1);
    disk.fault = (call, path) => (call === 'write' && path === SEGMENT ? { error: 'ENOSPC' } : undefined);
    await expect(append(storage, 2)).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL' });
    disk.fault = () => undefined;
    await storage.write([{ type: 'append', log: 'q', entry: { head: { n: 103 } } }]);
    const runs = framesOf(segment(disk), 1).map((frame) => frame.run);
    expect(runs).toHaveLength(4);
    expect(new Set(runs.slice(1)).size).toBe(3);
  });

  it('rebuilds an index file that is missing or damaged', async () => {
    const disk = newDisk();
    const first = await openOn(disk, { segmentBytes: 2000 });
    for (let n = 0; n < 4; n++) await append(first.storage, n);
    await first.storage.close();
    disk.remove('/data/0000000001.idx');
    disk.files().get('/data/0000000002.idx')![70]! ^= 1;
    const { storage } = await openOn(disk, { segmentBytes: 2000 });
    expect(await headsOf(storage, 'q')).toEqual(numbers(0, 1, 2, 3));
    await storage.reclaimed();
    expect(disk.files().has('/data/0000000001.idx')).toBe(true);
    await storage.close();
  });

  it('refuses a later version, and changes nothing', async () => {
    const disk = newDisk();
    await (await openOn(disk)).storage.close();
    const format = disk.files().get('/data/format')!;
    const { crc32 } = await import('node:zlib');
    format.writeUInt32LE(2, 4);
    format.writeUInt32LE(crc32(format.subarray(0, 12)), 12);
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'ERR_STORAGE_VERSION', details: { version: 2 } });
  });

  it('does not bring back what was dropped once the segments that said so are gone', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, { segmentBytes: 2000 });
    for (let n = 0; n < 4; n++) await append(storage, n);
    await storage.write([
      { type: 'drop', log: 'q', from: 0, to: 1 },
      { type: 'drop', log: 'q', from: 2, to: 3 },
    ]);
    for (let n = 4; n < 9; n++) await append(storage, n);
    await storage.write([{ type: 'drop', log: 'q', from: 4, to: 9 }]);
    await storage.reclaimed();
    await storage.close();
    const again = await openOn(disk, { segmentBytes: 2000 });
    expect(await headsOf(again.storage, 'q')).toEqual(numbers(1, 3));
  });
});
