import type { LogRange, StoredEntry } from '../../storage/storage.js';
import { Buffer, ownEntry, type LogEntry } from './buffer.js';
import type { Head } from '../head.js';
import type { Journal } from '../journal.js';
import type { KeyLanes } from '../order/key-lanes.js';
import { LogReader, type ReaderOwner } from './log-reader.js';
import { EMPTY, LOADING, READY, type Next } from './next.js';
import { Returns, type Return } from './returns.js';
import { SettledSet } from './settled-set.js';
import type { Tries } from './tries.js';

/** The read-ahead window holds at most so many entries and, about, bytes. */
const WINDOW = { entries: 1024, bytes: 4 * 2 ** 20 };
/** One read ahead. */
const READ = { entries: 256, bytes: 2 ** 20 };
/** Where a cursor begins in its log. */
export interface Start {
  readonly position: number;
  /** What lies below came from an earlier run. */
  readonly boundary: number;
}

/** Who owns the cursor. */
export interface CursorOwner extends ReaderOwner {
  now(): number;
  /** Reading what an earlier run left: a delayed message that nobody knew of, and one that was not to outlive that run. */
  foundDelayed(): void;
  foundTransient(cursor: Cursor, offset: number, size: number): void;
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
  /** Its priority level, or partition. */
  readonly number: number;
  /** Keeps the order, where there is one. */
  lanes: KeyLanes | undefined;
  /** Messages of it that were taken and are neither settled nor given back. */
  out = 0;
  /** Somebody waits for the last of them. */
  awaited = false;
  /** Another cursor has taken its place: what is out of this one is nobody's business any more. */
  fenced = false;
  /** One after the last entry that consumers may see. What an arrival leads to at once may come in before the rest of its write. */
  end: number;
  settled: SettledSet;
  readonly reader: LogReader;
  readonly returned = new Returns();
  private readonly window: Buffer;
  private readonly owner: CursorOwner;
  readonly boundary: number;
  /** Of what lies below that, what is deferred or returned ahead of the window. */
  private readonly elsewhere = new Set<number>();
  /** The candidate is a returned message, not the window's first. */
  private returning = false;

  constructor(
    log: string,
    number: number,
    journal: Journal,
    owner: CursorOwner,
    range: LogRange,
    start: Start = { position: range.first, boundary: range.next },
  ) {
    this.log = log;
    this.number = number;
    this.owner = owner;
    this.end = range.next;
    this.boundary = start.boundary;
    this.settled = new SettledSet(start.position);
    this.window = new Buffer(start.position, WINDOW.entries, WINDOW.bytes);
    this.reader = new LogReader(log, journal, owner);
  }

  /** It has entries that are not settled. */
  get holds(): boolean {
    return this.settled.low < this.end;
  }

  /** Something may be ready: cheap, and true more often than next(). */
  get stocked(): boolean {
    return this.window.size > 0 || this.returned.size > 0 || this.window.next < this.end;
  }

  /** An entry became visible at the log's end, ready at once. */
  append(offset: number, entry: LogEntry): void {
    const window = this.window;
    if (offset >= this.end) this.end = offset + 1;
    if (window.next === offset && !this.reader.busy && !window.full) {
      window.push(offset, entry);
      window.next = offset + 1;
    } else if (entry.head.rare?.due !== undefined) {
      // Its time was over when it came. Reading passes over what has one: that was deferred.
      this.returned.giveBack(offset, 0, 0, false, entry);
    }
  }

  /** An entry became visible at the log's end, not ready before `due`. */
  appendDelayed(offset: number, due: number): void {
    if (offset >= this.end) this.end = offset + 1;
    if (this.window.next === offset && !this.reader.busy) this.window.next = offset + 1;
    this.returned.deferred.push(due, offset, 0, 0, false);
  }

  /** Back to its place, now. */
  giveBack(offset: number, failures: number, deliveries: number, alone: boolean, entry: LogEntry): void {
    this.returned.giveBack(offset, failures, deliveries, alone, entry);
  }

  /** Back to its place, when it is due. */
  defer(due: number, offset: number, failures: number, deliveries: number, alone: boolean): void {
    this.returned.deferred.push(due, offset, failures, deliveries, alone);
  }

  /** Back to its place, now: one that waited for its key, and is next of it. */
  recall(offset: number, { failures, deliveries, alone }: Tries): void {
    this.returned.push(offset, failures, deliveries, alone);
  }

  /** A settled one is to be delivered once more, as new. false: it is about to be delivered in any case. */
  revive(offset: number): boolean {
    const { revived } = this.returned;
    if (!this.settled.has(offset) || revived.has(offset)) return false;
    revived.add(offset);
    this.returned.push(offset, 0, 0, false);
    return true;
  }

  /** It is done. What was done before was delivered once more. */
  settle(offset: number): void {
    if (!this.settled.add(offset)) this.returned.revived.delete(offset);
  }

  /** Looks for the ready entry with the lowest offset. READY: `offset`, `entry` and the others tell of it, until take(). */
  next(): Next {
    const { window, returned } = this;
    if (returned.size > 0) {
      const first = window.size > 0 ? window.offset : window.next < this.end ? window.next : Infinity;
      if (returned.heap.offset < first) return this.nextReturned();
    }
    this.returning = false;
    while (window.size === 0) {
      if (window.next >= this.end) return returned.size > 0 ? this.nextReturned() : EMPTY;
      if (!this.reader.busy) this.readAhead();
      if (this.reader.busy) return LOADING;
    }
    return READY;
  }

  private nextReturned(): Next {
    this.returning = true;
    if (this.returned.entry === undefined) {
      if (!this.reader.busy) this.fetch();
      return this.reader.busy ? LOADING : this.next();
    }
    return READY;
  }

  get offset(): number {
    return this.returning ? this.returned.heap.offset : this.window.offset;
  }
  get entry(): LogEntry {
    return this.returning ? this.returned.entry! : this.window.entry;
  }
  get head(): Head {
    return this.entry.head;
  }
  get failures(): number {
    return this.returning ? this.returned.heap.failures : 0;
  }
  get deliveries(): number {
    return this.returning ? this.returned.heap.deliveries : 0;
  }
  get alone(): boolean {
    return this.returning && this.returned.heap.alone;
  }
  get outOfOrder(): number {
    return this.settled.above + this.returned.deferred.size + this.returned.size;
  }

  /** Takes the candidate out: it is the caller's to place. Nothing tells of it any more. */
  take(): void {
    const { window } = this;
    if (this.returning) return this.returned.shift();
    window.shift();
    if (window.next < this.end && window.size < READ.entries / 2 && !this.reader.busy) this.readAhead();
  }

  private readAhead(): void {
    const from = this.window.next;
    const end = this.end;
    const limit = { entries: Math.min(READ.entries, end - from), bytes: READ.bytes };
    this.reader.read([from], limit, ([entries]) => this.absorb(entries!, end));
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
      if (this.elsewhere.size > 0 && this.elsewhere.delete(offset)) continue;
      const own = ownEntry(entry);
      const extra = own.head.rare;
      // A delayed message of this run was deferred when it was accepted; one of an earlier run is found here.
      if (extra?.due !== undefined && offset >= this.boundary) continue;
      if (extra?.transient === true && offset < this.boundary) {
        this.forgetTransient(offset, own.head.size);
      } else if (extra?.due !== undefined && extra.due > now) {
        this.returned.deferred.push(extra.due, offset, 0, 0, false);
        this.owner.foundDelayed();
      } else {
        window.push(offset, own);
      }
    }
    window.next = next;
  }

  /** Brings back the entries of returned messages that are next. */
  private fetch(): void {
    const wanted = this.returned.wanted();
    this.reader.read(wanted, { entries: 1, bytes: READ.bytes }, (answers) => {
      this.returned.fetched(this.log, wanted, answers);
      for (const { offset, head } of this.returned.takeTransient(wanted, this.boundary)) {
        const key = this.lanes?.keyOf(head);
        const next = key === undefined ? -1 : this.lanes!.gone(key, offset);
        this.forgetTransient(offset, head.size);
        if (next >= 0) this.recall(next, this.lanes!.triesOf(next));
      }
    });
  }

  /** It was not to outlive the run before. */
  private forgetTransient(offset: number, size: number): void {
    this.settle(offset);
    this.owner.foundTransient(this, offset, size);
  }

  /** As an earlier run left it: what was settled, what was deferred (due by now: back at its place), and what is `taken` elsewhere. Before anything else. */
  restore(
    settled: SettledSet,
    deferred: Iterable<Tries & { offset: number; due: number }>,
    taken: Iterable<number>,
  ): void {
    // Somebody may have looked for what expires.
    this.forgetWaiting();
    this.settled = settled;
    this.window.next = settled.low;
    for (const { offset, due, failures, deliveries, alone } of deferred) {
      if (settled.has(offset)) this.returned.revived.add(offset);
      if (offset >= settled.low) this.elsewhere.add(offset);
      if (due > this.owner.now()) this.returned.deferred.push(due, offset, failures, deliveries, alone);
      else this.returned.push(offset, failures, deliveries, alone);
    }
    for (const offset of taken) this.elsewhere.add(offset);
  }

  /** What is deferred, and what was given back or is to be delivered once more. */
  waiting(): Iterable<Return> {
    return this.returned.waiting(this.lanes);
  }

  /** It knows of something below `first`. */
  behind(first: number): boolean {
    return this.settled.low < first || Math.min(this.returned.heap.lowest(), this.returned.deferred.lowest()) < first;
  }

  /** Everything below `first` is gone from the log; how many of those were neither settled nor out. Nothing below is out. */
  overtake(first: number): number {
    this.reader.forget();
    const { window, lanes, settled } = this;
    const missed = settled.addRange(settled.low, first);
    while (window.size > 0 && window.offset < first) window.shift();
    if (window.next < first) window.next = first;
    this.returned.forgetBelow(first);
    for (const offset of lanes?.forgetBelow(first) ?? []) this.recall(offset, lanes!.triesOf(offset));
    return missed;
  }

  /** Forgets everything that is ready or deferred; the caller settles it. What is in hand is not here. */
  forgetWaiting(): void {
    this.reader.forget();
    this.window.clear();
    this.window.next = this.end;
    this.returned.clear();
  }
}
