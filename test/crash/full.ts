/**
 * npm run prove:full -- <directory on a small file system> [rounds]
 * Fills a real file system to its last byte, drains it, fills it again: sends are refused, the process lives, nothing
 * confirmed is lost, and room comes back.
 */
import { rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../src/errors.js';
import { FileStorage } from '../../src/storage/file-storage.js';

const [place, rounds = '100'] = process.argv.slice(2);
if (place === undefined) throw new Error('which directory?');
const { blocks, bsize } = statfsSync(place);
if (blocks * bsize > 256 * 1024 * 1024)
  throw new Error(`${place} is too large to be filled: it has ${blocks * bsize} bytes`);

const directory = join(place, 'data');
rmSync(directory, { recursive: true, force: true });
let lowest = Infinity;
let sent = 0;
let refused = 0;
for (let round = 0; round < Number(rounds); round++) {
  const storage = new FileStorage(directory, { keepFree: 0, segmentBytes: round % 2 === 0 ? undefined : 256 * 1024 });
  const ranges = await storage.open();
  const first = ranges.get('q')?.next ?? 0;
  let next = first;
  const body = Buffer.alloc(3000, round);
  for (let full = 0; full < 4;) {
    const before = refused;
    // Small and large ones, so that they fill it to the last byte.
    const size = full === 0 ? body.byteLength : 10;
    const all = Array.from({ length: full === 0 ? 500 : 20 }, (_, i) =>
      storage.write([{ type: 'append', log: 'q', entry: { head: { round, i }, body: body.subarray(0, size) } }]).then(
        () => void next++,
        (error: unknown) => {
          if (!SluiceError.is(error, 'ERR_STORAGE_FULL')) throw error;
          refused++;
        },
      ),
    );
    await Promise.all(all);
    lowest = Math.min(lowest, statfsSync(place).bavail * bsize);
    if (refused === before) continue;
    full++;
    // It looks for room now and then, not at every send.
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  if (next === first) throw new Error(`round ${round}: there was no room for anything`);
  sent += next - first;
  // Everything that was confirmed is there, and can be acknowledged, one by one.
  for (let from = first; from < next;) {
    const some = await storage.read('q', from, { entries: 100, bytes: 1e6 });
    if (some.length === 0) throw new Error(`round ${round}: ${next - from} are missing`);
    for (const { entry } of some) {
      const found = entry.body as Uint8Array;
      if (!body.subarray(0, found.byteLength).equals(found)) throw new Error(`round ${round}: a body differs`);
    }
    from = some.at(-1)!.offset + 1;
    await storage.write([
      { type: 'append', log: 'cursor', entry: { head: { from } } },
      { type: 'drop', log: 'q', from: 0, to: from },
    ]);
  }
  await storage.write([{ type: 'drop', log: 'cursor', from: 0, to: Infinity }]);
  await storage.close();
}
console.log(`${rounds} rounds: ${sent} sent and read back, ${refused} refused, ${lowest} bytes free at the least`);
