import { encodedBytes, type Encoded } from '../../codec.js';
import type { StoredEntry } from '../../storage/storage.js';
import { Head } from '../head.js';

/** A message as its log has it. */
export interface LogEntry {
  readonly head: Head;
  readonly body?: Encoded;
}

/** An entry as a storage gave it back, with its head as the engine knows it: the entry itself from memory. */
export function ownEntry(entry: StoredEntry['entry']): LogEntry {
  return entry.head instanceof Head ? (entry as LogEntry) : { head: ownHead(entry), body: entry.body };
}

/** A message, and where it is in its log. */
export interface LocatedEntry extends StoredEntry {
  readonly entry: LogEntry;
}

/** As ownEntry(), with its place. */
export function ownLocated(stored: StoredEntry): LocatedEntry {
  const entry = ownEntry(stored.entry);
  return entry === stored.entry ? (stored as LocatedEntry) : { offset: stored.offset, entry };
}

export function ownHead({ head, body }: StoredEntry['entry']): Head {
  return head instanceof Head ? head : Head.from(head, encodedBytes(body));
}

const SMALLEST = 16;

/**
 * The read-ahead window of a log: a ring of entries in offset order. What is sent while the window reaches the log's end goes
 * straight in; a backlog is read when its turn comes near. Offsets mostly follow each other, and are counted; only while there are
 * gaps among them each is kept.
 *
 *     log     ─── settled ───┤▒▒▒▒ window ▒▒▒▒├── unread ──────────┤ end
 *                             ▲ offset         ▲ next
 */
export class Buffer {
  size = 0;
  /** Of the first; only while size > 0. */
  offset = 0;
  /** Encoded bytes in the window. */
  bytes = 0;
  /** The first offset that is not read yet. */
  next: number;
  private readonly entries: number;
  private readonly room: number;
  private at = 0;
  private mask = SMALLEST - 1;
  /** Of each, beside the ring, while they have gaps. No typed array: what is read from one that holds numbers of this size is boxed. */
  private offsets: number[] | undefined = undefined;
  private ring: (LogEntry | undefined)[] = new Array<LogEntry | undefined>(SMALLEST).fill(undefined);

  /** Holds at most `entries` (a power of two), and takes nothing more once it holds `bytes`. */
  constructor(next: number, entries: number, bytes: number) {
    this.next = next;
    this.entries = entries;
    this.room = bytes;
  }

  get full(): boolean {
    return this.size === this.entries || this.bytes >= this.room;
  }

  get entry(): LogEntry {
    return this.ring[this.at]!;
  }

  push(offset: number, entry: LogEntry): void {
    if (this.size > this.mask) this.grow();
    const at = (this.at + this.size) & this.mask;
    if (this.size === 0) this.offset = offset;
    else if (this.offsets !== undefined) this.offsets[at] = offset;
    else if (offset !== this.offset + this.size) this.keepOffsets()[at] = offset;
    this.ring[at] = entry;
    this.size++;
    this.bytes += entry.head.size;
  }

  shift(): void {
    const at = this.at;
    this.bytes -= this.ring[at]!.head.size;
    this.ring[at] = undefined;
    this.at = (at + 1) & this.mask;
    this.size--;
    if (this.offsets === undefined) this.offset++;
    else if (this.size > 0) this.offset = this.offsets[this.at]!;
    else this.offsets = undefined;
  }

  clear(): void {
    while (this.size > 0) this.shift();
  }

  /** There is a gap behind what there is. */
  private keepOffsets(): number[] {
    this.offsets = new Array<number>(this.mask + 1).fill(0);
    for (let n = 0; n < this.size; n++) this.offsets[(this.at + n) & this.mask] = this.offset + n;
    return this.offsets;
  }

  private grow(): void {
    const size = this.mask + 1;
    const grown = size * 2;
    const { ring, offsets } = this;
    this.ring = new Array<LogEntry | undefined>(grown).fill(undefined);
    if (offsets !== undefined) this.offsets = new Array<number>(grown).fill(0);
    for (let n = 0; n < size; n++) {
      const from = (this.at + n) & this.mask;
      this.ring[n] = ring[from];
      if (offsets !== undefined) this.offsets![n] = offsets[from]!;
    }
    this.at = 0;
    this.mask = grown - 1;
  }
}
