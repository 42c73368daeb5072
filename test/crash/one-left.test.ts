import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { oneLeft } from './leaving-one.js';

// The short form of prove:space.
it('gives back the disk but for three segments when all messages but one of the first are settled', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-space-'));
  try {
    const segmentBytes = 512 * 1024;
    const { files, bytes, redelivered } = await oneLeft(join(directory, 'data'), 40_000, segmentBytes);
    expect(files.filter((file) => file.endsWith('.seg')).length).toBeLessThanOrEqual(3);
    expect(bytes).toBeLessThan(3 * segmentBytes);
    expect(redelivered).toEqual([5]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
