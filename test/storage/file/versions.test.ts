import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FileStorage } from '../../../src/storage/file-storage.js';

// A directory as each released version wrote it; every later release opens it.
it('opens what version 1 wrote', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-version-'));
  cpSync(fileURLToPath(new URL('version-1', import.meta.url)), directory, { recursive: true });
  const storage = new FileStorage(directory, { keepFree: 0 });
  try {
    const ranges = await storage.open();
    expect([...ranges]).toEqual([
      ['orders', { first: 2, next: 12 }],
      ['lone \ud800', { first: 0, next: 1 }],
    ]);
    const orders = await storage.read('orders', 0, { entries: 100, bytes: 1e6 });
    expect(orders.map((order) => order.offset)).toEqual([2, 3, 4, 7, 8, 9, 10, 11]);
    for (const { offset: n, entry } of orders) {
      expect(entry.head).toEqual({ n });
      expect(entry.body).toEqual(n % 2 === 0 ? `Grüße ${n}${'x'.repeat(300)}` : Buffer.from([n, 255]));
    }
    expect(await storage.read('lone \ud800', 0, { entries: 9, bytes: 9 })).toEqual([
      { offset: 0, entry: { head: { n: 99 }, body: '\udfff' } },
    ]);
  } finally {
    await storage.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
