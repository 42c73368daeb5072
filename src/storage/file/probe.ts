import { readAll } from './file-system.js';
import type { File, Position } from './file-system.js';
import { FRAME_ALIGNMENT, FRAME_HEADER, isIntact, readHeader, STATE } from './frame.js';
import type { FrameHeader } from './frame.js';

/** How far behind the end a frame is looked for that the end's own header would have led to. Bytes. */
const TORN_REACH = 256 * 1024;

/** The header of the frame that says it stands at `offset`. Its payload has not been looked at. */
export async function headerAt(file: File, segment: number, offset: number): Promise<FrameHeader | undefined> {
  const bytes = Buffer.alloc(FRAME_HEADER);
  return (await readAll(file, bytes, offset)) < FRAME_HEADER ? undefined : readHeader(bytes, 0, segment, offset);
}

export interface ProbedFrame {
  readonly header: FrameHeader;
  /** Header and payload. */
  readonly bytes: Buffer;
  readonly isState: boolean;
}

/** The frame at `offset`, if there is an intact one. */
export async function frameAt(
  file: File,
  segment: number,
  offset: number,
  seed: number,
): Promise<ProbedFrame | undefined> {
  const header = await headerAt(file, segment, offset);
  // A length that nobody has checked: no more memory for it than there is file.
  if (header === undefined || offset + FRAME_HEADER + header.length > (await file.size())) return undefined;
  const bytes = Buffer.allocUnsafeSlow(FRAME_HEADER + header.length);
  const read = await readAll(file, bytes, offset);
  if (!isIntact(bytes.subarray(0, read), 0, header, seed)) return undefined;
  return { header, bytes, isState: (header.flags & STATE) !== 0 };
}

/** Whether a frame was begun at the end: its header is there, or was lost while one behind it, of the last run, was not. */
export async function isTorn(file: File, end: Position, run: number): Promise<boolean> {
  const size = await file.size();
  const bytes = Buffer.alloc(Math.min(TORN_REACH, Math.max(size - end.offset, 0)));
  await readAll(file, bytes, end.offset);
  for (let at = 0; at + FRAME_HEADER <= bytes.byteLength; at += FRAME_ALIGNMENT) {
    const header = readHeader(bytes, at, end.segment, end.offset + at);
    if (header !== undefined && (at === 0 || header.run === run)) return true;
  }
  return false;
}
