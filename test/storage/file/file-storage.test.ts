import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileStorage } from '../../../src/storage/file-storage.js';
import { headsOf, newDisk, openOn, settled } from './bench-disk.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-file-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const entry = (n: number, body?: string) => ({ type: 'append', log: 'q', entry: { head: { n }, body } }) as const;

describe('new FileStorage()', () => {
  it.each([
    [[7], TypeError],
    [[''], RangeError],
    [['a\0b'], RangeError],
    [['x', { sync: true }], TypeError],
    [['x', { flush: 'never' }], RangeError],
    [['x', { flushInterval: 'soon' }], TypeError],
    [['x', { flushInterval: -1 }], RangeError],
    [['x', { segmentBytes: 0 }], RangeError],
    [['x', { segmentBytes: 2 ** 31 }], RangeError],
    [['x', { maxBytes: 0.5 }], RangeError],
    [['x', { keepFree: '1' }], TypeError],
  ])('refuses %j', (args, kind) => {
    expect(() => new FileStorage(...(args as unknown as [string]))).toThrow(kind);
  });

  it('says what a write survives, and touches nothing', () => {
    expect(new FileStorage(join(root, 'none')).durability).toBe('disk');
    expect(new FileStorage(join(root, 'none'), { flush: 'async', maxBytes: Infinity }).durability).toBe('os');
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('one directory, one process', () => {
  it('refuses a second open in this process, also through a link, naming the pid', async () => {
    const directory = join(root, 'locked', 'deep');
    const first = new FileStorage(directory);
    await first.open();
    symlinkSync(directory, join(root, 'link'));
    for (const path of [directory, join(root, 'link'), `${directory}/.`]) {
      await expect(new FileStorage(path).open()).rejects.toMatchObject({
        code: 'ERR_STORAGE_LOCKED',
        details: { directory, pid: process.pid },
      });
    }
    await expect(FileStorage.repair(directory)).rejects.toMatchObject({ code: 'ERR_STORAGE_LOCKED' });
    await expect(first.open()).rejects.toMatchObject({
      code: 'ERR_STORAGE_LOCKED',
      details: { directory, pid: process.pid },
    });
    await first.close();
    await first.open();
    await first.close();
    const second = new FileStorage(join(root, 'link'));
    await second.open();
    await second.close();
  });

  it.each([
    ['of a process that is gone', { pid: 2 ** 22 + 1, started: '1', boot: '' }],
    ['of a reused pid', { pid: process.pid, started: '1', boot: undefined }],
    ['of an earlier start of the machine', { pid: process.pid, started: undefined, boot: 'another' }],
  ])('takes over the lock %s', async (name, claim) => {
    const directory = join(root, name);
    const storage = new FileStorage(directory);
    await storage.open();
    const { nodeFileSystem } = await import('../../../src/storage/file/node-file-system.js');
    const own = await nodeFileSystem.owner();
    const set = Object.fromEntries(Object.entries(claim).filter(([, value]) => value !== undefined));
    await storage.close();
    writeFileSync(join(directory, 'lock'), JSON.stringify({ ...own, ...set, token: '0123456789abcdef' }));
    await storage.open();
    await storage.close();
    expect(readdirSync(directory).filter((file) => file.startsWith('lock'))).toEqual([]);
  });

  it.each(['', '{}', '[1', '{"pid":"1"}', '\0\0\0'])('takes over a lock that says %j', async (text) => {
    const directory = join(root, `lock-${Buffer.from(text).toString('hex')}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'lock'), text);
    const storage = new FileStorage(directory);
    await storage.open();
    expect(JSON.parse(readFileSync(join(directory, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await storage.close();
  });
});

describe('a failure', () => {
  it.each(['write', 'sync'] as const)('of a %s ends it for good, and is told', async (call) => {
    const disk = newDisk();
    disk.writesThrough = call === 'write';
    const { storage, reports } = await openOn(disk);
    await storage.write([entry(0, 'a')]);
    disk.fault = (what, path) => (what === call && path.endsWith('1.seg') ? { error: 'EIO' } : undefined);
    const both = [storage.write([entry(1, 'a')]), storage.write([entry(2)])];
    disk.fault = disk.fault.bind(disk);
    for (const one of both) await expect(one).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    disk.fault = () => undefined;
    await expect(storage.write([entry(3)])).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    expect(reports).toEqual([{ type: 'failed', error: expect.objectContaining({ code: 'ERR_STORAGE_FAILED' }) }]);
    expect(storage.stats()['state']).toBe('failed');
    expect(await headsOf(storage, 'q')).toEqual([{ n: 0 }]);
    await storage.close();
    const again = await openOn(disk);
    expect((await headsOf(again.storage, 'q'))[0]).toEqual({ n: 0 });
    await again.storage.write([entry(4)]);
  });

  it('of a sync is never followed by another sync, which might succeed and would mean nothing', async () => {
    const disk = newDisk();
    disk.writesThrough = false;
    const { storage } = await openOn(disk, { segmentBytes: 1000 });
    const syncs: string[] = [];
    disk.fault = (call, path) => {
      if (call !== 'sync' || !path.endsWith('2.seg')) return undefined;
      syncs.push(path);
      return syncs.length === 1 ? { error: 'EIO' } : undefined;
    };
    const writes = Array.from({ length: 4 }, (_, n) => storage.write([entry(n, 'x'.repeat(400))]));
    await Promise.allSettled(writes);
    for (let n = 0; n < 4; n++)
      await Promise.resolve(storage.write([entry(n, 'x'.repeat(400))])).catch(() => undefined);
    await settled();
    await storage.close();
    expect(syncs).toHaveLength(1);
  });

  it('is a write of nothing', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    disk.fault = (call) => (call === 'write' ? { short: 0 } : undefined);
    await expect(storage.write([entry(0, 'x')])).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
  });

  it('is not a short write: the rest is written', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    disk.fault = (call) => (call === 'write' ? { short: 33 } : undefined);
    await storage.write([entry(0, 'x'.repeat(500))]);
    disk.fault = () => undefined;
    await storage.close();
    expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual([{ n: 0 }]);
  });
});

describe('group commit', () => {
  it.each([true, false])('shares one write and one sync among all that wait (through: %s)', async (writesThrough) => {
    const disk = newDisk();
    disk.writesThrough = writesThrough;
    const { storage } = await openOn(disk);
    await storage.write([entry(0, 'first')]);
    const { writes, syncs } = storage.stats() as { writes: number; syncs: number };
    await Promise.all(Array.from({ length: 100 }, (_, n) => storage.write([entry(n, 'x')])));
    expect(storage.stats()).toMatchObject({ writes: writes + 1, syncs: syncs + 1 });
  });

  it('async: one write per tick, a sync when the interval is over, none when nothing was written', async () => {
    const { storage, clock } = await openOn(newDisk(), { flush: 'async', flushInterval: 500 });
    await Promise.all([storage.write([entry(0, 'x')]), storage.write([entry(1)])]);
    const { writes, syncs } = storage.stats() as { writes: number; syncs: number };
    expect([writes, syncs]).toEqual([1, 0]);
    await clock.advance(499);
    expect(storage.stats()['syncs']).toBe(0);
    await clock.advance(1);
    expect(storage.stats()['syncs']).toBe(1);
    await clock.advance(400);
    expect(storage.stats()['syncs']).toBe(1);
  });

  it('a write that need not reach the disk is written without a sync, and synced with what follows it', async () => {
    for (const writesThrough of [true, false]) {
      const disk = newDisk();
      disk.writesThrough = writesThrough;
      const { storage } = await openOn(disk);
      await storage.write([entry(0, 'x')]);
      const { syncs } = storage.stats() as { syncs: number };
      await storage.write([entry(1)], 'os');
      expect(storage.stats()['syncs']).toBe(syncs);
      expect(await headsOf(storage, 'q')).toEqual([{ n: 0 }, { n: 1 }]);
      await storage.write([entry(2)]);
      disk.cutPower();
      await settled();
      expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
    }
  });
});

describe('repair()', () => {
  it('changes nothing where nothing is wrong', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    await storage.write([entry(0, 'x')]);
    await storage.close();
    expect(await storage.repaired()).toEqual({ damage: [], losses: [], kept: 1, movedTo: undefined });
  });

  it('keeps what can be trusted, moves the rest aside, and says what is lost', async () => {
    const directory = join(root, 'repaired');
    const storage = new FileStorage(directory, { segmentBytes: 4000, keepFree: 0 });
    await storage.open();
    for (let n = 0; n < 9; n++) await storage.write([entry(n, 'x'.repeat(900))]);
    await storage.write([{ type: 'drop', log: 'q', from: 7, to: 8 }]);
    await storage.close();
    const { openSync, writeSync, closeSync } = await import('node:fs');
    const fd = openSync(join(directory, '0000000001.seg'), 'r+');
    writeSync(fd, 'damage', 1500);
    closeSync(fd);
    rmSync(join(directory, '0000000001.idx'));
    await expect(storage.open()).rejects.toMatchObject({ code: 'ERR_STORAGE_CORRUPT' });
    const report = await FileStorage.repair(directory);
    expect(report.losses).toEqual([{ log: 'q', from: 1, to: 2 }]);
    expect(report).toMatchObject({ kept: 7, movedTo: join(directory, 'damaged-1') });
    expect(report.damage).toHaveLength(1);
    expect(readdirSync(join(directory, 'damaged-1'))).toContain('0000000001.seg');
    await storage.open();
    expect(await headsOf(storage, 'q')).toEqual([0, 2, 3, 4, 5, 6, 8].map((n) => ({ n })));
    await storage.write([entry(9)]);
    await storage.close();
    expect(readdirSync(directory)).not.toContain('repair');
  });
});
