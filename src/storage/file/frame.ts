import { crc32 } from 'node:zlib';
import type { Position } from './file-system.js';

/**
 * A frame: the batches of one group commit under one checksum, chained to the frame before it.
 *
 *      0 magic "SLq" 1    4 checksum of 8 … 40 + length, start value: the directory's seed    8 length of the payload
 *     12 segment         16 offset of this frame in it                                       20 checksum of the frame before
 *     24 run             28 synced: segment           32 synced: offset                      36 flags
 *     40 payload: records, then zeros up to a multiple of 8
 *
 * The checksum covers where the frame stands and what came before it, so that neither zeros, nor what an earlier life of
 * the file left behind, nor a frame inside somebody's body can pass for one. `synced` says how far everything in all
 * files was known to be on the disk when the frame was built: what is missing below that is damage and not a torn tail.
 */
export const FRAME_HEADER = 40;
export const FRAME_MAGIC = 0x01714c53;
export const FRAME_MAGIC_BYTES = Buffer.from([0x53, 0x4c, 0x71, 0x01]);
export const FRAME_ALIGNMENT = 8;
export const ZEROED_HEADER = new Uint8Array(FRAME_HEADER);

/** Flag: the payload begins with the state of all logs. */
export const STATE = 1;

export interface FrameHeader {
  readonly checksum: number;
  readonly length: number;
  readonly segment: number;
  readonly offset: number;
  readonly previous: number;
  readonly run: number;
  readonly synced: Position;
  readonly flags: number;
}

/** What is to be in a header, but for what follows from the payload. */
export type FrameSeal = Omit<FrameHeader, 'checksum' | 'length'>;

/** Writes the header of the frame that begins at `at` and has its payload in place; returns its checksum. */
export function sealFrame(bytes: Buffer, at: number, length: number, seal: FrameSeal, seed: number): number {
  bytes.writeUInt32LE(FRAME_MAGIC, at);
  bytes.writeUInt32LE(length, at + 8);
  bytes.writeUInt32LE(seal.segment, at + 12);
  bytes.writeUInt32LE(seal.offset, at + 16);
  bytes.writeUInt32LE(seal.previous, at + 20);
  bytes.writeUInt32LE(seal.run, at + 24);
  bytes.writeUInt32LE(seal.synced.segment, at + 28);
  bytes.writeUInt32LE(seal.synced.offset, at + 32);
  bytes.writeUInt32LE(seal.flags, at + 36);
  const checksum = crc32(bytes.subarray(at + 8, at + FRAME_HEADER + length), seed);
  bytes.writeUInt32LE(checksum, at + 4);
  return checksum;
}

/** The header at `at`, or undefined if there is none that says of itself that it stands there. Not yet checked further. */
export function readHeader(bytes: Buffer, at: number, segment: number, offset: number): FrameHeader | undefined {
  if (at + FRAME_HEADER > bytes.byteLength || bytes.readUInt32LE(at) !== FRAME_MAGIC) return undefined;
  if (bytes.readUInt32LE(at + 12) !== segment || bytes.readUInt32LE(at + 16) !== offset) return undefined;
  return {
    checksum: bytes.readUInt32LE(at + 4),
    length: bytes.readUInt32LE(at + 8),
    segment,
    offset,
    previous: bytes.readUInt32LE(at + 20),
    run: bytes.readUInt32LE(at + 24),
    synced: { segment: bytes.readUInt32LE(at + 28), offset: bytes.readUInt32LE(at + 32) },
    flags: bytes.readUInt32LE(at + 36),
  };
}

/** Whether all of the frame is there, as it was written. */
export function isIntact(bytes: Buffer, at: number, header: FrameHeader, seed: number): boolean {
  const end = at + FRAME_HEADER + header.length;
  return end <= bytes.byteLength && crc32(bytes.subarray(at + 8, end), seed) === header.checksum;
}
