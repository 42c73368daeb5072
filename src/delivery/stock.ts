import type { Agenda } from './agenda.js';
import { Begun } from './crash/begun.js';
import { Books, type Moved } from './books.js';
import type { LogEntry } from './cursor/buffer.js';
import { Cursor, type CursorOwner, type Start } from './cursor/cursor.js';
import { Expiry, type ExpiryOwner } from './expiry.js';
import { Dues } from './dues.js';
import { Drops, type LogKeeper } from './drops.js';
import type { Journal } from './journal.js';
import { BACK, lanesFor, NOBODY, type KeyLane, type Order } from './order/key-lanes.js';
import type { LogReader } from './cursor/log-reader.js';
import { Reads } from './reads.js';
import type { LogRange } from '../storage/storage.js';
import type { CursorRecord, StockOwner } from './stock-owner.js';
import { Picker } from './order/picker.js';
import { Suspects } from './crash/suspects.js';
import type { Taken } from './taken.js';
import { UNTRIED } from './cursor/tries.js';

/**
 * What one queue or group has that is not in hand: a cursor for each of its logs, the order among them, and the books.
 * Messages come in by arrive() and giveBack(), and go out by take(); settle() is the end of each.
 */
export class Stock implements CursorOwner, ExpiryOwner {
  /** By priority level, or by partition. */
  readonly cursors: Cursor[] = [];
  readonly books = new Books();
  readonly expiry: Expiry;
  order: Order = 'none';
  /** Finds what is next. */
  readonly picker: Picker;
  /** What is known of deliveries that began, where that lasts. */
  begun: Begun | undefined;
  readonly suspects = new Suspects();
  private journal!: Journal;
  readonly owner: StockOwner;
  private readonly dues: Dues;
  readonly reads: Reads;
  readonly drops: Drops;

  /** @param keeper who keeps the logs, where they are not this stock's own */
  constructor(agenda: Agenda, owner: StockOwner, keeper?: LogKeeper) {
    this.owner = owner;
    this.expiry = new Expiry(agenda, this);
    this.picker = new Picker(this);
    this.dues = new Dues(agenda, this);
    this.reads = new Reads(agenda, this);
    this.drops = new Drops(this.cursors, (error) => owner.report(error), keeper);
  }

  /** Goes on in another journal, with no logs yet. For an empty stock. `record`: the log of its cursors, where they last. */
  restart(journal: Journal, record: CursorRecord | undefined): void {
    this.journal = journal;
    this.drops.restart(journal, record);
    this.begun = record && new Begun(journal, record.marks, () => journal.touch(this.drops));
    this.cursors.length = 0;
  }

  /** The next log, as the storage has it. `start`: where to begin in it; default: at its first entry. */
  open(log: string, range: LogRange, start?: Start): void {
    this.cursors.push(this.cursorOf(log, this.cursors.length, range, start));
  }

  /** Goes on elsewhere in a log. What is out of it is nobody's business any more: the caller fences it. */
  reopen(cursor: Cursor, range: LogRange, start: Start): void {
    cursor.fenced = true;
    cursor.reader.forget();
    this.cursors[cursor.number] = this.cursorOf(cursor.log, cursor.number, range, start);
    this.drops.upset();
    this.watchDues();
  }

  private cursorOf(log: string, number: number, range: LogRange, start: Start | undefined): Cursor {
    const cursor = new Cursor(log, number, this.journal, this, range, start);
    cursor.lanes = lanesFor(this.order);
    return cursor;
  }

  /** A settled message is to be delivered once more, attempts counted from 0. */
  revive(cursor: Cursor, offset: number): void {
    if (!cursor.revive(offset)) return;
    this.drops.revived(cursor, offset);
    this.owner.restocked(cursor);
  }

  /** Everything below `first` is gone from the log of `cursor`; how many messages were missed by that. */
  overtake(cursor: Cursor, first: number): number {
    const missed = cursor.overtake(first);
    this.drops.upset();
    this.watchDues();
    return missed;
  }

  foundDelayed(): void {
    this.books.ready--;
    this.books.delayed++;
    this.watchDues();
  }

  foundTransient(cursor: Cursor, offset: number, size: number): void {
    this.books.ready--;
    this.books.bytes -= size;
    this.books.dropped++;
    // Written down, or the next run would find, and count, it once more.
    this.drops.settled(cursor, offset);
  }

  /** Sets how what waits is ordered. */
  arrange(order: Order): void {
    if (order === this.order) return;
    this.order = order;
    for (const cursor of this.cursors) cursor.lanes = lanesFor(order);
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
    const { rare: extra, size } = entry.head;
    books.accepted++;
    books.bytes += size;
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
      expiry.came(entry.head, awaited);
      expiry.watch();
    }
  }

  /** Takes the candidate out; the caller knows it by now: nothing tells of it any more. */
  take(cursor: Cursor, size: number): void {
    const { books } = this;
    cursor.take();
    cursor.out++;
    books.ready--;
    books.bytes -= size;
    books.unacked++;
    if (this.expiry.mortal) this.expiry.watch();
  }

  /** Takes the candidate out, to be moved or dropped. Nobody had it in hand. */
  withdraw(cursor: Cursor, turn?: KeyLane): Taken {
    const { offset, entry, failures, deliveries, alone } = cursor;
    this.take(cursor, entry.head.size);
    return { cursor, offset, entry, failures, deliveries, alone, turn };
  }

  /** A taken message goes back: to its place after `delay` ms (0: now). */
  giveBack(taken: Taken, failures: number, deliveries: number, delay: number, alone: boolean): void {
    const { books } = this;
    const { cursor, offset, entry } = taken;
    books.unacked--;
    if (cursor.fenced) return this.drops.fenced(cursor, offset);
    if (taken.turn !== undefined) cursor.lanes!.givenBack(taken.turn, offset);
    books.bytes += entry.head.size;
    if (delay <= 0) {
      books.ready++;
      this.drops.deferred(cursor, offset, 0, failures, deliveries);
      cursor.giveBack(offset, failures, deliveries, alone, entry);
      this.expiry.watch();
      this.owner.restocked(cursor);
    } else {
      const due = this.now() + delay;
      books.delayed++;
      this.drops.deferred(cursor, offset, due, failures, deliveries);
      cursor.defer(due, offset, failures, deliveries, alone);
      this.watchDues();
    }
    this.came(cursor);
  }

  /** One less is out of this log. */
  private came(cursor: Cursor): void {
    if (--cursor.out === 0 && cursor.awaited) this.owner.vacated(cursor);
  }

  /** A taken message is about to be appended elsewhere: the same write says that it is settled here. */
  depart({ cursor, offset }: Taken, as: Moved): void {
    this.drops.departs(cursor, offset, as);
  }

  /** A taken message is gone from here for good. The caller counts what it became. */
  settle(taken: Taken): void {
    const { cursor, offset } = taken;
    this.books.unacked--;
    if (cursor.fenced) return this.drops.fenced(cursor, offset);
    cursor.settle(offset);
    const { lanes } = cursor;
    const next = lanes === undefined ? NOBODY : lanes.release(taken);
    if (next === BACK || this.recall(cursor, next)) this.owner.restocked(cursor);
    this.drops.settled(cursor, offset);
    this.came(cursor);
  }

  /** One that waited for its key may be taken now. */
  recall(cursor: Cursor, offset: number): boolean {
    if (offset < 0) return false;
    cursor.recall(offset, cursor.lanes!.triesOf(offset));
    this.expiry.watch();
    return true;
  }

  /** Of what is delayed (not what backs off) the oldest becomes ready at once; whether there was one. */
  hasten(cursor: Cursor): boolean {
    const offset = cursor.returned.deferred.removeOldestUntried();
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
      cursor.lanes?.forgetWaiting();
    }
    this.expiry.forget();
    books.ready = books.delayed = books.bytes = 0;
    books.removed += count;
    this.drops.upset();
    // Who waits for a read gets nothing from it any more.
    this.loaded();
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
    if (this.owner.closed) return; // Its log may be gone.
    this.owner.report(error);
    this.reads.failed(reader, this.now(), this.owner.vital);
  }

  close(): void {
    this.drops.close();
    this.dues.close();
    this.expiry.close();
    this.reads.close();
  }
}
