/**
 * The process that prove:kill kills: writes what its seed says, as fast as it can, and tells its parent, through a pipe,
 * what it is about to write and what was confirmed. A line is written after the promise resolved, never before.
 *
 *     o <nonce>      opened; the parent may start counting
 *     w <json>       about to write: nonce and operations
 *     c <nonce>      confirmed
 *     b / e          a write to the disk begins, ends
 */
import { systemClock } from '../../src/clock.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import type { StorageOp } from '../../src/storage/storage.js';
import { ALL } from './ledger.js';
import { Random } from './seeded.js';
import { tell, toldFileSystem } from './telling.js';

const [directory, seed, firstNonce, judgedNext, flush, lastWrite] = process.argv.slice(2) as string[] as [
  string,
  string,
  string,
  string,
  'sync' | 'async',
  string,
];

const random = new Random(Number(seed));
const storage = FileStorage.on({ fs: toldFileSystem(Number(lastWrite)), clock: systemClock }, directory, {
  flush,
  segmentBytes: random.pick([4000, 20_000, 200_000]),
  keepFree: 0,
});
const ranges = await storage.open();
tell('o');

let nonce = Number(firstNonce);
const next = new Map([...ranges].map(([log, range]) => [log, range.next]));
const open = new Set<Promise<void>>();
for (;;) {
  const body = random.oneIn(4) ? undefined : 'z'.repeat(random.below(random.oneIn(10) ? 5000 : 300));
  const number = nonce++;
  const ops: StorageOp[] = [{ type: 'append', log: ALL, entry: { head: { n: number }, body } }];
  for (let more = random.below(3); more > 0; more--) {
    const log = random.pick(['a', 'b', 'c']);
    const end = next.get(log) ?? 0;
    if (random.oneIn(3) && end > 0) {
      const from = random.oneIn(2) ? 0 : random.below(end);
      ops.push({ type: 'drop', log, from, to: from + random.below(end - from) + 1 });
    } else {
      ops.push({ type: 'append', log, entry: { head: { n: number, log }, body } });
      next.set(log, end + 1);
    }
  }
  // The list says who is there: only what has been judged may go from it.
  const judged = Number(judgedNext);
  if (random.oneIn(20) && judged > 0) ops.push({ type: 'drop', log: ALL, from: 0, to: judged });
  tell(`w ${JSON.stringify({ nonce: number, ops })}`);
  const done = Promise.resolve(storage.write(ops)).then(() => tell(`c ${number}`));
  open.add(done);
  void done.then(() => open.delete(done));
  if (open.size > random.below(40)) await Promise.race(open);
}
