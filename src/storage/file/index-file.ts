import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { readAll } from './file-system.js';
import type { File } from './file-system.js';
import type { IndexRows, SegmentIndex } from './segment-index.js';

/**
 * An index file: the index of a segment up to `end`, kept beside it so that opening need not read the segment. A hint:
 * without it, or with damage in it, the segment is scanned. Its `end` is more than a hint: it was written after the bytes
 * before it were on the disk.
 *
 *      0 magic "SIDX"      4 checksum of 8 … 64        8 segment                12 flags: 1 = sealed
 *     16 end              20 checksum of the last frame before it              24 checksum of the segment's first frame
 *     28 offset of the state that ends at `end`, or ffffffff                   32 rows        36 positions
 *     40 frames           44 checksum of the rows     48 checksum of the rest                 52 zeros
 *     64 rows: log, first (u64), count    then positions: u32 each, row by row    then frames: u32 each
 */
const HEADER = 64;
const ROW = 16;
const MAGIC = 0x58444953; // "SIDX"
const SEALED = 1;
export const NO_STATE = 0xffffffff;

export interface IndexSummary {
  readonly segment: number;
  /** Nothing was written to the segment after `end`, and a later one was begun. */
  readonly sealed: boolean;
  readonly end: number;
  readonly lastChecksum: number;
  readonly firstChecksum: number;
  readonly stateAt: number;
}

interface Header extends IndexSummary {
  readonly rows: number;
  readonly positions: number;
  readonly frames: number;
  readonly rowsChecksum: number;
  readonly restChecksum: number;
}

export function encodeIndex(summary: IndexSummary, index: SegmentIndex, seed: number): Buffer[] {
  const { logs, firsts, counts } = index.rows;
  const rows = Buffer.alloc(logs.length * ROW);
  for (let row = 0; row < logs.length; row++) {
    rows.writeUInt32LE(logs[row]!, row * ROW);
    rows.writeUInt32LE(firsts[row]! >>> 0, row * ROW + 4);
    rows.writeUInt32LE(Math.floor(firsts[row]! / 2 ** 32), row * ROW + 8);
    rows.writeUInt32LE(counts[row]!, row * ROW + 12);
  }
  const rest = Buffer.concat([bytesOf(index.positions), bytesOf(index.frames)]);

  const header = Buffer.alloc(HEADER);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(summary.segment, 8);
  header.writeUInt32LE(summary.sealed ? SEALED : 0, 12);
  header.writeUInt32LE(summary.end, 16);
  header.writeUInt32LE(summary.lastChecksum, 20);
  header.writeUInt32LE(summary.firstChecksum, 24);
  header.writeUInt32LE(summary.stateAt, 28);
  header.writeUInt32LE(logs.length, 32);
  header.writeUInt32LE(index.positions.length, 36);
  header.writeUInt32LE(index.frames.length, 40);
  header.writeUInt32LE(crc32(rows, seed), 44);
  header.writeUInt32LE(crc32(rest, seed), 48);
  header.writeUInt32LE(crc32(header.subarray(8), seed), 4);
  return [header, rows, rest];
}

/** Little-endian, as nearly every machine has them already: there are a quarter of a million of them. */
function bytesOf(numbers: Uint32Array): Buffer {
  const bytes = Buffer.from(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32();
}

/** The other way round, in place; the bytes begin at a multiple of 4. */
function numbersOf(bytes: Buffer): Uint32Array {
  if (endianness() !== 'LE') bytes.swap32();
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** An index file that is open: what it says, row by row or whole. Undefined for whatever is damaged. */
export class IndexFile {
  readonly summary: IndexSummary;
  private readonly header: Header;
  private readonly file: File;
  private readonly seed: number;

  private constructor(file: File, header: Header, seed: number) {
    this.file = file;
    this.header = header;
    this.summary = header;
    this.seed = seed;
  }

  /** Undefined when the header is damaged or that of another segment. */
  static async open(file: File, segment: number, seed: number): Promise<IndexFile | undefined> {
    const bytes = Buffer.alloc(HEADER);
    if ((await readAll(file, bytes, 0)) < HEADER || bytes.readUInt32LE(0) !== MAGIC) return undefined;
    if (crc32(bytes.subarray(8), seed) !== bytes.readUInt32LE(4) || bytes.readUInt32LE(8) !== segment) return undefined;
    const u32 = (at: number): number => bytes.readUInt32LE(at);
    const header: Header = {
      segment,
      sealed: (u32(12) & SEALED) !== 0,
      end: u32(16),
      lastChecksum: u32(20),
      firstChecksum: u32(24),
      stateAt: u32(28),
      rows: u32(32),
      positions: u32(36),
      frames: u32(40),
      rowsChecksum: u32(44),
      restChecksum: u32(48),
    };
    const size = HEADER + header.rows * ROW + (header.positions + header.frames) * 4;
    return (await file.size()) === size ? new IndexFile(file, header, seed) : undefined;
  }

  async rows(): Promise<IndexRows | undefined> {
    const count = this.header.rows;
    const bytes = Buffer.allocUnsafeSlow(count * ROW);
    await readAll(this.file, bytes, HEADER);
    if (crc32(bytes, this.seed) !== this.header.rowsChecksum) return undefined;
    const rows = {
      logs: new Uint32Array(count),
      firsts: new Float64Array(count),
      counts: new Uint32Array(count),
    };
    for (let row = 0; row < count; row++) {
      rows.logs[row] = bytes.readUInt32LE(row * ROW);
      rows.firsts[row] = bytes.readUInt32LE(row * ROW + 4) + bytes.readUInt32LE(row * ROW + 8) * 2 ** 32;
      rows.counts[row] = bytes.readUInt32LE(row * ROW + 12);
    }
    return rows;
  }

  async whole(): Promise<SegmentIndex | undefined> {
    const rows = await this.rows();
    if (rows === undefined) return undefined;
    const { positions, frames, restChecksum } = this.header;
    const bytes = Buffer.allocUnsafeSlow((positions + frames) * 4);
    await readAll(this.file, bytes, HEADER + this.header.rows * ROW);
    if (crc32(bytes, this.seed) !== restChecksum) return undefined;
    const bases = new Uint32Array(rows.logs.length);
    let base = 0;
    for (let row = 0; row < bases.length; row++) {
      bases[row] = base;
      base += rows.counts[row]!;
    }
    if (base !== positions) return undefined;
    const numbers = numbersOf(bytes);
    return { rows, bases, positions: numbers.subarray(0, positions), frames: numbers.subarray(positions) };
  }
}
