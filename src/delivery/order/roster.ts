import type { Cursor } from '../cursor/cursor.js';
import type { Member } from './share.js';

/** Somebody who takes messages: a consumer with its slots, or a pending receive(). */
export interface Taker {
  /** On whose account. */
  readonly member: Member;
  /** Slots that do nothing now. */
  readonly spare: number;
  /** How many it may take, as its prefetch and its rate allow. */
  readonly room: number;
  /** It may take now: not paused, below its prefetch, with a token of its rate. */
  willing(): boolean;
  /** One spare slot begins to take. */
  wake(): void;
  /** What was being read is there. */
  loaded?(): void;
}

/**
 * Who is asked next: round robin among takers with a spare slot. A slot that takes wakes the next one while there is more
 * (see Subscription.take), so one call per arrival is enough.
 */
export class Roster {
  /** In order of arrival. */
  readonly takers: Taker[] = [];
  /** Spare slots of all of them. 0: a call would wake nobody. */
  spare = 0;
  /** Only the first taker gets anything. */
  exclusive = false;
  private turn = 0;

  add(taker: Taker): void {
    this.takers.push(taker);
    this.spare += taker.spare;
  }

  remove(taker: Taker): void {
    const at = this.takers.indexOf(taker);
    if (at < 0) return;
    this.takers.splice(at, 1);
    this.spare -= taker.spare;
    if (this.turn > at) this.turn--;
  }

  /** Whether it is this taker's to take at all. */
  active(taker: Taker): boolean {
    return !this.exclusive || this.takers[0] === taker;
  }

  /** Wakes a slot of the next taker that has one and may take. */
  call(): void {
    const { takers } = this;
    const count = takers.length;
    for (let n = 0; n < count; n++) {
      if (this.turn >= count) this.turn = 0;
      const taker = takers[this.turn++]!;
      if (taker.spare > 0 && this.active(taker) && taker.willing()) return taker.wake();
    }
  }

  /** Something became ready in one log. */
  offer(_cursor: Cursor): void {
    this.call();
  }

  /** There is more for this member, or it may take again. */
  more(_member: Member): void {
    this.call();
  }

  /** Spare slots of those who may take, and what they have room for. */
  get free(): number {
    let free = 0;
    for (const taker of this.takers) {
      if (taker.spare > 0 && this.active(taker) && taker.willing()) free += Math.min(taker.spare, taker.room);
    }
    return free;
  }

  /** Whether somebody who is here could take something. */
  get able(): boolean {
    return this.takers.some((taker) => this.active(taker) && taker.willing());
  }

  /** Nothing of this log is out any more. */
  vacated(_cursor: Cursor): void {}

  /** A message of this member timed out: it may never be heard of again. */
  silent(_member: Member): void {}

  /** A sign of life. */
  heard(_member: Member): void {}

  /** A member that lingers has nothing in hand any more. */
  rested(_member: Member): void {}

  /** Somebody is about to leave to others what was his. */
  get leaving(): boolean {
    return false;
  }
}
