import { describe, expect, it } from 'vitest';
import { SluiceError } from '../../../src/errors.js';
import type { FileStorage } from '../../../src/storage/file-storage.js';
import { headsOf, newDisk, openOn, settled } from './bench-disk.js';

const send = (storage: FileStorage, n: number, bytes = 1000): Promise<void> =>
  Promise.resolve(storage.write([{ type: 'append', log: 'q', entry: { head: { n }, body: 'x'.repeat(bytes) } }]));
const acknowledge = (storage: FileStorage, to: number): Promise<void> =>
  Promise.resolve(
    storage.write([
      { type: 'drop', log: 'q', from: 0, to },
      { type: 'append', log: 'cursor', entry: { head: { to } } },
      { type: 'drop', log: 'cursor', from: 0, to },
    ]),
  );

/** Sends until one is refused; how many were not. */
async function fill(storage: FileStorage): Promise<number> {
  for (let n = 0; ; n++) {
    const refused = await send(storage, n).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused === undefined) continue;
    if (SluiceError.is(refused, 'ERR_STORAGE_FULL')) return n;
    throw refused;
  }
}

describe('a full disk', () => {
  it.each([10_000, 100_000, 64 * 1024 * 1024])(
    'refuses messages, takes acknowledgements, and gives room back (segments of %i bytes)',
    async (segmentBytes) => {
      const disk = newDisk();
      disk.capacity = 700_000;
      const { storage, clock, reports } = await openOn(disk, { segmentBytes });
      const sent = await fill(storage);
      expect(sent).toBeGreaterThan(100);
      expect(storage.stats()['full']).toBe(1);
      await clock.advance(300);
      await send(storage, 0).catch(() => {});
      await settled();
      expect(reports).toContainEqual(expect.objectContaining({ type: 'nearly-full' }));
      for (let to = 10; to < sent; to += 10) await acknowledge(storage, to);
      await acknowledge(storage, sent);
      await settled();
      await clock.advance(300);
      // The first may be refused while it is still looked for room.
      await send(storage, 1).catch(() => {});
      await settled();
      expect(await fill(storage)).toBeGreaterThan(sent / 2);
      await storage.close();
    },
  );

  it('keeps what is refused out, and what was confirmed in, across a crash', async () => {
    const disk = newDisk();
    disk.capacity = 400_000;
    const { storage } = await openOn(disk);
    const sent = await fill(storage);
    disk.kill();
    await settled();
    const heads = await headsOf((await openOn(disk)).storage, 'q');
    expect(heads).toEqual(Array.from({ length: sent }, (_, n) => ({ n })));
  });

  it('leaves nothing of a refused batch that a crash could bring back, however much of it was written', async () => {
    for (const bytes of [1000, 1008, 1016]) {
      const disk = newDisk();
      const { storage } = await openOn(disk);
      await send(storage, 0);
      let left = 1;
      disk.fault = (call, path) => {
        const isIt = call === 'write' && path.endsWith('1.seg') && left-- > 0;
        return isIt ? { error: 'ENOSPC', torn: true } : undefined;
      };
      await expect(send(storage, 1, bytes)).rejects.toMatchObject({ code: 'ERR_STORAGE_FULL' });
      disk.kill();
      await settled();
      disk.fault = () => undefined;
      expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual([{ n: 0 }]);
    }
  });

  it('refuses all that carries a body in a group, and writes the rest in order', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk);
    await send(storage, 0);
    let left = 1;
    disk.fault = (call, path) => {
      const isIt = call === 'write' && path.endsWith('1.seg') && left-- > 0;
      return isIt ? { error: 'ENOSPC', torn: true } : undefined;
    };
    const refused = [send(storage, 1), send(storage, 2)];
    const ops = { type: 'append', log: 'cursor', entry: { head: { a: 1 } } } as const;
    // It reaches beyond what will be there.
    const drop = { type: 'drop', log: 'q', from: 0, to: 3 } as const;
    const kept = Promise.resolve(storage.write([ops, drop]));
    const next = { type: 'append', log: 'cursor', entry: { head: { a: 2 } }, offset: 99 };
    const alsoKept = Promise.resolve(storage.write([next as typeof ops]));
    expect(await Promise.allSettled(refused)).toMatchObject([
      { reason: { code: 'ERR_STORAGE_FULL' } },
      { status: 'rejected' },
    ]);
    await kept;
    await alsoKept;
    disk.fault = () => undefined;
    expect(next.offset).toBe(1);
    expect(await headsOf(storage, 'cursor')).toEqual([{ a: 1 }, { a: 2 }]);
    expect(await headsOf(storage, 'q')).toEqual([]);
    await storage.close();
    const again = await openOn(disk);
    expect(await headsOf(again.storage, 'cursor')).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

describe('maxBytes and keepFree', () => {
  it('refuses past maxBytes, warns before, and goes on when it is drained', async () => {
    const { storage, clock, reports } = await openOn(newDisk(), { maxBytes: 200_000 });
    const sent = await fill(storage);
    expect(sent).toBeGreaterThan(150);
    expect(sent).toBeLessThan(200);
    expect(reports).toEqual([{ type: 'nearly-full', details: expect.objectContaining({ maxBytes: 200_000 }) }]);
    await acknowledge(storage, sent);
    await settled();
    await clock.advance(1000);
    await clock.advance(1000);
    expect(await fill(storage)).toBeGreaterThan(100);
  });

  it('leaves keepFree on the disk, and looks again', async () => {
    const disk = newDisk();
    disk.capacity = 2_000_000;
    const { storage, clock } = await openOn(disk, { keepFree: 1_000_000 });
    let sent = 0;
    for (; ; sent++) {
      // Time passes: it looks now and then.
      await clock.advance(250);
      await settled();
      const done = await send(storage, sent).then(
        () => true,
        () => false,
      );
      if (!done) break;
    }
    expect(disk.capacity - disk.used).toBeGreaterThan(900_000);
    disk.capacity = 3_000_000;
    await clock.advance(250);
    await send(storage, sent).catch(() => {});
    await settled();
    await send(storage, sent);
  });
});

describe('reclaim', () => {
  it('gives everything back but three segments when one message of many is left', async () => {
    const disk = newDisk();
    const { storage, clock } = await openOn(disk, { segmentBytes: 20_000 });
    for (let n = 0; n < 300; n++) await send(storage, n, 700);
    await storage.write([{ type: 'drop', log: 'q', from: 0, to: 5 }]);
    await storage.write([{ type: 'drop', log: 'q', from: 6, to: 300 }]);
    for (let second = 0; second < 3; second++) {
      await clock.advance(1000);
      await settled();
    }
    let bytes = 0;
    for (const [path, content] of disk.files()) if (path.endsWith('.seg')) bytes += content.byteLength;
    expect(bytes).toBeLessThan(3 * 20_000);
    expect(await headsOf(storage, 'q')).toEqual([{ n: 5 }]);
    await storage.close();
    expect(await headsOf((await openOn(disk)).storage, 'q')).toEqual([{ n: 5 }]);
  });

  it('does not take a segment from under a read', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, { segmentBytes: 4000 });
    for (let n = 0; n < 12; n++) await send(storage, n);
    const reading = storage.read('q', 0, { entries: 12, bytes: 1e6 });
    await storage.write([{ type: 'drop', log: 'q', from: 0, to: 11 }]);
    for (const { entry } of await reading) expect(entry.body).toBe('x'.repeat(1000));
    await storage.reclaimed();
    expect(await headsOf(storage, 'q')).toEqual([{ n: 11 }]);
  });

  it('does not give a segment back before what emptied it is on the disk', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, { segmentBytes: 4000, flush: 'async', flushInterval: '1h' });
    for (let n = 0; n < 12; n++) await send(storage, n);
    await storage.write([{ type: 'drop', log: 'q', from: 0, to: 11 }]);
    await storage.reclaimed();
    disk.cutPower();
    await settled();
    // All of it may be there, or not; but it opens.
    expect((await headsOf((await openOn(disk)).storage, 'q')).at(-1)).toEqual({ n: 11 });
  });
});
