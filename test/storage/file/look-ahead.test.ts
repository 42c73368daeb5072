import { describe, expect, it } from 'vitest';
import type { File, FileSystem, OpenMode } from '../../../src/storage/file/file-system.js';
import { FileStorage } from '../../../src/storage/file-storage.js';
import { deferred, watch, type Deferred } from '../../fixtures.js';
import { HandClock, headsOf, newDisk, openOn, settled } from './bench-disk.js';

const SEGMENT = '/data/0000000001.seg';
/** A step of zeros is 1000 bytes. */
const OPTIONS = { segmentBytes: 64_000, keepFree: 0 };

/** Zeros that are written to the first segment wait until they are let go. */
function holdingZeros(fs: FileSystem, held: Deferred[]): FileSystem {
  const holding = (file: File): File =>
    Object.create(file, {
      write: {
        value: async (parts: readonly Uint8Array[], position: number): Promise<number> => {
          if (parts.every((part) => part.every((byte) => byte === 0))) {
            const one = deferred();
            held.push(one);
            await one.promise;
          }
          return file.write(parts, position);
        },
      },
    }) as File;
  return Object.create(fs, {
    open: {
      value: async (path: string, mode: OpenMode, through?: boolean): Promise<File> => {
        const file = await fs.open(path, mode, through);
        return path === SEGMENT ? holding(file) : file;
      },
    },
  }) as FileSystem;
}

const write = (storage: FileStorage, n: number, bytes: number): Promise<void> =>
  storage.write([{ type: 'append', log: 'q', entry: { head: { n }, body: 'x'.repeat(bytes) } }]);

describe('zeros ahead of the end', () => {
  it('make room for small writes, a step at a time', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, OPTIONS);
    for (let n = 0; n < 10; n++) {
      await write(storage, n, 50);
      await settled();
    }
    const end = storage.stats()['bytes'] as number;
    const { byteLength } = disk.files().get(SEGMENT)!;
    expect(byteLength).toBeGreaterThan(end);
    expect(byteLength).toBeLessThan(end + 1500);
  });

  it('are not written where writes are large: they would take as long as they save', async () => {
    const disk = newDisk();
    const { storage } = await openOn(disk, { segmentBytes: 16 * 1024 * 1024, keepFree: 0 });
    for (let n = 0; n < 10; n++) {
      await write(storage, n, 400_000);
      await settled();
    }
    const end = storage.stats()['bytes'] as number;
    expect(disk.files().get(SEGMENT)!.byteLength).toBe(end);
  });

  it('are waited for by a write that needs more than the room there is', async () => {
    const disk = newDisk();
    const held: Deferred[] = [];
    const storage = FileStorage.on({ fs: holdingZeros(disk.mount(), held), clock: new HandClock() }, '/data', OPTIONS);
    await storage.open();
    for (let n = 0; held.length === 0; n++) {
      await write(storage, n, 50);
      await settled();
    }
    const large = watch(write(storage, 100, 5000));
    await settled();
    expect(large.state).toBe('pending');
    held[0]!.resolve();
    await settled();
    expect(large.state).toBe('resolved');
    disk.kill();
    await settled();
    const again = await openOn(disk, OPTIONS);
    expect((await headsOf(again.storage, 'q')).at(-1)).toEqual({ n: 100 });
    expect(again.reports).toEqual([]);
  });
});
