import { isNoSpace, writeAll } from './file-system.js';
import type { Spare } from './spares.js';

/** A segment grows by this much at a time, at most. Bytes. */
const LARGEST_STEP = 1024 * 1024;
/** The share of a segment that is a step, and of a step that is written before the first one is made. */
const STEPS = 64;
const FIRST = 4;
/** Writes larger than this, on average, gain less by it than the zeros cost: the disk has everything to write twice. Bytes. */
const SMALL = 192 * 1024;

export interface LookAheadParts {
  readonly segmentBytes: number;
  /** Whether the disk has so many bytes to spare. */
  readonly hasRoomFor: (bytes: number) => boolean;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Zeros, written ahead of the end of the active segment while others write there: a small write that finds its room allocated
 * has nothing but itself to bring to the disk, where one that makes its file longer waits for the file system's journal as
 * well. A step at a time, so that a small storage stays small.
 *
 *     ┌── frames ──┬── room ──┬── being zeroed ──┐
 *     0           end     allocated      allocated + step
 */
export class LookAhead {
  /** Settles when no zeros are being written; never rejects. Whoever needs more than the room there is waits for it. */
  underWay: Promise<void> | undefined;
  private readonly parts: LookAheadParts;
  private readonly step: number;
  private average = 0;
  private zeros: Uint8Array | undefined;
  private exhausted: Spare | undefined;

  constructor(parts: LookAheadParts) {
    this.parts = parts;
    this.step = Math.max(Math.min(Math.ceil(parts.segmentBytes / STEPS), LARGEST_STEP), 1);
  }

  /** So many bytes were written to `file`, which ends at `end`. */
  written(file: Spare, end: number, bytes: number): void {
    this.average += (bytes - this.average) / 8;
    if (this.underWay !== undefined || file.through === undefined || file === this.exhausted) return;
    if (end < this.step / FIRST || this.average > SMALL || file.allocated - end > this.step / 2) return;
    const step = Math.min(this.step, this.parts.segmentBytes - file.allocated);
    if (step <= 0 || !this.parts.hasRoomFor(step)) return;
    this.underWay = this.extend(file, step).finally(() => {
      this.underWay = undefined;
    });
  }

  private async extend(file: Spare, step: number): Promise<void> {
    this.zeros ??= new Uint8Array(this.step);
    const at = file.allocated;
    try {
      await writeAll(file.through!, [this.zeros.subarray(0, step)], at);
      file.allocated = at + step;
    } catch (error) {
      // A full disk is none for those who write: they may still have room, or learn it themselves.
      if (isNoSpace(error)) this.exhausted = file;
      else this.parts.onFailed(error);
    }
  }
}
