import type { Position } from './file-system.js';
import { FRAME_ALIGNMENT, FRAME_HEADER, sealFrame, STATE } from './frame.js';
import type { Group } from './group.js';
import type { LogTable } from './log-table.js';
import { RecordBuffer } from './record.js';
import { encodeState } from './state.js';
import type { SealedRow } from './state.js';

/** Where frames will stand, and what they can say of the disk. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly synced: Position;
}

/** The chain of frames: each names the checksum of the one before it, and the run that it was written in. */
export class Chain {
  /** Checksum of the last frame. */
  previous: number;
  /** Bytes of the last state. */
  stateBytes: number;
  private run: number;
  private readonly seed: number;
  private readonly random: () => number;

  constructor(seed: number, previous: number, stateBytes: number, random: () => number) {
    this.seed = seed;
    this.previous = previous;
    this.stateBytes = stateBytes;
    this.random = random;
    this.run = random();
  }

  /** Closes the headers of a group that begins at `place`. */
  sealGroup({ frames, buffer }: Group, place: Place): void {
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!;
      this.seal(buffer, frame, frames[i + 1] ?? buffer.length, place, 0);
    }
  }

  /** A frame with the state of everything, to stand at `place`. */
  state(sealed: readonly SealedRow[], table: LogTable, place: Place): Uint8Array {
    const buffer = new RecordBuffer(Math.max(4096, this.stateBytes * 2));
    buffer.length = FRAME_HEADER;
    encodeState(buffer, sealed, table);
    buffer.pad(FRAME_ALIGNMENT);
    this.seal(buffer, 0, buffer.length, place, STATE);
    this.stateBytes = buffer.length;
    return buffer.bytes.subarray(0, buffer.length);
  }

  /**
   * What was sealed since `previous` was the last is not in the chain after all. A frame of another run cannot be taken for
   * the successor of what was refused, nor completed by what is left of it.
   */
  rewind(previous: number): void {
    this.previous = previous;
    this.run = this.random();
  }

  /** The frame that stands in the buffer from `at` to `end`. */
  private seal(buffer: RecordBuffer, at: number, end: number, place: Place, flags: number): void {
    const { segment, synced } = place;
    const { previous, run } = this;
    const header = { segment, offset: place.offset + at, previous, run, synced, flags };
    this.previous = sealFrame(buffer.bytes, at, end - at - FRAME_HEADER, header, this.seed);
  }
}
