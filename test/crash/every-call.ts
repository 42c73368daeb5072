import { systemClock } from '../../src/clock.js';
import { SluiceError } from '../../src/errors.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import type { FileStorageOptions } from '../../src/storage/file-storage.js';
import type { StorageOp } from '../../src/storage/storage.js';
import { ALL, Ledger } from './ledger.js';
import type { LedgerBatch } from './ledger.js';
import { Random } from './seeded.js';
import { SimulatedDisk } from './simulated-disk.js';
import type { Call, Fault } from './simulated-disk.js';

export interface FaultTally {
  /** Faults that struck. */
  points: number;
  /** Of them, in the life that was to recover from an earlier kill. */
  whileOpening: number;
  refused: number;
  failed: number;
}

interface Kind {
  readonly name: string;
  readonly fault: Fault;
  readonly sticky: boolean;
  /** Which calls it can happen to. */
  readonly calls?: readonly Call[];
}

const KINDS: readonly Kind[] = [
  { name: 'EIO', fault: { error: 'EIO' }, sticky: false },
  { name: 'EIO for good', fault: { error: 'EIO' }, sticky: true },
  { name: 'EIO, half written', fault: { error: 'EIO', torn: true }, sticky: false, calls: ['write', 'sync'] },
  { name: 'ENOSPC', fault: { error: 'ENOSPC' }, sticky: false },
  { name: 'ENOSPC, half written', fault: { error: 'ENOSPC', torn: true }, sticky: false, calls: ['write'] },
  { name: 'ENOSPC for good', fault: { error: 'ENOSPC', torn: true }, sticky: true, calls: ['write', 'open'] },
  { name: 'EMFILE', fault: { error: 'EMFILE' }, sticky: false, calls: ['open'] },
  { name: 'EMFILE for good', fault: { error: 'EMFILE' }, sticky: true, calls: ['open'] },
  { name: 'short write', fault: { short: 13 }, sticky: false, calls: ['write'] },
  { name: 'short writes', fault: { short: 100 }, sticky: true, calls: ['write'] },
  { name: 'nothing written', fault: { short: 0 }, sticky: false, calls: ['write'] },
];

const SETUPS: readonly (FileStorageOptions & { readonly writesThrough: boolean })[] = [
  { segmentBytes: 1500, keepFree: 0, writesThrough: true },
  { segmentBytes: 1500, keepFree: 0, writesThrough: false },
  { segmentBytes: 1500, keepFree: 0, writesThrough: true, flush: 'async' },
];

/** Longest that any of it may take, ms. */
const LONGEST = 2000;

export async function everyFault(every = 1, seconds = Infinity): Promise<FaultTally> {
  const tally: FaultTally = { points: 0, whileOpening: 0, refused: 0, failed: 0 };
  const began = performance.now();
  let index = 0;
  for (const { writesThrough, ...options } of SETUPS) {
    for (const kind of KINDS) {
      for (const inOpen of [false, true]) {
        for (let n = 0; ; n++) {
          if (performance.now() - began > seconds * 1000) return tally;
          if (index++ % every !== 0) continue;
          const name = `${kind.name} at call ${n}${inOpen ? ' of the second life' : ''}, ${JSON.stringify(options)}, through: ${writesThrough}`;
          if (!(await oneFault(name, kind, n, inOpen, options, writesThrough, tally))) break;
        }
      }
    }
  }
  return tally;
}

/** Two lives and a look; the fault strikes in the first or the second. Returns whether there was an n-th call to fail. */
async function oneFault(
  name: string,
  { fault, sticky, calls }: Kind,
  n: number,
  inOpen: boolean,
  options: FileStorageOptions,
  writesThrough: boolean,
  tally: FaultTally,
): Promise<boolean> {
  const disk = new SimulatedDisk(new Random(n));
  disk.directories.add('/data');
  disk.writesThrough = writesThrough;
  const ledger = new Ledger();
  let seen = 0;
  let struck = false;
  const strike = (call: Call): Fault | undefined => {
    if (calls !== undefined && !calls.includes(call)) return undefined;
    const at = seen++;
    if (at !== n && !(sticky && at > n)) return undefined;
    struck = true;
    return fault;
  };
  const began = performance.now();
  if (!inOpen) disk.fault = strike;
  await live(disk, options, ledger, tally, 1000);
  if (inOpen) disk.fault = strike;
  // With a failing disk, a closed storage, or a killed one.
  disk.kill();
  await live(disk, options, ledger, tally, 2000);
  disk.fault = () => undefined;
  disk.kill();

  const storage = FileStorage.on({ fs: disk.mount(), clock: systemClock }, '/data', options);
  const wrong = await ledger.judge(storage, await storage.open(), { keepsConfirmed: true, inOrder: false });
  await storage.close();
  if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
  if (performance.now() - began > LONGEST) throw new Error(`${name}: took ${performance.now() - began} ms`);
  if (struck) {
    tally.points++;
    if (inOpen) tally.whileOpening++;
  }
  return struck;
}

/** A script with everything in it: rolls, drops, a log removed, reclaim, reads, a close. */
async function live(
  disk: SimulatedDisk,
  options: FileStorageOptions,
  ledger: Ledger,
  tally: FaultTally,
  nonce: number,
): Promise<void> {
  const storage = FileStorage.on({ fs: disk.mount(), clock: systemClock }, '/data', options);
  try {
    await storage.open();
  } catch (error) {
    if (!SluiceError.is(error) || error.code === 'ERR_STORAGE_CORRUPT') throw error;
    return;
  }
  const write = (n: number, ...more: StorageOp[]): Promise<unknown> => {
    const ops: StorageOp[] = [
      { type: 'append', log: ALL, entry: { head: { n: nonce + n }, body: 'x'.repeat(250) } },
      ...more,
    ];
    const batch: LedgerBatch = { nonce: nonce + n, ops, outcome: 'unknown' };
    ledger.add(batch);
    return Promise.resolve(storage.write(ops)).then(
      () => (batch.outcome = 'confirmed'),
      (error: unknown) => {
        if (SluiceError.is(error, 'ERR_STORAGE_FULL')) {
          batch.outcome = 'refused';
          tally.refused++;
        } else if (SluiceError.is(error, 'ERR_STORAGE_FAILED')) tally.failed++;
        else throw error;
      },
    );
  };
  const side = (n: number): StorageOp => ({
    type: 'append',
    log: 'side',
    entry: { head: { n }, body: 'y'.repeat(150) },
  });
  for (let n = 0; n < 4; n++) await write(n, side(n));
  await Promise.all([4, 5, 6].map((n) => write(n, side(n))));
  await write(7, { type: 'drop', log: 'side', from: 1, to: 4 });
  await write(8, { type: 'drop', log: 'side', from: 5, to: 7 }, side(8));
  await Promise.resolve(storage.read('side', 0, { entries: 9, bytes: 1000 })).catch((error: unknown) => {
    if (!SluiceError.is(error, 'ERR_STORAGE_FAILED')) throw error;
  });
  await storage.reclaimed();
  await write(9, { type: 'remove', log: 'side' });
  await storage.reclaimed();
  await storage.close();
}
