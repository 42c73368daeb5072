/**
 * The process that prove:kill kills: writes what its seed says, as fast as it can, and tells its parent, through a pipe,
 * what it is about to write and what was confirmed. A line is written after the promise resolved, never before.
 *
 *     o <nonce>      opened; the parent may start counting
 *     w <json>       about to write: nonce and operations
 *     c <nonce>      confirmed
 *     b / e          a write to the disk begins, ends
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../src/clock.js';
import { nodeFileSystem } from '../../src/storage/file/node-file-system.js';
import type { File, OpenMode } from '../../src/storage/file/file-system.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import type { StorageOp } from '../../src/storage/storage.js';
import { ALL } from './ledger.js';
import { Random } from './seeded.js';

const [directory, seed, firstNonce, judgedNext, flush, lastWrite] = process.argv.slice(2) as string[] as [
  string,
  string,
  string,
  string,
  'sync' | 'async',
  string,
];

function tell(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.byteLength;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      // The pipe is full, and its other end is slow.
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    }
  }
}

let writes = 0;

/** Marks when a write is under way, so that the parent knows how many kills hit one. */
class ToldFile implements File {
  private readonly file: File;

  constructor(file: File) {
    this.file = file;
  }

  async write(parts: readonly Uint8Array[], position: number): Promise<number> {
    tell('b');
    const writing = this.file.write(parts, position);
    // On another thread it has just begun.
    if (++writes === Number(lastWrite)) process.kill(process.pid, 'SIGKILL');
    const written = await writing;
    tell('e');
    return written;
  }

  read = (target: Uint8Array, position: number): Promise<number> => this.file.read(target, position);
  sync = (): Promise<void> => this.file.sync();
  size = (): Promise<number> => this.file.size();
  truncate = (length: number): Promise<void> => this.file.truncate(length);
  close = (): Promise<void> => this.file.close();
}

const fs = Object.create(nodeFileSystem, {
  open: {
    value: async (path: string, mode: OpenMode, through?: boolean) =>
      new ToldFile(await nodeFileSystem.open(path, mode, through)),
  },
});

const random = new Random(Number(seed));
const storage = FileStorage.on({ fs, clock: systemClock }, directory, {
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
