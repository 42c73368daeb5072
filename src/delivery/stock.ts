import type { Encoded } from '../codec.js';
import type { Agenda, Alarm } from './agenda.js';
import { Books } from './books.js';
import { Cursor, LOADING, READY, type CursorOwner } from './cursor.js';
import type { Head } from './head.js';
import type { Journal, Rider } from './journal.js';
import { KeyLanes, type KeyLane } from './key-lanes.js';
import type { StorageOp } from '../storage/storage.js';

/** A message that was taken out of the stock: in hand, or on its way out. */
export interface Taken {
  readonly cursor: Cursor;
  readonly offset: number;
  readonly head: Head;
  readonly encoded: Encoded;
  readonly failures: number;
  readonly deliveries: number;
  /** Its key's turn, where order is kept by key. */
  turn: KeyLane | undefined;
}

/** Where the changes of a cursor are written down, if anything of it is to last. */
export interface CursorRecord {
  settled(cursor: Cursor, offset: number): void;
  deferred(cursor: Cursor, offset: number, due: number, failures: number, deliveries: number): void;
  /** Deltas no longer tell it: everything has to be written down anew. */
  upset(): void;
  collect(batch: StorageOp[]): void;
}

/** Whose stock it is. */
export interface StockOwner {
  now(): number;
  /** The candidate at `cursor` is past its time: take it out, and bury it. */
  expired(cursor: Cursor): void;
  /** Something became ready: call somebody to take it. */
  restocked(): void;
  /** What was being read is there. */
  loaded(): void;
  /** There is room again for those who wait to send. */
  relieved(): void;
  /** There is more to look at, once the event loop has turned. */
  postpone(): void;
  report(error: unknown): void;
  /** A process should stay alive for what is due here. */
  readonly vital: boolean;
  /** Nobody gets anything: heads do not expire by themselves. */
  readonly paused: boolean;
}

/** After a read that failed, ms. */
const READ_AGAIN = 1000;
/** Messages passed over (expired, or waiting for their key) before the event loop gets a turn. */
const PASSED_OVER = 1000;
/** Settled offsets of a log in memory that are dropped together. */
const DROPPED_TOGETHER = 256;

/**
 * What one queue or group has that is not in hand: a cursor for each of its logs, the order among them, and the books.
 * Messages come in by arrive() and giveBack(), and go out by next() and take(); settle() is the end of each.
 */
export class Stock implements CursorOwner, Rider {
  /** By priority level, or by partition. */
  readonly cursors: Cursor[] = [];
  readonly books = new Books();
  lanes: KeyLanes | undefined;
  /** For every message that has no shorter one, ms. */
  ttl: number | undefined;
  record: CursorRecord | undefined;
  /** Of the candidate that next() found: its key's turn, where order is kept by key. */
  turn: KeyLane | undefined;
  /** Something here has a ttl, so that heads are watched. */
  private mortal = false;
  private journal!: Journal;
  private readonly owner: StockOwner;
  private readonly dues: Alarm;
  private readonly expiry: Alarm;
  private readonly readAgain: Alarm;
  /** Settled, and not dropped from the log yet. */
  private undropped = 0;
  /** Those who wait for a read. */
  private readers: (() => void)[] = [];
  /** A message with ttl 0 that somebody waits for is handed over, though it expires at once. */
  private readonly handedOver = new Set<Head>();

  constructor(agenda: Agenda, owner: StockOwner) {
    this.owner = owner;
    this.dues = agenda.alarm(() => this.ripen());
    this.expiry = agenda.alarm(() => this.expireHeads());
    this.readAgain = agenda.alarm(() => {
      for (const cursor of this.cursors) cursor.readAgain();
      owner.restocked();
    });
  }

  /** Goes on in another journal, with no logs yet. For an empty stock. */
  restart(journal: Journal): void {
    this.journal = journal;
    this.cursors.length = 0;
  }

  open(log: string): void {
    this.cursors.push(new Cursor(log, this.journal, this));
  }

  /** Sets how what waits is ordered, and for how long it is kept. */
  arrange(ordered: boolean, ttl: number | undefined): void {
    if (ordered !== (this.lanes !== undefined)) this.lanes = ordered ? new KeyLanes() : undefined;
    this.ttl = ttl;
    if (ttl !== undefined) this.mortal = true;
    this.watchHeads();
  }

  now(): number {
    return this.owner.now();
  }

  /** Something may be ready. */
  get stocked(): boolean {
    const { cursors } = this;
    for (let n = 0; n < cursors.length; n++) if (cursors[n]!.stocked) return true;
    return false;
  }
  get loading(): boolean {
    return this.cursors.some((cursor) => cursor.loading);
  }

  /** An entry became visible at the end of a log. `awaited`: somebody waits for it, and there is nothing before it. */
  arrive(cursor: Cursor, offset: number, head: Head, body: Encoded, awaited: boolean): void {
    const { books } = this;
    const extra = head.rare;
    books.accepted++;
    books.bytes += head.size;
    if (extra !== undefined) {
      if (extra.expires !== undefined) this.mortal = true;
      if (extra.due !== undefined && extra.due > this.now()) {
        books.delayed++;
        cursor.appendDelayed(offset, extra.due);
        this.watchDues();
        return;
      }
    }
    books.ready++;
    cursor.append(offset, head, body);
    if (this.mortal) {
      if (awaited && this.expiresAt(head) <= this.now()) this.handedOver.add(head);
      this.watchHeads();
    }
  }

  /** When a message expires: its own ttl or its queue's, whichever is sooner, from when it came or was due. */
  expiresAt(head: Head): number {
    const own = head.rare?.expires ?? Infinity;
    return this.ttl === undefined ? own : Math.min(own, (head.rare?.due ?? head.arrived) + this.ttl);
  }

  /**
   * Finds the message that is next for `run` (a batch, or a token of one message): highest level first, then lowest
   * offset, of each key one. It stays where it is until take(). undefined: none, or none yet.
   */
  next(run: object, single: boolean): Cursor | undefined {
    this.turn = undefined;
    for (let level = this.cursors.length - 1, passed = 0; level >= 0; level--) {
      const cursor = this.cursors[level]!;
      for (;;) {
        const found = cursor.next();
        if (found !== READY) {
          if (found === LOADING) return undefined;
          break;
        }
        if (this.mortal && this.expiresAt(cursor.head) <= this.now() && !this.handedOver.delete(cursor.head)) {
          this.owner.expired(cursor);
        } else if (!single && cursor.alone) {
          return undefined;
        } else if (this.lanes === undefined || cursor.head.key === undefined) {
          return cursor;
        } else {
          this.turn = this.lanes.admit(cursor.head.key, cursor.offset, run);
          if (this.turn !== undefined) return cursor;
          cursor.take();
          this.lanes.wait(cursor.head.key, cursor.offset, cursor);
        }
        if (++passed === PASSED_OVER) {
          this.owner.postpone();
          return undefined;
        }
      }
    }
    return undefined;
  }

  /** The cursor whose candidate is the oldest ready message of the lowest level that has one. undefined: none, or none yet. */
  oldest(): Cursor | undefined {
    for (const cursor of this.cursors) {
      const found = cursor.next();
      const waiting = this.lanes?.takeOldest(found === READY ? cursor.offset : Infinity) ?? -1;
      if (waiting >= 0) cursor.recall(waiting, 0, 0);
      if (waiting >= 0 ? cursor.next() === READY : found === READY) return cursor;
      if (found === LOADING) return undefined;
    }
    return undefined;
  }

  /** When the message came that is next in the oldest of the logs; undefined where nothing is ready, or it is not read yet. */
  oldestTime(): number | undefined {
    let oldest: number | undefined;
    for (const cursor of this.cursors) {
      if (cursor.next() === READY) oldest = Math.min(oldest ?? Infinity, cursor.head.arrived);
    }
    return oldest;
  }

  /** Takes the candidate out; the caller knows it by now: what `cursor` says of it may be gone. */
  take(cursor: Cursor): void {
    const { books } = this;
    cursor.take();
    books.ready--;
    books.bytes -= cursor.head.size;
    books.unacked++;
    if (this.mortal) this.watchHeads();
  }

  /** Takes the candidate out, to be moved or dropped. Nobody had it in hand. */
  withdraw(cursor: Cursor): Taken {
    const { offset, head, body, failures, deliveries } = cursor;
    this.take(cursor);
    return { cursor, offset, head, encoded: body, failures, deliveries, turn: undefined };
  }

  /** A taken message goes back: to its place after `delay` ms (0: now). */
  giveBack(taken: Taken, failures: number, deliveries: number, delay: number, alone: boolean): void {
    const { books } = this;
    const { cursor, offset, head } = taken;
    if (taken.turn !== undefined) this.lanes!.givenBack(taken.turn, offset);
    books.unacked--;
    books.bytes += head.size;
    if (delay <= 0) {
      books.ready++;
      this.record?.deferred(cursor, offset, 0, failures, deliveries);
      cursor.giveBack(offset, failures, deliveries, alone, head, taken.encoded);
      this.owner.restocked();
    } else {
      const due = this.now() + delay;
      books.delayed++;
      this.record?.deferred(cursor, offset, due, failures, deliveries);
      cursor.defer(due, offset, failures, deliveries, alone);
      this.watchDues();
    }
    this.touch();
  }

  /** A taken message is about to be appended elsewhere: the same write says that it is settled here. */
  depart(taken: Taken): void {
    if (this.record === undefined) return;
    this.record.settled(taken.cursor, taken.offset);
    this.touch();
  }

  /** A taken message is gone from here for good. The caller counts what it became. `written`: depart() said so. */
  settle(taken: Taken, written: boolean): void {
    const { cursor, offset } = taken;
    this.books.unacked--;
    cursor.settled.add(offset);
    if (this.record !== undefined && !written) this.record.settled(cursor, offset);
    if (this.lanes !== undefined && taken.head.key !== undefined) {
      const next = taken.turn !== undefined ? this.lanes.settled(taken.turn) : this.lanes.gone(taken.head.key, offset);
      if (next >= 0) this.recall(cursor, next);
    }
    if (++this.undropped === DROPPED_TOGETHER && this.record === undefined) this.drop();
    else if (this.undropped === 1 || this.record !== undefined) this.touch();
  }

  private recall(cursor: Cursor, offset: number): void {
    const { failures, deliveries } = this.lanes!.triesOf(offset);
    cursor.recall(offset, failures, deliveries);
    this.owner.restocked();
  }

  /** Removes all that is ready or delayed; how many. `inHand`: what is not here. */
  purge(inHand: Iterable<Taken>): number {
    const { books } = this;
    const count = books.ready + books.delayed;
    const kept = new Map(this.cursors.map((cursor) => [cursor, new Set<number>()]));
    for (const { cursor, offset } of inHand) kept.get(cursor)!.add(offset);
    for (const cursor of this.cursors) {
      cursor.forgetWaiting();
      let from = cursor.settled.low;
      for (const offset of [...kept.get(cursor)!].sort((a, b) => a - b)) {
        cursor.settled.addRange(from, offset);
        from = offset + 1;
      }
      cursor.settled.addRange(from, cursor.end);
    }
    this.lanes?.forgetWaiting();
    this.handedOver.clear();
    this.record?.upset();
    books.ready = 0;
    books.delayed = 0;
    books.bytes = 0;
    this.undropped += count;
    this.touch();
    this.owner.relieved();
    return count;
  }

  /** Says what is due: after consumers came or went, since a process stays alive for it only while there are any. */
  watchDues(): void {
    let due = Infinity;
    for (const { deferred } of this.cursors) if (deferred.size > 0 && deferred.rank < due) due = deferred.rank;
    this.dues.set(due, this.owner.vital);
  }

  private ripen(): void {
    const now = this.now();
    let count = 0;
    for (const cursor of this.cursors) count += cursor.ripen(now);
    this.books.delayed -= count;
    this.books.ready += count;
    this.watchDues();
    if (count === 0) return;
    if (this.mortal) this.watchHeads();
    this.owner.restocked();
  }

  /** The head of a queue that nobody reads expires by itself. */
  watchHeads(): void {
    if (!this.mortal || this.owner.paused) return this.expiry.clear();
    let due = Infinity;
    for (const cursor of this.cursors) {
      if (cursor.next() === READY) due = Math.min(due, this.expiresAt(cursor.head));
    }
    this.expiry.set(due);
  }

  private expireHeads(): void {
    const now = this.now();
    let passed = 0;
    for (const cursor of this.owner.paused ? [] : this.cursors) {
      while (cursor.next() === READY && this.expiresAt(cursor.head) <= now && passed++ < PASSED_OVER) {
        this.owner.expired(cursor);
      }
    }
    this.watchHeads();
  }

  loaded(): void {
    if (this.mortal) this.watchHeads();
    const waiting = this.readers;
    this.readers = [];
    for (const resolve of waiting) resolve();
    this.owner.loaded();
  }

  /** Resolves when what is being read is there. */
  whenLoaded(): Promise<void> {
    return new Promise((resolve) => this.readers.push(resolve));
  }

  readFailed(_cursor: Cursor, error: unknown): void {
    this.owner.report(error);
    this.readAgain.set(this.now() + READ_AGAIN, this.owner.vital);
  }

  private touch(): void {
    this.journal.touch(this);
  }

  private drop(): void {
    const batch: StorageOp[] = [];
    this.collect(batch);
    try {
      const done = this.journal.write(batch);
      if (done !== undefined) done.catch((error: unknown) => this.failedToDrop(error));
    } catch (error) {
      this.failedToDrop(error);
    }
  }

  private failedToDrop(error: unknown): void {
    this.recollect();
    this.owner.report(error);
  }

  collect(batch: StorageOp[]): void {
    this.undropped = 0;
    for (const cursor of this.cursors) {
      for (const { from, to } of cursor.settled.takeDrops()) batch.push({ type: 'drop', log: cursor.log, from, to });
    }
    this.record?.collect(batch);
  }

  recollect(): void {
    for (const cursor of this.cursors) cursor.settled.forgetDrops();
    this.record?.upset();
  }

  close(): void {
    this.dues.clear();
    this.expiry.clear();
    this.readAgain.clear();
    for (const resolve of this.readers) resolve();
    this.readers = [];
  }
}
