import { describe, it } from 'vitest';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import { storageConformance } from '../../src/testing/storage-conformance.js';

describe('MemoryStorage', () => {
  storageConformance({
    test: it,
    create: () => new MemoryStorage(),
    createLimited: (maxBytes) => new MemoryStorage({ maxBytes }),
  });
});

describe('MemoryStorage that counts', () => {
  storageConformance({ test: it, create: () => new MemoryStorage({ maxBytes: 2 ** 40 }), seed: 100 });
});
