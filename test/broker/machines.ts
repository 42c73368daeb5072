import { FileStorage, type Storage } from '../../src/index.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { Random } from '../crash/seeded.js';
import { SimulatedDisk } from '../crash/simulated-disk.js';
import { HandClock, settled } from '../storage/file/bench-disk.js';

/** A machine on which one process runs after the other, on the same data. */
export interface Machine {
  /** A storage for the process that begins now. */
  readonly storage: () => Storage;
  /** The process is gone: what it still does has no effect. What it had handed to the operating system is there. */
  readonly kill: () => Promise<void>;
  /** As kill(), and what had not reached the disk may be gone, too. */
  readonly cutPower: () => Promise<void>;
}

/** The same storage outlives its processes; it is slow on purpose, as its seed says. */
function journal(seed: number): Machine {
  const random = seededRandom(seed);
  let storage = new JournalStorage({ latency: seededRandom(seed) });
  const crash = (survives: 'os' | 'disk') => async () => void (storage = storage.crash({ survives, luck: random() }));
  return { storage: () => storage, kill: crash('os'), cutPower: crash('disk') };
}

/** Files on a simulated disk, in segments so small that they are given back and copied all the time. */
function files(seed: number): Machine {
  const disk = new SimulatedDisk(new Random(seed));
  disk.directories.add('/data');
  const kill = async (): Promise<void> => {
    disk.kill();
    await settled();
  };
  return {
    storage: () =>
      FileStorage.on({ fs: disk.mount(), clock: new HandClock() }, '/data', { segmentBytes: 8000, keepFree: 0 }),
    kill,
    cutPower: async () => {
      await kill();
      disk.cutPower();
    },
  };
}

export const MACHINES: readonly { readonly name: string; readonly start: (seed: number) => Machine }[] = [
  { name: 'JournalStorage', start: journal },
  { name: 'FileStorage', start: files },
];
