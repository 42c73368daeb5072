import type { Clock, Timer } from '../../src/clock.js';
import { SluiceError } from '../../src/errors.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import type { FileStorageOptions } from '../../src/storage/file-storage.js';
import type { StorageOp } from '../../src/storage/storage.js';
import { ALL, Ledger } from './ledger.js';
import type { LedgerBatch } from './ledger.js';
import { Random } from './seeded.js';
import { SimulatedDisk } from './simulated-disk.js';
import type { Fault } from './simulated-disk.js';

/** A clock that stands still; somebody fires what is due. */
class StoppedClock implements Clock {
  private time = 0;
  private readonly timers = new Set<() => void>();

  now(): number {
    return this.time;
  }

  setTimer(_delay: number, fire: () => void): Timer {
    const once = (): void => {
      this.timers.delete(once);
      fire();
    };
    this.timers.add(once);
    return { cancel: () => this.timers.delete(once) };
  }

  fireAll(): void {
    this.time += 1000;
    for (const fire of [...this.timers]) fire();
  }
}

export interface Tally {
  lives: number;
  cuts: number;
  kills: number;
  faults: number;
  duringWrite: number;
  confirmed: number;
  torn: number;
  refused: number;
}

export function newTally(): Tally {
  return { lives: 0, cuts: 0, kills: 0, faults: 0, duringWrite: 0, confirmed: 0, torn: 0, refused: 0 };
}

const LOGS = ['a', 'b', 'c', 'd'];

/**
 * A storage through several lives on one simulated disk: random batches, reads, reclaim, rolls, clean closes, kills, power
 * cuts and faults, and after each the ledger. Of every power cut, so many `fates` are looked at: what was not synced is kept, dropped and
 * torn in another way in each. Throws with the seed when the storage does not keep its word.
 */
export async function liveAndDie(seed: number, tally: Tally, fates = 1): Promise<void> {
  const random = new Random(seed);
  const disk = new SimulatedDisk(random);
  disk.directories.add('/data');
  disk.writesThrough = !random.oneIn(4);
  const options: FileStorageOptions = {
    flush: random.oneIn(4) ? 'async' : 'sync',
    segmentBytes: random.pick([1, 600, 2000, 2000, 8000, 8000, 1_000_000]),
    keepFree: 0,
  };
  // Frames of one size are what brings discarded ones back; random sizes hide it.
  const equalSizes = random.oneIn(2);
  // Large enough for a frame each, so that a group has several.
  const bytes = equalSizes && random.oneIn(30) ? 66_000 : 700;
  const ledger = new Ledger();
  let nonce = 10_000_000;
  const fail = (why: string): never => {
    throw new Error(`seed ${seed}: ${why} (${JSON.stringify(options)}, equal sizes: ${equalSizes})`);
  };

  let keepsConfirmed = true;
  let inOrder = true;
  for (let life = random.below(5) + 2; life >= 0; life--) {
    const clock = new StoppedClock();
    const storage = FileStorage.on({ fs: disk.mount(), clock }, '/data', options);
    tally.lives++;
    disk.fault = () => undefined;
    const plan = life === 0 ? 'close' : random.pick(['close', 'kill', 'cut', 'cut', 'cut', 'fault'] as const);
    let calls = 0;
    const at = random.below(plan === 'fault' ? 60 : 250);
    if (plan !== 'close') {
      disk.fault = (call): Fault | undefined => {
        if (calls++ !== at) return undefined;
        if (plan !== 'fault') return { stop: true };
        tally.faults++;
        inOrder = false;
        if (call === 'write' && random.oneIn(3)) return { short: random.below(64) };
        return { error: random.pick(['EIO', 'EIO', 'ENOSPC']), torn: random.oneIn(2) };
      };
    }
    let isOpen = false;
    try {
      const ranges = await storage.open((report) => {
        if (report.type === 'torn-tail') tally.torn++;
      });
      isOpen = true;
      const wrong = await ledger.judge(storage, ranges, { keepsConfirmed, inOrder });
      if (wrong !== undefined) fail(wrong);
      keepsConfirmed = inOrder = true;
      await work(storage, ledger, random, clock, equalSizes ? bytes : 0, () => nonce++, tally);
    } catch (error) {
      // A fault may strike while it opens, or while the ledger reads; damage, it must never report.
      if (!SluiceError.is(error) || SluiceError.is(error, 'ERR_STORAGE_CORRUPT') || plan === 'close')
        throw withSeed(seed, error);
    }
    if (plan === 'close') {
      await storage.close();
      continue;
    }
    if (plan === 'fault') {
      // The process goes on after it: closes, or is killed later.
      inOrder = false;
      if (isOpen && random.oneIn(2)) await storage.close();
    }
    if (plan === 'kill' || (plan === 'fault' && random.oneIn(2))) {
      disk.kill();
      tally.kills++;
      if (disk.interrupted) tally.duringWrite++;
      await settled();
      continue;
    }
    disk.kill();
    await settled();
    keepsConfirmed = options.flush === 'sync';
    for (let fate = 1; fate < fates; fate++) {
      const other = disk.fork(new Random(seed * 1000 + life * 100 + fate));
      const wrong = await otherFate(other, options, ledger.fork(), { keepsConfirmed, inOrder }, tally);
      if (wrong !== undefined) fail(`${wrong}, life ${life}, fate ${fate}`);
    }
    disk.cutPower();
    tally.cuts++;
    if (disk.interrupted) tally.duringWrite++;
  }
  tally.confirmed += ledger.confirmed;
}

/** What else the same power cut may leave; and another one, while that is recovered. Returns what is wrong. */
async function otherFate(
  disk: SimulatedDisk,
  options: FileStorageOptions,
  ledger: Ledger,
  demands: Parameters<Ledger['judge']>[2],
  tally: Tally,
): Promise<string | undefined> {
  const mount = (): FileStorage => FileStorage.on({ fs: disk.mount(), clock: new StoppedClock() }, '/data', options);
  disk.cutPower();
  tally.cuts++;
  if (disk.random.oneIn(4)) {
    let left = disk.random.below(40);
    disk.fault = () => (left-- === 0 ? { stop: true } : undefined);
    const interrupted = mount();
    await Promise.resolve(interrupted.open()).catch((error: unknown) => {
      if (left >= 0 || SluiceError.is(error, 'ERR_STORAGE_CORRUPT')) throw error;
    });
    disk.kill();
    await settled();
    disk.cutPower();
    tally.cuts++;
    disk.fault = () => undefined;
  }
  const storage = mount();
  const wrong = await ledger.judge(storage, await storage.open(), demands);
  await storage.close();
  return wrong;
}

async function work(
  storage: FileStorage,
  ledger: Ledger,
  random: Random,
  clock: StoppedClock,
  equalBytes: number,
  nextNonce: () => number,
  tally: Tally,
): Promise<void> {
  const open = new Set<Promise<void>>();
  for (let step = random.below(equalBytes > 1000 ? 6 : 40); step >= 0; step--) {
    const batch: LedgerBatch = { nonce: nextNonce(), ops: [], outcome: 'unknown' };
    const ops = compose(batch.nonce, ledger, random, equalBytes);
    Object.assign(batch, { ops });
    ledger.add(batch);
    const isMark = random.oneIn(6);
    const done = Promise.resolve(storage.write(ops, isMark ? 'os' : undefined)).then(
      () => {
        // What only reached the system is confirmed by what comes after it, or not at all.
        if (!isMark) batch.outcome = 'confirmed';
      },
      (error: unknown) => {
        if (!SluiceError.is(error, 'ERR_STORAGE_FULL')) return;
        batch.outcome = 'refused';
        tally.refused++;
      },
    );
    open.add(done);
    if (random.oneIn(3)) await Promise.race([Promise.all(open), settled()]);
    if (random.oneIn(12)) clock.fireAll();
    if (random.oneIn(10)) await settled();
  }
  await Promise.race([Promise.all(open), settled()]);
}

function compose(nonce: number, ledger: Ledger, random: Random, equalBytes: number): StorageOp[] {
  const body = (): string | undefined =>
    equalBytes > 0
      ? 'x'.repeat(equalBytes)
      : random.oneIn(3)
        ? undefined
        : 'y'.repeat(random.below(random.oneIn(8) ? 3000 : 200));
  const ops: StorageOp[] = [{ type: 'append', log: ALL, entry: { head: { n: nonce }, body: body() } }];
  if (equalBytes > 0 && random.below(4) > 0) return ops;
  for (let more = random.below(3); more > 0; more--) {
    const log = random.pick(LOGS);
    const next = ledger.nextOf(log);
    if (random.oneIn(20)) ops.push({ type: 'remove', log });
    else if (random.oneIn(3) && next > 0) {
      const from = random.oneIn(2) ? 0 : random.below(next);
      ops.push({ type: 'drop', log, from, to: from + random.below(next - from) + 1 });
    } else ops.push({ type: 'append', log, entry: { head: { n: nonce, log }, body: body() } });
  }
  if (random.oneIn(8)) ops.push({ type: 'drop', log: ALL, from: 0, to: ledger.judgedNext - random.below(5) });
  return ops;
}

function withSeed(seed: number, error: unknown): Error {
  const { message, stack } = error as Error;
  return message.startsWith('seed')
    ? (error as Error)
    : new Error(`seed ${seed}: ${message}\n${stack}`, { cause: error });
}

/** Resolves when everything that can go on without outside help has. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}
