import type { Head } from '../head.js';
import { UNTRIED, type Tries } from '../cursor/tries.js';

/** A message that was taken out. */
interface Ordered {
  readonly offset: number;
  readonly entry: { readonly head: Head };
  readonly turn: KeyLane | undefined;
}

const NONE = new Float64Array(0);

/** What follows what: nothing; of each key one at a time; of each log one at a time. */
export type Order = 'none' | 'key' | 'partition';

/** Owns the turn of one message that comes by itself: each time somebody else. */
export const SINGLE: object = Object.freeze({});

/** Whose turn of a key it is, where no offset has to be brought back: nobody's, or that of one that is back already. */
export const NOBODY = -1;
export const BACK = -2;

/**
 * One key's turn. Its owner is the message (or batch) in hand. Where there is none, the turn is that of the first of `returned`: those
 * that were given back, and wait in the stock to be taken again, perhaps backing off. All others of the key wait here, offsets only, in order
 * of acceptance; but for those that were `called` for a batch to go on with, and that it has not taken.
 */
export class KeyLane {
  readonly key: string;
  owner: object | undefined;
  /** Sorted. As `called`, mostly none or one, and never more than a batch holds. */
  readonly returned: number[] = [];
  readonly called: number[] = [];
  /** Messages of the owner that are not settled. */
  held = 0;
  private offsets = NONE;
  private at = 0;
  private size = 0;

  constructor(key: string) {
    this.key = key;
  }

  get waiting(): number {
    return this.size;
  }

  get first(): number {
    return this.offsets[this.at]!;
  }

  /** Nearly always the highest so far; a delayed message that became due goes to its place. */
  wait(offset: number): void {
    if (this.at + this.size === this.offsets.length) this.makeRoom();
    let at = this.at + this.size++;
    for (; at > this.at && this.offsets[at - 1]! > offset; at--) this.offsets[at] = this.offsets[at - 1]!;
    this.offsets[at] = offset;
  }

  /** It has the turn, after those before it that have it too. */
  reserve(offset: number): void {
    let at = this.returned.length;
    while (at > 0 && this.returned[at - 1]! > offset) at--;
    this.returned.splice(at, 0, offset);
  }

  shift(): number {
    const offset = this.offsets[this.at++]!;
    this.size--;
    return offset;
  }

  private makeRoom(): void {
    const { length } = this.offsets;
    const offsets = this.size * 2 >= length ? new Float64Array(Math.max(4, length * 2)) : this.offsets;
    offsets.set(this.offsets.subarray(this.at, this.at + this.size));
    this.offsets = offsets;
    this.at = 0;
  }
}

/**
 * Order by key in one log: of each key one message at a time, in order of acceptance, retries and backoff included, whoever
 * consumes. A key costs memory only while a message of it is in hand or waits for its turn.
 *
 * Where the whole log keeps its order, as a partition does, everything in it has one key, and nothing waits here: what is
 * not next stays in the log.
 */
export class KeyLanes {
  /** The one lane of a log that keeps its order as a whole. */
  readonly whole: KeyLane | undefined;
  private readonly lanes = new Map<string, KeyLane>();
  /** Of those that wait, the ones that were tried before, or are to be delivered once more: they are written down. */
  readonly tried = new Map<number, Tries>();
  /** Messages that wait here for their turn. */
  waiting = 0;

  constructor(whole = false) {
    if (!whole) return;
    this.whole = new KeyLane('');
    this.lanes.set('', this.whole);
  }

  /** What orders this message; undefined: nothing. */
  keyOf(head: Head): string | undefined {
    return this.whole === undefined ? head.key : '';
  }

  /** The lane, if it is the turn of the message at `offset` (and of `owner`, which may hold several); else it has to wait. */
  admit(key: string, offset: number, owner: object): KeyLane | undefined {
    let lane = this.lanes.get(key);
    if (lane === undefined) this.lanes.set(key, (lane = new KeyLane(key)));
    else if (
      lane.owner === undefined
        ? lane.returned[0] !== offset
        : lane.owner !== owner || owner === SINGLE || goesBefore(lane, offset)
    ) {
      return undefined;
    }
    lane.owner = owner;
    lane.held++;
    if (lane.returned.length > 0) remove(lane.returned, offset);
    if (lane.called.length > 0) remove(lane.called, offset);
    return lane;
  }

  /** As admit(), of a log that keeps its order as a whole: what is next in it is whoever's turn it is. */
  admitWhole(whole: KeyLane, owner: object): KeyLane | undefined {
    if (whole.owner !== undefined && (whole.owner !== owner || owner === SINGLE)) return undefined;
    whole.owner = owner;
    whole.held++;
    return whole;
  }

  /** Somebody else than `owner` has what keeps its order as a whole. */
  isHeld(owner: object): boolean {
    const holder = this.whole?.owner;
    return holder !== undefined && (holder !== owner || owner === SINGLE);
  }

  /** It is somebody's turn of this key. */
  isTaken(key: string): boolean {
    return this.lanes.has(key);
  }

  /** An earlier run left this message backing off: the turn is its. */
  reserve(key: string, offset: number): void {
    let lane = this.lanes.get(key);
    if (lane === undefined) this.lanes.set(key, (lane = new KeyLane(key)));
    lane.reserve(offset);
  }

  /** It is not the turn of this message. The offset of an older one that `owner` can go on with; negative where there is none. */
  wait(key: string, offset: number, tries: Tries, owner: object = SINGLE, revived = false): number {
    const lane = this.lanes.get(key)!;
    remove(lane.returned, offset);
    remove(lane.called, offset);
    lane.wait(offset);
    this.waiting++;
    const { failures, deliveries, alone } = tries;
    if (deliveries > 0 || alone || revived) this.tried.set(offset, { failures, deliveries, alone });
    const own = lane.owner === owner && owner !== SINGLE;
    return own && lane.first < offset ? this.next(lane) : NOBODY;
  }

  /** How often a message that waited here was tried; asked once. */
  triesOf(offset: number): Tries {
    const tries = this.tried.size === 0 ? undefined : this.tried.get(offset);
    if (tries === undefined) return UNTRIED;
    this.tried.delete(offset);
    return tries;
  }

  /** Calls the next one of the key, for the owner to go on with: its offset. Negative where there is none, or it was called before. */
  next(lane: KeyLane): number {
    if (lane.waiting === 0 || lane.called.some((offset) => offset < lane.first)) return NOBODY;
    this.waiting--;
    const offset = lane.shift();
    lane.called.push(offset);
    return offset;
  }

  /** One of the owner's messages is settled. The offset whose turn it is now; negative where none has to be brought back. */
  settled(lane: KeyLane): number {
    if (--lane.held > 0) return NOBODY;
    lane.owner = undefined;
    return lane === this.whole ? BACK : this.pass(lane);
  }

  /** One of the owner's messages goes back and keeps the turn. */
  givenBack(lane: KeyLane, offset: number): void {
    // A log that keeps its order as a whole is held back by what is deferred in it.
    if (lane !== this.whole) lane.reserve(offset);
    if (--lane.held === 0) lane.owner = undefined;
  }

  /** A message is settled. The offset whose turn it is now; negative where none has to be brought back. */
  release({ offset, entry, turn }: Ordered): number {
    if (turn !== undefined) return this.settled(turn);
    const key = this.keyOf(entry.head);
    return key === undefined ? NOBODY : this.gone(key, offset);
  }

  /** A message that was not in hand is gone. The offset that comes in its place; negative where none has to be brought back. */
  gone(key: string, offset: number): number {
    const lane = this.lanes.get(key);
    if (lane === undefined) return NOBODY;
    if (remove(lane.called, offset)) return this.next(lane);
    return remove(lane.returned, offset) && lane.owner === undefined ? this.pass(lane) : NOBODY;
  }

  /** Takes the oldest waiting message with an offset below `before` out. −1 where there is none. */
  takeOldest(before: number): number {
    let oldest: KeyLane | undefined;
    for (const lane of this.lanes.values()) {
      if (lane.waiting > 0 && lane.first < (oldest?.first ?? before)) oldest = lane;
    }
    if (oldest === undefined) return -1;
    this.waiting--;
    return oldest.shift();
  }

  /** Everything below `first` is gone. Turns that were kept for it pass on: the offsets whose turn it is now. */
  forgetBelow(first: number): number[] {
    const next: number[] = [];
    for (const lane of [...this.lanes.values()]) {
      while (lane.waiting > 0 && lane.first < first) {
        this.tried.delete(lane.shift());
        this.waiting--;
      }
      const held = lane.returned.length;
      drop(lane.called, first);
      drop(lane.returned, first);
      if (lane.owner !== undefined || lane.returned.length === held) continue;
      const offset = this.pass(lane);
      if (offset >= 0) next.push(offset);
    }
    return next;
  }

  /** Nobody waits any more; turns that are taken stay taken. */
  forgetWaiting(): void {
    for (const lane of this.lanes.values()) {
      while (lane.waiting > 0) lane.shift();
      lane.returned.length = 0;
      lane.called.length = 0;
      if (lane.owner === undefined && lane !== this.whole) this.lanes.delete(lane.key);
    }
    this.tried.clear();
    this.waiting = 0;
  }

  /** Nobody has the turn of this key. */
  private pass(lane: KeyLane): number {
    // Of those that wait here, were given back, or were called: the oldest, wherever it is.
    const waiting = lane.waiting > 0 ? lane.first : Infinity;
    const returned = lane.returned[0] ?? Infinity;
    const called = Math.min(...lane.called);
    if (waiting < returned && waiting < called) {
      this.waiting--;
      const next = lane.shift();
      lane.reserve(next);
      return next;
    }
    if (called < returned && remove(lane.called, called)) lane.reserve(called);
    if (lane.returned.length > 0) return BACK;
    this.lanes.delete(lane.key);
    return NOBODY;
  }
}

/** What keeps an order; undefined: nothing has to. */
export function lanesFor(order: Order): KeyLanes | undefined {
  return order === 'none' ? undefined : new KeyLanes(order === 'partition');
}

/** Another one of the key comes before `offset`, even for the owner. */
function goesBefore(lane: KeyLane, offset: number): boolean {
  return (lane.waiting > 0 && lane.first < offset) || (lane.returned.length > 0 && lane.returned[0]! < offset);
}

function remove(offsets: number[], offset: number): boolean {
  const at = offsets.indexOf(offset);
  if (at >= 0) offsets.splice(at, 1);
  return at >= 0;
}

/** Removes what is below `first`. */
function drop(offsets: number[], first: number): void {
  for (let at = offsets.length - 1; at >= 0; at--) if (offsets[at]! < first) offsets.splice(at, 1);
}
