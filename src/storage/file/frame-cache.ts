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
/** Who reads on where a block ends reads so much at once: a call to the disk costs as much as many small frames. Bytes. */
const BLOCK = 1024 * 1024;
/**
 * The memory of blocks that went is filled again: so many pieces, none larger than BLOCK. Fresh memory costs more than what is read
 * into it, as the system clears it page by page, and V8 collects all its garbage, old and new, once some of it was asked for.
 */
const SPARES = 4;
/** A multiple of this, so that it fits what is about as large. Bytes. */
const GRAIN = 64 * 1024;

/** Frames that were read at once, one after the other. */
interface Block {
  readonly segment: number;
  /** Where it begins, and how much is read, be it that the last frame of that is not whole. */
  readonly at: number;
  readonly size: number;
  readonly memory: Buffer;
  /** Its frames, checked, by their places; the first is always among them. */
  readonly frames: Promise<ReadonlyMap<number, Buffer>>;
  /** Who waited for them and has not looked at them yet. */
  waiting: number;
  /** Frames of it that are kept. */
  kept: number;
  /** Where the next one would begin. */
  end: string;
}

/** Frames of a storage's segments as readers use them: whole and checked, read once for all who ask at the same time. */
export class FrameCache {
  private readonly files: SegmentFiles;
  /** By segment and place, the least recently used first. */
  private readonly frames = new Map<string, { readonly bytes: Buffer; readonly block: Block }>();
  private readonly coming = new Set<Block>();
  private readonly ends = new Set<string>();
  private readonly spares: Buffer[] = [];
  private kept = 0;

  constructor(files: SegmentFiles) {
    this.files = files;
  }

  /** What `visit` makes of the frame of `length` bytes that begins at `at`. Its bytes are valid during that call only. */
  async use<T>(segment: Segment, file: File, at: number, length: number, visit: (bytes: Buffer) => T): Promise<T> {
    const key = keyOf(segment.number, at);
    for (;;) {
      const known = this.frames.get(key);
      if (known !== undefined) {
        this.frames.delete(key);
        this.frames.set(key, known);
        return visit(known.bytes);
      }
      const block = this.comingWith(segment, at) ?? this.begin(segment, file, at, length);
      block.waiting++;
      const bytes = await frameOf(block, at);
      block.waiting--;
      if (bytes !== undefined) return visit(bytes);
    }
  }

  private comingWith({ number }: Segment, at: number): Block | undefined {
    for (const block of this.coming) {
      if (block.segment === number && at >= block.at && at < block.at + block.size) return block;
    }
    return undefined;
  }

  private begin(segment: Segment, file: File, at: number, length: number): Block {
    const goesOn = this.ends.has(keyOf(segment.number, at));
    const size = Math.min(goesOn ? Math.max(length, BLOCK) : length, segment.end - at);
    const memory = this.memoryFor(size);
    const read = this.files.frames(segment, file, at, memory.subarray(0, size));
    const frames = read.finally(() => this.coming.delete(block));
    const block: Block = { segment: segment.number, at, size, memory, frames, waiting: 0, kept: 0, end: '' };
    this.coming.add(block);
    read.then(
      (found) => length <= LARGEST && this.keep(block, found),
      () => undefined, // Who waits is told.
    );
    return block;
  }

  private keep(block: Block, frames: ReadonlyMap<number, Buffer>): void {
    let end = block.at;
    for (const [at, bytes] of frames) {
      const key = keyOf(block.segment, at);
      end = at + bytes.byteLength;
      if (this.frames.has(key)) continue;
      this.frames.set(key, { bytes, block });
      this.kept += bytes.byteLength;
      block.kept++;
    }
    // Others may have read the same meanwhile.
    if (block.kept === 0) return;
    block.end = keyOf(block.segment, end);
    this.ends.add(block.end);
    for (const [oldest, { bytes, block: of }] of this.frames) {
      if (this.kept <= KEPT || of === block) break;
      this.frames.delete(oldest);
      this.kept -= bytes.byteLength;
      if (--of.kept === 0) this.release(of);
    }
  }

  private release({ memory, waiting, end }: Block): void {
    this.ends.delete(end);
    const fits = memory.byteLength >= GRAIN && memory.byteLength <= BLOCK;
    if (fits && waiting === 0 && this.spares.length < SPARES) this.spares.push(memory);
  }

  private memoryFor(length: number): Buffer {
    const size = length < GRAIN / 2 || length > BLOCK ? length : Math.ceil(length / GRAIN) * GRAIN;
    const at = this.spares.findIndex(({ byteLength }) => byteLength === size);
    return at < 0 ? Buffer.allocUnsafeSlow(size) : this.spares.splice(at, 1)[0]!;
  }
}

/** undefined: it is not whole in this block, or the block was not read for it and is damaged before it. */
async function frameOf(block: Block, at: number): Promise<Buffer | undefined> {
  try {
    return (await block.frames).get(at);
  } catch (error) {
    if (block.at === at) throw error;
    return undefined;
  }
}

function keyOf(segment: number, at: number): string {
  return `${segment}/${at}`;
}
