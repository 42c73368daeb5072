import type { Clock, Timer } from '../../../src/clock.js';
import type { StorageReport } from '../../../src/storage/storage.js';
import { FRAME_HEADER, FRAME_MAGIC, readHeader } from '../../../src/storage/file/frame.js';
import type { FrameHeader } from '../../../src/storage/file/frame.js';
import { FileStorage } from '../../../src/storage/file-storage.js';
import type { FileStorageOptions } from '../../../src/storage/file-storage.js';
import { Random } from '../../crash/seeded.js';
import { SimulatedDisk } from '../../crash/simulated-disk.js';

/** A clock that moves when it is told to. */
export class HandClock implements Clock {
  private time = 0;
  private readonly timers = new Set<{ readonly due: number; readonly fire: () => void }>();

  now(): number {
    return this.time;
  }

  setTimer(delay: number, fire: () => void): Timer {
    const timer = { due: this.time + delay, fire };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer) };
  }

  /** Fires what is due by then, and lets what it started go on. */
  async advance(by: number): Promise<void> {
    this.time += by;
    for (const timer of [...this.timers].sort((a, b) => a.due - b.due)) {
      if (timer.due > this.time || !this.timers.delete(timer)) continue;
      timer.fire();
      await settled();
    }
  }
}

/** Resolves when everything that can go on without outside help has. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export function newDisk(seed = 1): SimulatedDisk {
  const disk = new SimulatedDisk(new Random(seed));
  disk.directories.add('/data');
  return disk;
}

export interface Opened {
  readonly storage: FileStorage;
  readonly clock: HandClock;
  readonly reports: StorageReport[];
}

/** Opens /data of a simulated disk. */
export async function openOn(disk: SimulatedDisk, options: FileStorageOptions = {}): Promise<Opened> {
  const clock = new HandClock();
  const reports: StorageReport[] = [];
  const storage = FileStorage.on({ fs: disk.mount(), clock }, '/data', { keepFree: 0, ...options });
  await storage.open((report) => reports.push(report));
  return { storage, clock, reports };
}

/** The frames in a file that say that they stand where they stand. */
export function framesOf(content: Buffer, segment: number): FrameHeader[] {
  const frames: FrameHeader[] = [];
  for (let at = 0; at + FRAME_HEADER <= content.byteLength; at += 8) {
    if (content.readUInt32LE(at) !== FRAME_MAGIC) continue;
    const header = readHeader(content, at, segment, at);
    if (header !== undefined) frames.push(header);
  }
  return frames;
}

/** Heads of all entries of a log. */
export async function headsOf(storage: FileStorage, log: string): Promise<unknown[]> {
  const entries = await storage.read(log, 0, { entries: 1_000_000, bytes: Infinity });
  return entries.map(({ entry }) => entry.head);
}
