import type { Awaitable, LogRange, OpenLog, ReadLimit, StoredEntry } from '../../storage/storage.js';
import { ownHead } from '../cursor/buffer.js';
import type { Head } from '../head.js';
import type { Journal } from '../journal.js';

/** The first message there is, the end, the first that came at a date or later, or an offset. */
export type Position = 'earliest' | 'latest' | Date | number;

/** What retention, or who reads without a group, reads ahead: of all partitions together, and of one. */
const AHEAD = { entries: 4096, bytes: 2 * 2 ** 20 };
const AHEAD_OF_ONE = { entries: 128, bytes: 2 ** 20 };

/**
 * How much is read ahead of each of so many partitions. What came at the same time lies together in a storage: little of each is read
 * there once, much of each again and again.
 */
export function shareOf(partitions: number): ReadLimit {
  return {
    entries: Math.min(AHEAD_OF_ONE.entries, Math.ceil(AHEAD.entries / partitions)),
    bytes: Math.min(AHEAD_OF_ONE.bytes, Math.ceil(AHEAD.bytes / partitions)),
  };
}

/**
 * One log of a topic, and what is left of it.
 *
 *     ░░░░ dropped ░░░░│▒▒▒▒▒▒▒▒▒▒ kept ▒▒▒▒▒▒▒▒▒▒│
 *                      ▲ first        ▲ boundary  ▲ next
 */
export class Partition {
  readonly number: number;
  readonly log: string;
  first: number;
  next: number;
  /** What lies below came from an earlier run. */
  readonly boundary: number;
  /** Its log, where that takes messages at once. */
  openLog: OpenLog | undefined;
  /** Encoded bytes of what is kept. */
  bytes = 0;
  private journal: Journal;

  constructor(number: number, log: string, journal: Journal, range: LogRange) {
    this.number = number;
    this.log = log;
    this.journal = journal;
    this.openLog = journal.openLog(log);
    this.first = range.first;
    this.next = range.next;
    this.boundary = range.next;
  }

  /** Goes on in another journal. For one that nothing ever came into. */
  restart(journal: Journal): void {
    this.journal = journal;
    this.openLog = journal.openLog(this.log);
  }

  get range(): LogRange {
    return { first: this.first, next: this.next };
  }

  get size(): number {
    return this.next - this.first;
  }

  append(offset: number, size: number): void {
    // A listener may have published more before the rest of a write was told.
    if (offset >= this.next) this.next = offset + 1;
    this.bytes += size;
  }

  /** Entries from an offset on, as the log has them. */
  read(from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]> {
    return this.journal.read(this.log, from, limit);
  }

  /** Whether this entry is gone with an earlier run: it was not to outlive it. */
  isGone(offset: number, head: Head): boolean {
    return offset < this.boundary && head.isTransient;
  }

  /** The offset, or the nearest there is. */
  clamp(offset: number): number {
    return Math.min(Math.max(offset, this.first), this.next);
  }

  /** The offset of a position. */
  locate(position: Position): Awaitable<number> {
    if (typeof position === 'number') return this.clamp(position);
    if (position === 'earliest') return this.first;
    return position === 'latest' ? this.next : this.at(position.getTime());
  }

  /** The first offset that came at `time` or later: the end, where nothing did. Logs are in order of time, so it is halved. */
  private at(time: number): Awaitable<number> {
    return this.between(this.first, this.next, time);
  }

  private between(low: number, high: number, time: number): Awaitable<number> {
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const found = this.read(middle, { entries: 1, bytes: 1 });
      if (found instanceof Promise) {
        const [from, to] = [low, high];
        return found.then((entries) => this.between(...halved(entries[0], from, middle, to, time), time));
      }
      [low, high] = halved(found[0], low, middle, high, time);
    }
    return low;
  }
}

/** The half of low … high in which the first entry at `time` or later is; `entry` is the first at `middle` or after. */
function halved(
  entry: StoredEntry | undefined,
  low: number,
  middle: number,
  high: number,
  time: number,
): [low: number, high: number] {
  if (entry === undefined || entry.offset >= high) return [low, middle];
  return ownHead(entry.entry).arrived < time ? [entry.offset + 1, high] : [low, middle];
}
