/**
 * npm run prove:space [-- messages]
 * Sends messages of 200 B to a queue and consumes all of them but the one at offset 5: what is left on the disk, and how much memory
 * goes when that one goes as well.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { oneLeft } from './leaving-one.js';

const messages = Number(process.argv[2] ?? 5_000_000);
const directory = mkdtempSync(join(tmpdir(), 'sluice-space-'));
const began = performance.now();
try {
  const { files, bytes, segmentBytes, held = 0 } = await oneLeft(join(directory, 'data'), messages, undefined, true);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${messages} sent, all settled but one, in ${seconds} s: ${files.join(' ')}`);
  console.log(`${(bytes / 2 ** 20).toFixed(1)} MiB on the disk, segments have ${segmentBytes / 2 ** 20} MiB`);
  console.log(`${(held / 2 ** 10).toFixed(0)} KiB less in memory when that one is settled as well`);
  if (bytes >= 3 * segmentBytes || held >= 2 ** 20) process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
