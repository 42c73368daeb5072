import { encodedBytes, type Encoded } from '../codec.js';
import type { Awaitable, ReadLimit, StoredEntry } from '../storage/storage.js';
import { Buffer } from './buffer.js';
import { Head } from './head.js';
import type { Journal } from './journal.js';
import { OffsetHeap } from './offset-heap.js';
import { SettledSet } from './settled-set.js';

/** The read-ahead window holds at most so many entries and, about, bytes. */
const WINDOW = { entries: 1024, bytes: 4 * 2 ** 20 };
/** One read ahead. */
const READ = { entries: 256, bytes: 2 ** 20 };
/** Returned messages that keep their bodies at hand, and how many are fetched at once when they do not. */
const KEPT = 512;
const FETCHED = 32;

/** What next() says: nothing is ready; it is being read; it is there. */
export const EMPTY = 0;
export const LOADING = 1;
export const READY = 2;
export type Next = typeof EMPTY | typeof LOADING | typeof READY;

/** Who owns the cursor. */
export interface CursorOwner {
  now(): number;
  /** What was being read is there. */
  loaded(): void;
  /** A read failed: nothing is read from this cursor until somebody calls its readAgain(). */
  readFailed(cursor: Cursor, error: unknown): void;
}

/**
 * A position in one log: what is settled, what waits for a time, and what is next.
 *
 *                   ┌── deferred (by due time) ──due──► returned (by offset) ──┐
 *     settle.ts ────┤                                                          ├──► next(), lowest offset first
 *                   └── given back ───────────────────► returned               │
 *     log ──append or read ahead──► window ────────────────────────────────────┘
 *
 * Invariant: an offset below `window.next` is in exactly one place: settled, in the window, deferred, returned, waiting in a key's
 * lane, or in hand. One at or above it is unread, or a delayed message that is deferred or returned already.
 */
export class Cursor {
  readonly log: string;
  /** One after the last entry that consumers may see. */
  end: number;
  readonly settled: SettledSet;
  readonly deferred = new OffsetHeap();
  private readonly returned = new OffsetHeap();
  private readonly window: Buffer;
  /** Bodies of returned messages that were in hand a moment ago, or were fetched. */
  private readonly kept = new Map<number, { readonly head: Head; readonly body: Encoded }>();
  private readonly journal: Journal;
  private readonly owner: CursorOwner;
  /** What lies below came from an earlier run. */
  private readonly boundary: number;
  private reading = false;
  /** Answers of reads that began in an earlier life (before a purge or seek) are ignored. */
  private life = 0;

  /** The candidate that next() found. */
  offset = -1;
  head!: Head;
  body: Encoded;
  failures = 0;
  deliveries = 0;
  alone = false;
  private fromReturned = false;

  constructor(log: string, journal: Journal, owner: CursorOwner, range = { first: 0, next: 0 }) {
    this.log = log;
    this.journal = journal;
    this.owner = owner;
    this.end = range.next;
    this.boundary = range.next;
    this.settled = new SettledSet(range.first);
    this.window = new Buffer(range.first, WINDOW.entries, WINDOW.bytes);
  }

  /** Reads are under way, so that what is ready may not show yet. */
  get loading(): boolean {
    return this.reading;
  }

  /** Something may be ready: cheap, and true more often than next(). */
  get stocked(): boolean {
    return this.window.size > 0 || this.returned.size > 0 || this.window.next < this.end;
  }

  /** An entry became visible at the log's end, ready at once. */
  append(offset: number, head: Head, body: Encoded): void {
    const window = this.window;
    this.end = offset + 1;
    if (window.next === offset && !this.reading && !window.full) {
      window.push(offset, head, body);
      window.next = offset + 1;
    }
  }

  /** An entry became visible at the log's end, not ready before `due`. */
  appendDelayed(offset: number, due: number): void {
    this.end = offset + 1;
    if (this.window.next === offset && !this.reading) this.window.next = offset + 1;
    this.deferred.push(due, offset, 0, 0, false);
  }

  /** Back to its place: now, or when `due`. */
  giveBack(offset: number, failures: number, deliveries: number, alone: boolean, head: Head, body: Encoded): void {
    if (this.kept.size < KEPT) this.kept.set(offset, { head, body });
    this.returned.push(offset, offset, failures, deliveries, alone);
  }

  /** One that waited for its key is next of it. */
  recall(offset: number, failures: number, deliveries: number): void {
    this.returned.push(offset, offset, failures, deliveries, false);
  }

  defer(due: number, offset: number, failures: number, deliveries: number, alone: boolean): void {
    this.deferred.push(due, offset, failures, deliveries, alone);
  }

  /** Moves what is due by `now` to its place; how many. */
  ripen(now: number): number {
    let count = 0;
    for (const deferred = this.deferred; deferred.size > 0 && deferred.rank <= now; count++) {
      this.returned.push(deferred.offset, deferred.offset, deferred.failures, deferred.deliveries, deferred.alone);
      deferred.pop();
    }
    return count;
  }

  /** Looks for the ready entry with the lowest offset. READY: it is in `offset`, `head`, `body`, …, until take(). */
  next(): Next {
    const window = this.window;
    if (this.returned.size > 0) {
      const first = window.size > 0 ? window.offset : window.next < this.end ? window.next : Infinity;
      if (this.returned.offset < first) return this.nextReturned();
    }
    while (window.size === 0) {
      if (window.next >= this.end) return this.returned.size > 0 ? this.nextReturned() : EMPTY;
      if (this.reading) return LOADING;
      this.readAhead();
      if (this.reading) return LOADING;
    }
    this.fromReturned = false;
    this.offset = window.offset;
    this.head = window.head;
    this.body = window.body;
    this.failures = 0;
    this.deliveries = 0;
    this.alone = false;
    return READY;
  }

  /** Takes the candidate out: it is the caller's to place. */
  take(): void {
    if (this.fromReturned) {
      this.returned.pop();
      this.kept.delete(this.offset);
      return;
    }
    const window = this.window;
    window.shift();
    if (window.next < this.end && window.size < READ.entries / 2 && !this.reading) this.readAhead();
  }

  private nextReturned(): Next {
    const { returned } = this;
    let entry = this.kept.get(returned.offset);
    if (entry === undefined) {
      if (!this.reading) this.fetch();
      if (this.reading) return LOADING;
      entry = this.kept.get(returned.offset)!;
    }
    this.fromReturned = true;
    this.offset = returned.offset;
    this.head = entry.head;
    this.body = entry.body;
    this.failures = returned.failures;
    this.deliveries = returned.deliveries;
    this.alone = returned.alone;
    return READY;
  }

  private readAhead(): void {
    const from = this.window.next;
    const end = this.end;
    const limit = { entries: Math.min(READ.entries, end - from), bytes: READ.bytes };
    this.read([from], limit, ([entries]) => this.absorb(entries!, end));
  }

  private absorb(entries: readonly StoredEntry[], end: number): void {
    const window = this.window;
    const now = window.next < this.boundary ? this.owner.now() : 0;
    // An answer without entries says that what there was up to `end` is dropped.
    let next = end;
    for (const { offset, entry } of entries) {
      if (offset >= end) break;
      next = offset + 1;
      if (this.settled.has(offset)) continue;
      const head = headOf(entry);
      const due = head.rare?.due;
      if (due !== undefined) {
        // A delayed message of this run was deferred when it was accepted; one of an earlier run is found here.
        if (offset >= this.boundary) continue;
        if (due > now) {
          this.deferred.push(due, offset, 0, 0, false);
          continue;
        }
      }
      window.push(offset, head, entry.body);
    }
    window.next = next;
  }

  /** Brings back the bodies of returned messages that are next. */
  private fetch(): void {
    const wanted: number[] = [];
    for (const { offset } of this.returned.entries()) {
      if (wanted.length === FETCHED) break;
      if (!this.kept.has(offset)) wanted.push(offset);
    }
    this.read(wanted, { entries: 1, bytes: READ.bytes }, (answers) => {
      answers.forEach(([stored], n) => {
        if (stored?.offset !== wanted[n])
          throw new Error(`offset ${wanted[n]} of log ${this.log} is not settled, and not there`);
        this.kept.set(stored!.offset, { head: headOf(stored!.entry), body: stored!.entry.body });
      });
    });
  }

  /** Reads from each of `offsets`, and uses the answers: at once where the storage has them, else when they come. */
  private read(
    offsets: readonly number[],
    limit: ReadLimit,
    use: (answers: readonly (readonly StoredEntry[])[]) => void,
  ): void {
    const life = this.life;
    const failed = (error: unknown): void => {
      if (life === this.life) this.owner.readFailed(this, error);
    };
    this.reading = true;
    try {
      const answers = offsets.map((offset) => this.journal.read(this.log, offset, limit));
      if (!answers.some(isPromise)) {
        use(answers as (readonly StoredEntry[])[]);
        this.reading = false;
        return;
      }
      Promise.all(answers)
        .then((all) => {
          if (life !== this.life) return;
          use(all);
          this.reading = false;
          this.owner.loaded();
        })
        .catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  /** Entries as they are in the log, whatever became of them. */
  peek(from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]> {
    return this.journal.read(this.log, from, limit);
  }

  /** How often those were tried that wait here and were in hand before. */
  tries(): Map<number, { readonly failures: number; readonly deliveries: number }> {
    const tries = new Map<number, { readonly failures: number; readonly deliveries: number }>();
    for (const heap of [this.returned, this.deferred]) {
      for (const { offset, failures, deliveries } of heap.entries()) {
        if (deliveries > 0) tries.set(offset, { failures, deliveries });
      }
    }
    return tries;
  }

  /** After a read that failed. */
  readAgain(): void {
    this.reading = false;
  }

  /** Forgets everything that is ready or deferred; the caller settles it. What is in hand is not here. */
  forgetWaiting(): void {
    this.life++;
    this.reading = false;
    this.window.clear();
    this.window.next = this.end;
    this.returned.clear();
    this.deferred.clear();
    this.kept.clear();
  }
}

export function headOf(entry: StoredEntry['entry']): Head {
  return Head.from(entry.head, () => encodedBytes(entry.body));
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown }).then === 'function';
}
