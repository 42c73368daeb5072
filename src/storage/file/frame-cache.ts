import type { File } from './file-system.js';
import type { SegmentFiles } from './segment-files.js';
import type { Segment } from './segment.js';

/**
 * Frames are kept after they were read and checked, the least recently used go first: a read that ends in the middle of one goes on
 * there, and the logs that share a frame read it one after the other. Bytes.
 */
const KEPT = 4 * 1024 * 1024;
/** A frame up to this size, as a large batch makes them, is kept alone: it takes many reads to come through. */
const LARGEST = 64 * 1024 * 1024;

/**
 * The memory of frames that went is filled again: so many pieces, none larger. Fresh memory costs more than what is read into it, as
 * the system clears it page by page, and V8 collects all its garbage, old and new, once some of it was asked for.
 */
const SPARES = 4;
const LARGEST_SPARE = 1024 * 1024;
/** A multiple of this, so that it fits frames that are about as large. Bytes. */
const GRAIN = 64 * 1024;

interface Frame {
  /** Where it lies, and what of that it fills. */
  readonly memory: Buffer;
  readonly bytes: Buffer;
  /** Settles when it is read and checked. */
  readonly read: Promise<void>;
  /** Who waited for that and has not looked at it yet. */
  waiting: number;
}

/** Frames of a storage's segments as readers use them: whole and checked, read once for all who ask at the same time. */
export class FrameCache {
  private readonly files: SegmentFiles;
  /** By segment and place, the least recently used first. */
  private readonly frames = new Map<string, Frame>();
  private readonly coming = new Map<string, Frame>();
  private readonly spares: Buffer[] = [];
  private kept = 0;

  constructor(files: SegmentFiles) {
    this.files = files;
  }

  /** What `visit` makes of the frame that begins at `at`. Its bytes are valid during that call only. */
  async use<T>(segment: Segment, file: File, at: number, length: number, visit: (bytes: Buffer) => T): Promise<T> {
    const key = `${segment.number}/${at}`;
    const known = this.frames.get(key);
    if (known !== undefined) {
      this.frames.delete(key);
      this.frames.set(key, known);
      return visit(known.bytes);
    }
    let frame = this.coming.get(key);
    if (frame === undefined) {
      frame = this.begin(segment, file, at, length);
      this.coming.set(key, frame);
    }
    frame.waiting++;
    try {
      await frame.read;
      if (length <= LARGEST && !this.frames.has(key)) this.keep(key, frame);
      return visit(frame.bytes);
    } finally {
      frame.waiting--;
      this.coming.delete(key);
    }
  }

  private begin(segment: Segment, file: File, at: number, length: number): Frame {
    const memory = this.memoryFor(length);
    const bytes = memory.subarray(0, length);
    return { memory, bytes, read: this.files.frame(segment, file, at, bytes), waiting: 0 };
  }

  private keep(key: string, frame: Frame): void {
    this.frames.set(key, frame);
    this.kept += frame.memory.byteLength;
    for (const [oldest, one] of this.frames) {
      if (this.kept <= KEPT || oldest === key) break;
      this.frames.delete(oldest);
      this.kept -= one.memory.byteLength;
      this.spare(one);
    }
  }

  private spare({ memory, waiting }: Frame): void {
    const isWanted = memory.byteLength >= GRAIN && memory.byteLength <= LARGEST_SPARE && this.spares.length < SPARES;
    if (isWanted && waiting === 0) this.spares.push(memory);
  }

  private memoryFor(length: number): Buffer {
    const size = length < GRAIN / 2 || length > LARGEST_SPARE ? length : Math.ceil(length / GRAIN) * GRAIN;
    const at = this.spares.findIndex(({ byteLength }) => byteLength === size);
    return at < 0 ? Buffer.allocUnsafeSlow(size) : this.spares.splice(at, 1)[0]!;
  }
}
