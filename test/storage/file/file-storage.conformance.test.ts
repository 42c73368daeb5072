import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { FileStorage } from '../../../src/storage/file-storage.js';
import type { FileStorageOptions } from '../../../src/storage/file-storage.js';
import { storageConformance } from '../../../src/testing/storage-conformance.js';

const root = mkdtempSync(join(tmpdir(), 'sluice-conformance-'));
let directories = 0;

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** After every write, everything that can be given back or copied has been. */
class ReclaimingStorage extends FileStorage {
  override async write(...args: Parameters<FileStorage['write']>): Promise<void> {
    await super.write(...args);
    await this.reclaimed();
  }
}

function conformance(options: FileStorageOptions, Kind = FileStorage): void {
  storageConformance({
    test: it,
    create: () => new Kind(join(root, String(directories++)), { keepFree: 0, ...options }),
    // The same one: it is closed, and opens what it left.
    reopen: (storage) => storage,
    createLimited: (maxBytes) => new Kind(join(root, String(directories++)), { ...options, keepFree: 0, maxBytes }),
  });
}

describe('FileStorage', () => {
  conformance({});
});
describe('FileStorage, synced behind its writes', () => {
  conformance({ flush: 'async', flushInterval: 1 });
});
describe('FileStorage in which every write rotates', () => {
  conformance({ segmentBytes: 1 });
});
describe('FileStorage with reclaim after every write', () => {
  conformance({ segmentBytes: 1 }, ReclaimingStorage);
});
