import type { Cursor } from '../cursor/cursor.js';
import { EMPTY, LOADING, READY, type Next } from '../cursor/next.js';
import type { Expiry } from '../expiry.js';
import type { KeyLane, KeyLanes } from './key-lanes.js';
import type { Share } from './share.js';
import type { StockOwner } from '../stock-owner.js';

/** Messages passed over (expired, or waiting for their key) before the event loop gets a turn. */
const PASSED_OVER = 1000;

/** What is picked from. */
export interface PickerOwner {
  readonly cursors: readonly Cursor[];
  readonly expiry: Expiry;
  readonly owner: StockOwner;
  /** One that waited for its key may be taken now; negative: none. */
  recall(cursor: Cursor, offset: number): void;
}

/** Finds the message that is next: by level or partition, by offset, and by key where there is an order. */
export class Picker {
  /** Of the candidate that was found: its key's turn, where order is kept. */
  turn: KeyLane | undefined;
  /** What is next comes by itself: no batch that has begun goes on. */
  metAlone = false;
  /** Something was past its time in this look. */
  private cleared = false;
  private readonly stock: PickerOwner;

  constructor(stock: PickerOwner) {
    this.stock = stock;
  }

  /**
   * Finds the message that is next for `run` (a batch, or a token of one message), of what is in `share` if not everybody gets
   * everything: highest level first, then lowest offset, of each key one. It stays where it is until it is taken. undefined:
   * none, or none yet. `from`: where whoever asks took the last one.
   */
  next(run: object, single: boolean, share: Share | undefined, from: Cursor | undefined): Cursor | undefined {
    if (share !== undefined) {
      if (from !== undefined) share.goOnWith(from.number);
      return this.nextOfShare(run, single, share);
    }
    const { cursors } = this.stock;
    for (let level = cursors.length - 1; level >= 0; level--) {
      this.cleared = false;
      const found = this.nextOf(cursors[level]!, run, single);
      if (this.cleared && level < cursors.length - 1) {
        // In its room somebody may have come in above.
        level = cursors.length;
        continue;
      }
      if (found === READY) return cursors[level];
      if (found === LOADING) return undefined;
    }
    return undefined;
  }

  /** As next(), of the partitions of a share. */
  private nextOfShare(run: object, single: boolean, share: Share): Cursor | undefined {
    let metAlone = false;
    for (let left = share.partitions.length; left > 0; left--) {
      const cursor = this.stock.cursors[share.current]!;
      if (cursor.stocked && cursor.lanes?.isHeld(run) !== true) {
        if (this.nextOf(cursor, run, single) === READY) {
          share.took();
          return cursor;
        }
        metAlone ||= this.metAlone;
      }
      share.advance();
    }
    this.metAlone = metAlone;
    return undefined;
  }

  /** As next(), of one log. LOADING: it is being read, or there is too much to pass over in one turn. */
  nextOf(cursor: Cursor, run: object, single: boolean): Next {
    const { expiry, owner } = this.stock;
    const { lanes } = cursor;
    this.turn = undefined;
    this.metAlone = false;
    for (let passed = 0; passed < PASSED_OVER; passed++) {
      const found = cursor.next();
      if (found !== READY) return found;
      if (expiry.mortal && expiry.over(cursor.head)) {
        owner.expired(cursor);
        this.cleared = true;
        continue;
      }
      // It comes by itself: a batch that has begun ends here.
      if (!single && cursor.alone) {
        this.metAlone = true;
        return LOADING;
      }
      if (lanes === undefined) return READY;
      if (lanes.whole !== undefined) {
        if (cursor.returned.backsOffBefore(cursor.offset)) return EMPTY;
        this.turn = lanes.admitWhole(lanes.whole, run);
        return this.turn === undefined ? EMPTY : READY;
      }
      if (this.admitted(cursor, lanes, run)) return READY;
    }
    owner.postpone();
    return LOADING;
  }

  /** Whether it is the turn of the candidate; else it waits among those of its key. */
  private admitted(cursor: Cursor, lanes: KeyLanes, run: object): boolean {
    const { key } = cursor.head;
    if (key === undefined) return true;
    this.turn = lanes.admit(key, cursor.offset, run);
    if (this.turn !== undefined) return true;
    const older = lanes.wait(key, cursor.offset, cursor, run, cursor.returned.revived.has(cursor.offset));
    cursor.take();
    this.stock.recall(cursor, older);
    return false;
  }

  /** A batch that took a message may go on with the next of its key. Once it is out, since the next may be older. */
  goOn(cursor: Cursor, turn: KeyLane): void {
    this.stock.recall(cursor, cursor.lanes!.next(turn));
  }

  /** The candidate that nextOf() found stays where it is. */
  leave(cursor: Cursor): void {
    if (this.turn !== undefined) cursor.lanes!.givenBack(this.turn, cursor.offset);
    this.turn = undefined;
  }
}
