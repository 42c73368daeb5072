import type { Agenda } from './agenda.js';
import { Books, type Moved } from './books.js';
import type { LogEntry } from './buffer.js';
import { Cursor, LOADING, READY, UNTRIED, type CursorOwner, type Next } from './cursor.js';
import { Expiry, type ExpiryOwner } from './expiry.js';
import { Dues } from './dues.js';
import { Drops } from './drops.js';
import type { Journal } from './journal.js';
import { KeyLanes, type KeyLane } from './key-lanes.js';
import type { LogReader } from './log-reader.js';
import { Reads } from './reads.js';
import type { LogRange } from '../storage/storage.js';
import type { CursorRecord, StockOwner } from './stock-owner.js';
import type { Taken } from './taken.js';

/** Messages passed over (expired, or waiting for their key) before the event loop gets a turn. */
const PASSED_OVER = 1000;

/**
 * What one queue or group has that is not in hand: a cursor for each of its logs, the order among them, and the books.
 * Messages come in by arrive() and giveBack(), and go out by next() and take(); settle() is the end of each.
 */
export class Stock implements CursorOwner, ExpiryOwner {
  /** By priority level, or by partition. */
  readonly cursors: Cursor[] = [];
  readonly books = new Books();
  readonly expiry: Expiry;
  lanes: KeyLanes | undefined;
  /** Of the candidate that next() found: its key's turn, where order is kept by key. */
  turn: KeyLane | undefined;
  /** What is next comes by itself: no batch that has begun goes on. */
  metAlone = false;
  private journal!: Journal;
  readonly owner: StockOwner;
  private readonly dues: Dues;
  readonly reads: Reads;
  private readonly drops: Drops;

  constructor(agenda: Agenda, owner: StockOwner) {
    this.owner = owner;
    this.expiry = new Expiry(agenda, this);
    this.dues = new Dues(agenda, this);
    this.reads = new Reads(agenda, this);
    this.drops = new Drops(this.cursors, (error) => owner.report(error));
  }

  /** Goes on in another journal, with no logs yet. For an empty stock. `record`: the log of its cursors, where they last. */
  restart(journal: Journal, record: CursorRecord | undefined): void {
    this.journal = journal;
    this.drops.restart(journal, record);
    this.cursors.length = 0;
  }

  /** The next log, as the storage has it. */
  open(log: string, range: LogRange): void {
    this.cursors.push(new Cursor(log, this.journal, this, range));
  }

  foundDelayed(): void {
    this.books.ready--;
    this.books.delayed++;
    this.watchDues();
  }

  foundTransient(size: number): void {
    this.books.ready--;
    this.books.bytes -= size;
    this.books.dropped++;
  }

  /** Sets how what waits is ordered. */
  arrange(byKey: boolean): void {
    if (byKey !== (this.lanes !== undefined)) this.lanes = byKey ? new KeyLanes() : undefined;
  }

  now(): number {
    return this.owner.now();
  }
  get paused(): boolean {
    return this.owner.paused;
  }
  expired(cursor: Cursor): void {
    this.owner.expired(cursor);
  }

  /** Something may be ready. */
  get stocked(): boolean {
    const { cursors } = this;
    for (let n = 0; n < cursors.length; n++) if (cursors[n]!.stocked) return true;
    return false;
  }
  get loading(): boolean {
    return this.cursors.some(({ reader }) => reader.busy);
  }

  /** An entry became visible at the end of a log. `awaited`: somebody waits for it, and there is nothing before it. */
  arrive(cursor: Cursor, offset: number, entry: LogEntry, awaited: boolean): void {
    const { books, expiry } = this;
    const { head } = entry;
    const extra = head.rare;
    books.accepted++;
    books.bytes += head.size;
    if (extra !== undefined) {
      if (extra.expires !== undefined) expiry.mortal = true;
      if (extra.due !== undefined && extra.due > this.now()) {
        books.delayed++;
        cursor.appendDelayed(offset, extra.due);
        this.drops.arrived(cursor, offset, extra.due);
        this.watchDues();
        return;
      }
    }
    books.ready++;
    cursor.append(offset, entry);
    this.drops.arrived(cursor, offset, undefined);
    if (expiry.mortal) {
      expiry.came(head, awaited);
      expiry.watch();
    }
  }

  /**
   * Finds the message that is next for `run` (a batch, or a token of one message): highest level first, then lowest
   * offset, of each key one. It stays where it is until take(). undefined: none, or none yet.
   */
  next(run: object, single: boolean): Cursor | undefined {
    const { cursors } = this;
    for (let level = cursors.length - 1; level >= 0; level--) {
      const found = this.nextOf(cursors[level]!, run, single);
      if (found === READY) return cursors[level];
      if (found === LOADING) return undefined;
    }
    return undefined;
  }

  /** As next(), of one log. LOADING: it is being read, or there is too much to pass over in one turn. */
  nextOf(cursor: Cursor, run: object, single: boolean): Next {
    const { lanes, expiry } = this;
    this.turn = undefined;
    this.metAlone = false;
    for (let passed = 0; passed < PASSED_OVER; passed++) {
      const found = cursor.next();
      if (found !== READY) return found;
      if (expiry.mortal && expiry.over(cursor.head)) {
        this.owner.expired(cursor);
        continue;
      }
      // It comes by itself: a batch that has begun ends here.
      if (!single && cursor.alone) {
        this.metAlone = true;
        return LOADING;
      }
      const { key } = cursor.head;
      if (lanes === undefined || key === undefined) return READY;
      this.turn = lanes.admit(key, cursor.offset, run);
      if (this.turn !== undefined) return READY;
      lanes.wait(key, cursor.offset, cursor);
      cursor.take();
    }
    this.owner.postpone();
    return LOADING;
  }

  /** A batch that took a message may go on with the next of its key. Once it is out, since the next may be older. */
  goOn(cursor: Cursor, turn: KeyLane): void {
    this.recall(cursor, this.lanes!.next(turn), this.lanes!);
  }

  /** The candidate that nextOf() found stays where it is. */
  leave(cursor: Cursor): void {
    if (this.turn !== undefined) this.lanes!.givenBack(this.turn, cursor.offset);
    this.turn = undefined;
  }

  /** Takes the candidate out; the caller knows it by now: nothing tells of it any more. */
  take(cursor: Cursor, size: number): void {
    const { books } = this;
    cursor.take();
    books.ready--;
    books.bytes -= size;
    books.unacked++;
    if (this.expiry.mortal) this.expiry.watch();
  }

  /** Takes the candidate out, to be moved or dropped. Nobody had it in hand. */
  withdraw(cursor: Cursor, turn?: KeyLane): Taken {
    const { offset, entry, failures, deliveries } = cursor;
    this.take(cursor, entry.head.size);
    return { cursor, offset, entry, failures, deliveries, turn };
  }

  /** A taken message goes back: to its place after `delay` ms (0: now). */
  giveBack(taken: Taken, failures: number, deliveries: number, delay: number, alone: boolean): void {
    const { books } = this;
    const { cursor, offset, entry } = taken;
    if (taken.turn !== undefined) this.lanes!.givenBack(taken.turn, offset);
    books.unacked--;
    books.bytes += entry.head.size;
    if (delay <= 0) {
      books.ready++;
      this.drops.deferred(cursor, offset, 0, failures, deliveries);
      cursor.giveBack(offset, failures, deliveries, alone, entry);
      this.expiry.watch();
      this.owner.restocked();
    } else {
      const due = this.now() + delay;
      books.delayed++;
      this.drops.deferred(cursor, offset, due, failures, deliveries);
      cursor.defer(due, offset, failures, deliveries, alone);
      this.watchDues();
    }
  }

  /** A taken message is about to be appended elsewhere: the same write says that it is settled here. */
  depart({ cursor, offset }: Taken, as: Moved): void {
    this.drops.departs(cursor, offset, as);
  }

  /** A taken message is gone from here for good. The caller counts what it became. */
  settle(taken: Taken): void {
    const { cursor, offset } = taken;
    this.books.unacked--;
    cursor.settled.add(offset);
    if (this.lanes !== undefined) this.passTurn(taken, this.lanes);
    this.drops.settled(cursor, offset);
  }

  private passTurn({ cursor, offset, entry, turn }: Taken, lanes: KeyLanes): void {
    const { key } = entry.head;
    if (key === undefined) return;
    const next = turn !== undefined ? lanes.settled(turn) : lanes.gone(key, offset);
    if (this.recall(cursor, next, lanes)) this.owner.restocked();
  }

  /** One that waited for its key may be taken now. */
  private recall(cursor: Cursor, offset: number, lanes: KeyLanes): boolean {
    if (offset < 0) return false;
    cursor.recall(offset, lanes.triesOf(offset));
    this.expiry.watch();
    return true;
  }

  /** Of what is delayed (not what backs off) the oldest becomes ready at once; whether there was one. */
  hasten(cursor: Cursor): boolean {
    const offset = cursor.deferred.removeOldestUntried();
    if (offset < 0) return false;
    cursor.recall(offset, UNTRIED);
    this.books.delayed--;
    this.books.ready++;
    this.watchDues();
    return true;
  }

  /** Removes all that is ready or delayed; how many. `inHand`: what is not here. */
  purge(inHand: Iterable<Taken>): number {
    const { books } = this;
    const count = books.ready + books.delayed;
    const held = [...inHand].sort((a, b) => a.offset - b.offset);
    for (const cursor of this.cursors) {
      cursor.forgetWaiting();
      let from = cursor.settled.low;
      for (const { cursor: of, offset } of held) {
        if (of !== cursor) continue;
        cursor.settled.addRange(from, offset);
        from = offset + 1;
      }
      cursor.settled.addRange(from, cursor.end);
    }
    this.lanes?.forgetWaiting();
    this.expiry.forget();
    books.ready = 0;
    books.delayed = 0;
    books.bytes = 0;
    this.drops.purged(count);
    return count;
  }

  /** Says what is due. To be called when consumers come or go, too: a process stays alive for it only while there are any. */
  watchDues(): void {
    this.dues.watch(this.owner.vital);
  }

  loaded(): void {
    this.dues.loaded();
    this.expiry.watch();
    this.reads.done();
    this.owner.loaded();
  }

  readFailed(reader: LogReader, error: unknown): void {
    this.owner.report(error);
    this.reads.failed(reader, this.now(), this.owner.vital);
  }

  close(): void {
    this.dues.close();
    this.expiry.close();
    this.reads.close();
  }
}
