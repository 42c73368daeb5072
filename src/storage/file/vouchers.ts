import { isBefore, readAll } from './file-system.js';
import type { File, Position } from './file-system.js';
import { FRAME_ALIGNMENT, FRAME_HEADER, FRAME_MAGIC_BYTES, isIntact, readHeader } from './frame.js';
import type { FrameHeader } from './frame.js';

/** Read at once. Bytes. */
const WINDOW = 4 * 1024 * 1024;

export interface Voucher {
  readonly synced: Position;
  /** Where the frame stands that says so. */
  readonly segment: number;
  readonly offset: number;
}

/**
 * Looks for an intact frame of `segment`, at or after `from`, that says that everything beyond `end` had reached the
 * disk. Looks at every place where a frame can stand, to the end of the file: a header that was lost looks like the end.
 */
export async function findVoucher(
  file: File,
  segment: number,
  from: number,
  end: Position,
  seed: number,
): Promise<Voucher | undefined> {
  const size = await file.size();
  const buffer = Buffer.allocUnsafeSlow(Math.min(WINDOW, Math.max(size - from, 0)) + FRAME_HEADER);
  for (let base = from; base < size; base += WINDOW) {
    // Windows overlap by a header, so that none is cut in two.
    const bytes = buffer.subarray(0, await readAll(file, buffer, base));
    for (let at = bytes.indexOf(FRAME_MAGIC_BYTES); at >= 0; at = bytes.indexOf(FRAME_MAGIC_BYTES, at + 1)) {
      if (at >= WINDOW || (base + at) % FRAME_ALIGNMENT !== 0) continue;
      const header = readHeader(bytes, at, segment, base + at);
      // Most are what a crash tore, and vouch for nothing new: their checksums need not be computed.
      if (header === undefined || !isBefore(end, header.synced)) continue;
      if (base + at + FRAME_HEADER + header.length > size) continue;
      if (await isWhole(file, header, seed)) return { synced: header.synced, segment, offset: header.offset };
    }
  }
  return undefined;
}

async function isWhole(file: File, header: FrameHeader, seed: number): Promise<boolean> {
  const bytes = Buffer.allocUnsafeSlow(FRAME_HEADER + header.length);
  return (await readAll(file, bytes, header.offset)) === bytes.byteLength && isIntact(bytes, 0, header, seed);
}
