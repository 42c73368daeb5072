import { readAll } from './file-system.js';
import type { File } from './file-system.js';
import { FRAME_HEADER, isIntact, readHeader } from './frame.js';
import type { FrameHeader } from './frame.js';
import { COPY, ENTRY, RecordView } from './record.js';
import { OpenPositions } from './open-positions.js';

/** Read at once. Bytes. */
const WINDOW = 1024 * 1024;

export interface ScanStart {
  readonly offset: number;
  /** Checksum of the frame before it; undefined where it is not known. */
  readonly previous: number | undefined;
  /** What is before it. */
  readonly positions?: OpenPositions | undefined;
}

export interface Scan {
  /** Where the first frame would stand that is not accepted. */
  readonly end: number;
  readonly firstChecksum: number;
  readonly lastChecksum: number;
  readonly positions: OpenPositions;
  readonly last: FrameHeader | undefined;
}

/** What a scan comes across, in order. `bytes` is only valid during the call. */
export interface ScanVisitor {
  frame?(header: FrameHeader, bytes: Buffer, payload: number, end: number): void;
}

/**
 * Accepts frame after frame: each says that it stands where it stands, is intact, and follows the one before it. Ends at
 * the first that does not, which is no error here. An error of reading is one: never the end of a file.
 */
export async function scanSegment(
  file: File,
  segment: number,
  seed: number,
  start: ScanStart,
  visitor?: ScanVisitor,
): Promise<Scan> {
  const positions = start.positions ?? new OpenPositions();
  const window = new Window(file);
  let offset = start.offset;
  let previous = start.previous;
  let firstChecksum = 0;
  let last: FrameHeader | undefined;
  for (;;) {
    let at = await window.at(offset, FRAME_HEADER);
    const header = at < 0 ? undefined : readHeader(window.bytes, at, segment, offset);
    if (header === undefined || (previous !== undefined && header.previous !== previous)) break;
    at = await window.at(offset, FRAME_HEADER + header.length);
    if (at < 0 || !isIntact(window.bytes, at, header, seed)) break;
    const payload = at + FRAME_HEADER;
    positions.frame(offset);
    place(window.bytes, payload, payload + header.length, offset + FRAME_HEADER, positions);
    visitor?.frame?.(header, window.bytes, payload, payload + header.length);
    if (offset === 0) firstChecksum = header.checksum;
    previous = header.checksum;
    last = header;
    offset += FRAME_HEADER + header.length;
  }
  return { end: offset, firstChecksum, lastChecksum: previous ?? 0, positions, last };
}

/** Notes where the entries of a payload stand. */
function place(bytes: Buffer, from: number, to: number, position: number, positions: OpenPositions): void {
  const record = new RecordView(bytes, from);
  for (; record.fits(to); record.at = record.next) {
    const { kind } = record;
    if (kind !== ENTRY && kind !== COPY) continue;
    positions.add(record.log, record.offset, position + record.at - from, kind === COPY);
  }
}

/** A part of a file in memory that moves forward. */
class Window {
  bytes = Buffer.alloc(0);
  private base = 0;
  private buffer = Buffer.alloc(0);
  private readonly file: File;

  constructor(file: File) {
    this.file = file;
  }

  /** Where in `bytes` the file's `length` bytes from `offset` on are; -1 when the file ends before. */
  async at(offset: number, length: number): Promise<number> {
    const at = offset - this.base;
    if (at >= 0 && at + length <= this.bytes.byteLength) return at;
    // A length that nobody has checked: no more memory for it than there is file.
    if (length > WINDOW && offset + length > (await this.file.size())) return -1;
    const wanted = Math.max(WINDOW, length);
    if (this.buffer.byteLength < wanted) this.buffer = Buffer.allocUnsafeSlow(wanted);
    const read = await readAll(this.file, this.buffer, offset);
    this.bytes = this.buffer.subarray(0, read);
    this.base = offset;
    return length <= read ? 0 : -1;
  }
}
