import type { Head } from './head.js';
import { UNTRIED, type Tries } from './tries.js';

/** A message that was taken out. */
interface Ordered {
  readonly offset: number;
  readonly entry: { readonly head: Head };
  readonly turn: KeyLane | undefined;
}

const NONE = new Float64Array(0);

/**
 * One key's turn. Its owner is the message (or batch) in hand; while that one backs off or waits to be taken again, `reserved`
 * keeps the turn for its offset. All others of the key wait here, offsets only, in order of acceptance.
 */
export class KeyLane {
  readonly key: string;
  owner: object | undefined;
  reserved = -1;
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
  /** Of those that wait, the ones that were tried before. */
  private readonly tried = new Map<number, Tries>();
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
    let lane = this.whole ?? this.lanes.get(key);
    if (lane === undefined) this.lanes.set(key, (lane = new KeyLane(key)));
    else if (lane.owner !== undefined ? lane.owner !== owner : lane !== this.whole && lane.reserved !== offset)
      return undefined;
    lane.owner = owner;
    lane.reserved = -1;
    lane.held++;
    return lane;
  }

  /** It is somebody's turn of this key. */
  isTaken(key: string): boolean {
    return this.lanes.has(key);
  }

  /** An earlier run left this message backing off: the turn is its. */
  reserve(key: string, offset: number): void {
    let lane = this.lanes.get(key);
    if (lane === undefined) this.lanes.set(key, (lane = new KeyLane(key)));
    lane.reserved = lane.reserved < 0 ? offset : Math.min(lane.reserved, offset);
  }

  /** It is not the turn of this message. */
  wait(key: string, offset: number, tries: Tries): void {
    this.lanes.get(key)!.wait(offset);
    this.waiting++;
    const { failures, deliveries, alone } = tries;
    if (deliveries > 0) this.tried.set(offset, { failures, deliveries, alone });
  }

  /** How often a message that waited here was tried; asked once. */
  triesOf(offset: number): Tries {
    const tries = this.tried.size === 0 ? undefined : this.tried.get(offset);
    if (tries === undefined) return UNTRIED;
    this.tried.delete(offset);
    return tries;
  }

  /** Takes the next one of the key out, for the owner to go on with. −1 where there is none. */
  next(lane: KeyLane): number {
    if (lane.waiting === 0) return -1;
    this.waiting--;
    return lane.shift();
  }

  /** One of the owner's messages is settled. The offset whose turn it is now, or −1. */
  settled(lane: KeyLane): number {
    return --lane.held === 0 ? this.pass(lane) : -1;
  }

  /** One of the owner's messages goes back and keeps the turn; of several the earliest. */
  givenBack(lane: KeyLane, offset: number): void {
    // A log that keeps its order as a whole is held back by what is deferred in it.
    if (lane !== this.whole) lane.reserved = lane.reserved < 0 ? offset : Math.min(lane.reserved, offset);
    if (--lane.held === 0) lane.owner = undefined;
  }

  /** A message is settled. The offset whose turn it is now, or −1. */
  release({ offset, entry, turn }: Ordered): number {
    if (turn !== undefined) return this.settled(turn);
    const key = this.keyOf(entry.head);
    return key === undefined ? -1 : this.gone(key, offset);
  }

  /** A message that was not in hand is gone. The offset whose turn it is now, or −1. */
  gone(key: string, offset: number): number {
    const lane = this.lanes.get(key);
    if (lane === undefined || lane.reserved !== offset) return -1;
    lane.reserved = -1;
    return lane.owner === undefined ? this.pass(lane) : -1;
  }

  /** Takes the oldest waiting message with an offset below `before` out. −1 where there is none. */
  takeOldest(before: number): number {
    let oldest: KeyLane | undefined;
    for (const lane of this.lanes.values()) {
      if (lane.waiting > 0 && lane.first < (oldest?.first ?? before)) oldest = lane;
    }
    if (oldest === undefined) return -1;
    this.waiting--;
    const offset = oldest.shift();
    this.tried.delete(offset);
    return offset;
  }

  /** Everything below `first` is gone. Turns that were kept for it pass on: the offsets whose turn it is now. */
  forgetBelow(first: number): number[] {
    const next: number[] = [];
    for (const lane of [...this.lanes.values()]) {
      while (lane.waiting > 0 && lane.first < first) {
        this.tried.delete(lane.shift());
        this.waiting--;
      }
      if (lane.reserved < 0 || lane.reserved >= first) continue;
      lane.reserved = -1;
      const offset = lane.owner === undefined ? this.pass(lane) : -1;
      if (offset >= 0) next.push(offset);
    }
    return next;
  }

  /** Nobody waits any more; turns that are taken stay taken. */
  forgetWaiting(): void {
    for (const lane of this.lanes.values()) {
      while (lane.waiting > 0) lane.shift();
      lane.reserved = -1;
      if (lane.owner === undefined && lane !== this.whole) this.lanes.delete(lane.key);
    }
    this.tried.clear();
    this.waiting = 0;
  }

  private pass(lane: KeyLane): number {
    lane.owner = undefined;
    if (lane.reserved >= 0) return -1;
    if (lane.waiting === 0) {
      if (lane !== this.whole) this.lanes.delete(lane.key);
      return -1;
    }
    this.waiting--;
    lane.reserved = lane.shift();
    return lane.reserved;
  }
}
