import { crc32 } from 'node:zlib';
import { SluiceError } from '../../errors.js';

/**
 * Names and small files of a data directory; docs/storage-format.md has every byte. All numbers are little-endian.
 *
 *     format           which version of the format, and the start value of every checksum here
 *     lock             who has the directory open
 *     0000000001.seg   segments: frames, one after the other
 *     0000000001.idx   where the entries of a segment are; a hint
 *     clean            where everything ended when the storage was last closed
 */
export const VERSION = 1;

export const FORMAT_FILE = 'format';
export const CLEAN_FILE = 'clean';

const FORMAT_BYTES = 16;
const CLEAN_BYTES = 24;
const FORMAT_MAGIC = 0x45434c53; // "SLCE"
const CLEAN_MAGIC = 0x4c434c53; // "SLCL"

const SEGMENT_NAME = /^(\d{10})\.(seg|idx)$/;

export function segmentName(number: number): string {
  return `${String(number).padStart(10, '0')}.seg`;
}

export function indexName(number: number): string {
  return `${String(number).padStart(10, '0')}.idx`;
}

/** What a file of the directory is, by its name; undefined for a name that is none of ours. */
export function parseName(name: string): { readonly number: number; readonly kind: 'seg' | 'idx' } | undefined {
  const match = SEGMENT_NAME.exec(name);
  return match === null ? undefined : { number: Number(match[1]), kind: match[2] as 'seg' | 'idx' };
}

export function encodeFormat(seed: number): Buffer {
  const bytes = Buffer.alloc(FORMAT_BYTES);
  bytes.writeUInt32LE(FORMAT_MAGIC, 0);
  bytes.writeUInt32LE(VERSION, 4);
  bytes.writeUInt32LE(seed, 8);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}

/**
 * The seed of the directory's checksums.
 * @throws ERR_STORAGE_VERSION for a version that is not known yet, ERR_STORAGE_CORRUPT
 */
export function decodeFormat(bytes: Buffer, file: string): number {
  if (bytes.byteLength < FORMAT_BYTES || bytes.readUInt32LE(0) !== FORMAT_MAGIC) {
    throw corrupt(file, 0, 'it does not begin as a format file does');
  }
  if (crc32(bytes.subarray(0, 12)) !== bytes.readUInt32LE(12)) throw corrupt(file, 0, 'its checksum does not fit');
  const version = bytes.readUInt32LE(4);
  if (version !== VERSION) {
    throw new SluiceError(
      'ERR_STORAGE_VERSION',
      `${file} says format ${version}; this release reads up to ${VERSION}`,
      { details: { file, version, newest: VERSION } },
    );
  }
  return bytes.readUInt32LE(8);
}

/** The end that a close left behind: nothing was written after it. */
export interface CleanEnd {
  readonly segment: number;
  readonly offset: number;
  /** Checksum of the last frame. */
  readonly checksum: number;
}

export function encodeClean(end: CleanEnd, seed: number): Buffer {
  const bytes = Buffer.alloc(CLEAN_BYTES);
  bytes.writeUInt32LE(CLEAN_MAGIC, 0);
  bytes.writeUInt32LE(end.segment, 8);
  bytes.writeUInt32LE(end.offset, 12);
  bytes.writeUInt32LE(end.checksum, 16);
  bytes.writeUInt32LE(crc32(bytes.subarray(8), seed), 4);
  return bytes;
}

/** Undefined when it is damaged: it only ever adds knowledge. */
export function decodeClean(bytes: Buffer, seed: number): CleanEnd | undefined {
  if (bytes.byteLength !== CLEAN_BYTES || bytes.readUInt32LE(0) !== CLEAN_MAGIC) return undefined;
  if (crc32(bytes.subarray(8), seed) !== bytes.readUInt32LE(4)) return undefined;
  return { segment: bytes.readUInt32LE(8), offset: bytes.readUInt32LE(12), checksum: bytes.readUInt32LE(16) };
}

export function corrupt(file: string, position: number, why: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_STORAGE_CORRUPT', `${file} is damaged at byte ${position}: ${why}`, {
    details: { file, position },
    ...(cause === undefined ? {} : { cause }),
  });
}
