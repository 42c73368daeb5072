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
  const { head, body } = entry;
  if (head instanceof Head) return entry as LogEntry;
  return { head: Head.from(head, () => encodedBytes(body)), body };
}

const SMALLEST = 16;

/**
 * The read-ahead window of a log: a ring of entries in offset order, in columns. What is sent while the window reaches
 * the log's end goes straight in; a backlog is read when its turn comes near.
 *
 *     log     ─── settled ───┤▒▒▒▒ window ▒▒▒▒├── unread ──────────┤ end
 *                             ▲ first          ▲ next
 */
export class Buffer {
  size = 0;
  /** Encoded bytes in the window. */
  bytes = 0;
  /** The first offset that is not read yet. */
  next: number;
  private readonly entries: number;
  private readonly room: number;
  private at = 0;
  private mask = SMALLEST - 1;
  /** No typed array: what is read from one that holds numbers of this size is boxed. */
  private offsets: number[] = new Array<number>(SMALLEST).fill(0);
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

  /** Offset of the first; only while size > 0. */
  get offset(): number {
    return this.offsets[this.at]!;
  }
  get entry(): LogEntry {
    return this.ring[this.at]!;
  }

  push(offset: number, entry: LogEntry): void {
    if (this.size > this.mask) this.grow();
    const at = (this.at + this.size) & this.mask;
    this.offsets[at] = offset;
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
  }

  clear(): void {
    while (this.size > 0) this.shift();
  }

  private grow(): void {
    const size = this.mask + 1;
    const offsets = new Array<number>(size * 2).fill(0);
    const ring = new Array<LogEntry | undefined>(size * 2).fill(undefined);
    for (let n = 0; n < size; n++) {
      const from = (this.at + n) & this.mask;
      offsets[n] = this.offsets[from]!;
      ring[n] = this.ring[from];
    }
    this.offsets = offsets;
    this.ring = ring;
    this.at = 0;
    this.mask = size * 2 - 1;
  }
}
