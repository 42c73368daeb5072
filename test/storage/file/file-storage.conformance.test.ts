import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import type { FileStore } from '../../../src/storage/file/file-store.js';
import { FileStorage } from '../../../src/storage/file-storage.js';
import type { FileStorageOptions } from '../../../src/storage/file-storage.js';
import type { Storage } from '../../../src/storage/storage.js';
import { storageConformance } from '../../../src/testing/storage-conformance.js';
import { newDisk } from './bench-disk.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-conformance-'));
let directories = 0;

afterAll(() => rmSync(root, { recursive: true, force: true }));

type Make = (options: FileStorageOptions) => Storage;

const onThisDisk: Make = (options) => new FileStorage(join(root, String(directories++)), { keepFree: 0, ...options });
const onSimulatedDisk: Make = (options) =>
  FileStorage.on({ fs: newDisk().mount(), clock: systemClock }, '/data', { keepFree: 0, ...options });

/** After every write, everything that can be given back or copied has been. */
const reclaiming: Make = (options) => {
  const storage = onSimulatedDisk(options) as FileStorage;
  const write = storage.write.bind(storage);
  storage.write = async (...args: Parameters<FileStore['write']>) => {
    await write(...args);
    await storage.reclaimed();
  };
  return storage;
};

function conformance(make: Make, options: FileStorageOptions = {}): void {
  storageConformance({
    test: it,
    create: () => make(options),
    // The same one: it is closed, and opens what it left.
    reopen: (storage) => storage,
    createLimited: (maxBytes) => make({ ...options, maxBytes }),
  });
}

describe('FileStorage', () => {
  conformance(onThisDisk);
});
describe('FileStorage, synced behind its writes', () => {
  conformance(onSimulatedDisk, { flush: 'async', flushInterval: 1 });
});
describe('FileStorage in which every write rotates', () => {
  conformance(onSimulatedDisk, { segmentBytes: 1 });
});
describe('FileStorage with reclaim after every write', () => {
  conformance(reclaiming, { segmentBytes: 1 });
});
