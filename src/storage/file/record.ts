import type { SpokenHead } from '../storage.js';

/**
 * Records: what the payload of a frame is made of.
 *
 *      0 bytes after this header (u32)     4 kind (u8)      5 encoding of the body, of the head << 4 (u8)
 *      6 offset, upper 16 bits (u16)       8 offset, lower 32 bits                12 log id
 *     16 bytes of the head                20 head, body, then zeros up to the next multiple of 4
 *
 * A log's name is in the record that declares it, and nowhere else but in the states: an entry costs 20 bytes.
 */
export const RECORD_HEADER = 20;

export const ENTRY = 1; // offset: where it goes, the log's next
export const COPY = 2; // as ENTRY, of an offset that was written before; moves no `next`
export const LOG = 3; // head: the name; its offsets begin at 0
export const DROP = 4; // offset: from; body: to (u64)
export const REMOVE = 5;
export const STATE_NEXT = 16; // log id: the next one to be given. Begins a state
export const STATE_SEGMENT = 17; // log id: a segment that is still needed; offset: its end; body: checksum of its last frame
export const STATE_LOG = 18; // offset: first; head: the name; body: next, holes (u64 each)

/** How a head, a body or a name became bytes. */
export const NONE = 0;
export const ASCII = 1;
export const UTF8 = 2;
/** UTF-16: strings that are no valid Unicode (lone surrogates) come back as they were. */
export const UTF16 = 3;
export const BYTES = 4;
const BOTH_ASCII = ASCII | (ASCII << 4);

const LARGEST_OFFSET_HIGH = 2 ** 32;
/** Characters. */
const SHORT = 64;
/** Bytes. */
const SHORT_RECORD = 512;

/** A head that writes its JSON itself. */
export type SpelledHead = Required<Pick<SpokenHead, 'spelled' | 'spell'>>;
export type HeadText = string | SpelledHead;

/** Bytes that are written into, growing as needed. What lies beyond `length` is arbitrary. */
export class RecordBuffer {
  bytes: Buffer;
  length = 0;
  /** On the same memory: compilers know how to write numbers through it. */
  private numbers: DataView;

  constructor(capacity: number) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
    this.numbers = new DataView(this.bytes.buffer);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.byteLength) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.bytes.byteLength * 2, this.length + count));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
    this.numbers = new DataView(grown.buffer);
  }

  /** Zeros up to the next multiple of `alignment`: what the memory held before is nobody's business. */
  pad(alignment: number): void {
    const padding = -this.length & (alignment - 1);
    this.reserve(padding);
    for (let i = 0; i < padding; i++) this.bytes[this.length++] = 0;
  }

  /** Writes a record; returns where it begins. */
  record(
    kind: number,
    offset: number,
    log: number,
    head: HeadText | undefined,
    body: string | Uint8Array | undefined,
  ): number {
    const at = this.length;
    const most = body === undefined ? 0 : typeof body === 'string' ? body.length * 3 : body.length;
    const mostOfHead = head === undefined ? 0 : typeof head === 'string' ? head.length * 3 : head.spelled;
    this.reserve(RECORD_HEADER + mostOfHead + most + 4);
    this.length += RECORD_HEADER;
    const headEncoding = head === undefined ? NONE : typeof head === 'string' ? this.text(head) : this.spelled(head);
    const headLength = this.length - at - RECORD_HEADER;
    let encoding = NONE;
    if (typeof body === 'string') encoding = this.text(body);
    else if (body !== undefined) {
      this.bytes.set(body, this.length);
      this.length += most;
      encoding = BYTES;
    }
    this.close(at, kind, encoding | (headEncoding << 4), offset, log, headLength);
    return at;
  }

  /** As record(), of a record that is already encoded: head and body as they are, another kind. */
  copy(kind: number, source: RecordView): number {
    const at = this.length;
    const size = source.size;
    this.reserve(RECORD_HEADER + size + 4);
    source.bytes.copy(this.bytes, at + RECORD_HEADER, source.at + RECORD_HEADER, source.at + RECORD_HEADER + size);
    this.length = at + RECORD_HEADER + size;
    this.close(at, kind, source.bytes[source.at + 5]!, source.offset, source.log, source.headLength);
    return at;
  }

  private close(at: number, kind: number, encoding: number, offset: number, log: number, headLength: number): void {
    const { numbers } = this;
    numbers.setUint32(at, this.length - at - RECORD_HEADER, true);
    numbers.setUint8(at + 4, kind);
    numbers.setUint8(at + 5, encoding);
    numbers.setUint16(at + 6, Math.floor(offset / LARGEST_OFFSET_HIGH), true);
    numbers.setUint32(at + 8, offset, true);
    numbers.setUint32(at + 12, log, true);
    numbers.setUint32(at + 16, headLength, true);
    this.pad(4);
  }

  private spelled(head: SpelledHead): number {
    head.spell(this.bytes, this.length);
    this.length += head.spelled;
    return ASCII;
  }

  /** Room for it has been reserved: 3 bytes per UTF-16 unit are enough for each encoding. */
  private text(text: string): number {
    if (text.length <= SHORT && this.ascii(text)) return ASCII;
    const written = this.bytes.write(text, this.length);
    if (written === text.length) {
      this.length += written;
      return ASCII;
    }
    if (isWellFormed(text)) {
      this.length += written;
      return UTF8;
    }
    this.length += this.bytes.write(text, this.length, 'utf16le');
    return UTF16;
  }

  /** Writes it if it is ASCII. A call out of JavaScript takes longer than a few characters do. */
  private ascii(text: string): boolean {
    const { bytes, length } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      bytes[length + i] = code;
    }
    this.length += text.length;
    return true;
  }
}

/** A record where it stands. One view is moved from record to record. */
export class RecordView {
  at: number;
  private memory: Buffer;
  private numbers: DataView;

  constructor(bytes: Buffer, at = 0) {
    this.at = at;
    this.memory = bytes;
    this.numbers = viewOf(bytes);
  }

  get bytes(): Buffer {
    return this.memory;
  }

  set bytes(bytes: Buffer) {
    this.memory = bytes;
    this.numbers = viewOf(bytes);
  }

  /** Bytes after the header. */
  get size(): number {
    return this.numbers.getUint32(this.at, true);
  }

  get kind(): number {
    return this.memory[this.at + 4]!;
  }

  get offset(): number {
    return this.numbers.getUint16(this.at + 6, true) * LARGEST_OFFSET_HIGH + this.numbers.getUint32(this.at + 8, true);
  }

  get log(): number {
    return this.numbers.getUint32(this.at + 12, true);
  }

  get headLength(): number {
    return this.numbers.getUint32(this.at + 16, true);
  }

  /** Where the record after it begins. */
  get next(): number {
    return this.at + RECORD_HEADER + ((this.size + 3) & ~3);
  }

  /** Where the body begins; of kinds without one, what follows the head. */
  get bodyAt(): number {
    return this.at + RECORD_HEADER + this.headLength;
  }

  head(): string {
    const from = this.at + RECORD_HEADER;
    return decodeText(this.bytes, this.bytes[this.at + 5]! >>> 4, from, from + this.headLength);
  }

  /**
   * Head and body in one string, where both are ASCII and short: a call out of JavaScript takes longer than the copy, and whoever keeps a
   * part of a string may keep all of it.
   */
  shortText(): string | undefined {
    if (this.bytes[this.at + 5] !== BOTH_ASCII || this.size > SHORT_RECORD) return undefined;
    const from = this.at + RECORD_HEADER;
    return this.bytes.toString('latin1', from, from + this.size);
  }

  /** Bytes of the body: of text, in UTF-8. */
  get bodySize(): number {
    const encoding = this.bytes[this.at + 5]! & 15;
    return encoding === UTF16 ? Buffer.byteLength(this.body()!) : this.size - this.headLength;
  }

  /** A copy: nobody's view on a buffer that others read as well. */
  body(): string | Uint8Array | undefined {
    const encoding = this.bytes[this.at + 5]! & 15;
    const end = this.at + RECORD_HEADER + this.size;
    if (encoding === NONE) return undefined;
    if (encoding === BYTES) return copyOf(this.bytes, this.bodyAt, end);
    return decodeText(this.bytes, encoding, this.bodyAt, end);
  }

  /** The same record in memory of its own. */
  copied(): RecordView {
    return new RecordView(copyOf(this.bytes, this.at, this.next));
  }

  /** Whether it lies within a payload that ends at `end`, head and all. */
  fits(end: number): boolean {
    return this.at + RECORD_HEADER <= end && this.next <= end + 3 && this.headLength <= this.size;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Small ones share memory with each other, as Node's buffers do: memory of their own costs more than all else about them. */
function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}

function decodeText(bytes: Buffer, encoding: number, from: number, to: number): string {
  if (encoding === ASCII) return bytes.toString('latin1', from, to);
  return encoding === UTF16 ? bytes.toString('utf16le', from, to) : bytes.toString('utf8', from, to);
}

/** In Node since 20; the language level of the sources is older. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

export function writeU64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value >>> 0, at);
  bytes.writeUInt32LE(Math.floor(value / LARGEST_OFFSET_HIGH), at + 4);
}

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * LARGEST_OFFSET_HIGH;
}
