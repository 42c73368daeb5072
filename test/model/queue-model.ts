import { isStrict, type QueueConfiguration } from './configuration.js';
import type { Letter } from './letter.js';
import type { Taker } from './taker.js';

/** Messages that were sent together: all of them are stored, or none. */
export interface Sending {
  readonly letters: readonly Letter[];
  /** Of each, the names of the queues that stored it. */
  readonly stored: readonly (readonly string[])[];
  /** Nothing else was going on. */
  readonly quiet: boolean;
  /** Those that are stored where they were sent to, in order: the others went to the dead letters. */
  readonly expected: readonly Letter[];
  arrived: number;
  /** How many a full ring may hold when all are in. */
  room: number;
  /** How many had come back from hand until then: they are let in over the limits. */
  readonly returned: number;
  /** Code of the error that it fails with. */
  refused: string | undefined;
  /** Given up while it may have been on its way to the storage: stored or not, both is right. */
  doubtful: boolean;
}

const NOTHING = { accepted: 0, delivered: 0, acked: 0, retried: 0, deadLettered: 0, dropped: 0, removed: 0 };

/** One queue, as the contract tells it: arrays that are searched from the beginning, each time. */
export class QueueModel {
  readonly name: string;
  readonly configuration: QueueConfiguration;
  private readonly exact: boolean;
  /** All that is here, in order of acceptance. */
  letters: Letter[] = [];
  /** Consumers and pending receive(), in order of arrival: who closes leaves at once. */
  takers: Taker[] = [];
  /** Consumers that are not closed altogether. */
  consumers: Taker[] = [];
  /** What is sent and not stored yet, in order. */
  sendings: Sending[] = [];
  /** Dead letters and redriven messages that are on their way here. */
  incoming: Letter[] = [];
  paused = false;
  /** It is deleted. */
  gone = false;
  /** Bodies must be of the strict kind now. */
  strict = false;
  /** It is over its limits, and what goes depends on what else happens at this moment. */
  undecided = false;
  readonly books = { ...NOTHING };
  /** When a message of a failed batch was taken last. */
  aloneAt: number | undefined;
  /** How many came back from hand. */
  returned = 0;
  private accepted = 0;

  /** @param exact whatever happens, an event has told of it */
  constructor(name: string, configuration: QueueConfiguration, exact: boolean) {
    this.name = name;
    this.configuration = configuration;
    this.exact = exact;
  }

  // What is there.

  get waiting(): Letter[] {
    return this.letters.filter(({ state }) => state === 'waiting');
  }

  get unacked(): number {
    return this.letters.filter(({ state }) => state === 'hand' || state === 'leaving').length;
  }

  get bytes(): number {
    return this.waiting.reduce((sum, { draft }) => sum + draft.bytes, 0);
  }

  heldBy(taker: Taker): number {
    return this.letters.filter(({ hand }) => hand?.taker === taker).length;
  }

  find(id: string): Letter | undefined {
    return this.letters.find((letter) => letter.id === id && letter.state !== 'leaving');
  }

  /** It is stored now. `quiet`: nothing else was going on. */
  arrive(letter: Letter, now: number, quiet: boolean): void {
    const { ttl } = this.configuration;
    letter.place = this.accepted++;
    letter.state = 'waiting';
    letter.readyAt = letter.due(letter.arrivedAt);
    letter.delayed = letter.readyAt > now;
    const own = letter.fresh ? letter.draft.ttl : undefined;
    letter.expiresAt = letter.readyAt + Math.min(own ?? Infinity, ttl ?? Infinity);
    if (letter.expiresAt <= now) letter.awaited = this.awaits(letter, now, quiet);
    letter.stored?.push(this.name);
    letter.stored = undefined;
    this.letters.push(letter);
    this.books.accepted++;
  }

  /** It is gone from here for good. */
  remove(letter: Letter): void {
    letter.state = 'gone';
    this.letters = this.letters.filter((other) => other !== letter);
  }

  /** From hand to its place, after `delay` ms. */
  giveBack(letter: Letter, delay: number, now: number): void {
    letter.state = 'waiting';
    letter.hand = undefined;
    letter.turn = true;
    letter.alone = false;
    this.returned++;
    letter.readyAt = now + delay;
    letter.backingOff = delay > 0;
  }

  // Limits.

  /** What is on its way here. */
  get coming(): Letter[] {
    return [...this.sendings.flatMap(({ expected, arrived }) => expected.slice(arrived)), ...this.incoming];
  }

  /** Whether `count` more messages fit, beside what is here and what is on its way. */
  fits(count: number, bytes: number): boolean {
    const { maxLength = Infinity, maxBytes = Infinity } = this.configuration;
    const { coming } = this;
    const comingBytes = coming.reduce((sum, { draft }) => sum + draft.bytes, 0);
    return this.waiting.length + coming.length + count <= maxLength && this.bytes + comingBytes + bytes <= maxBytes;
  }

  /** Whether `count` messages are taken in, of which `letter` is one. */
  takes(letter: Letter, count: number, bytes: number, now: number): boolean {
    return this.fits(count, bytes) || (this.coming.length === 0 && count === 1 && this.handsOver(letter, bytes, now));
  }

  /** With no room at all, a message is taken in when somebody waits for it. */
  handsOver(letter: Letter, bytes: number, now: number): boolean {
    const { maxLength, maxBytes = Infinity } = this.configuration;
    if (maxLength !== 0 || this.bytes + bytes > maxBytes || letter.due(now) > now) return false;
    return this.awaits(letter, now) === 'surely';
  }

  /** By how much it is over its limits. */
  get excess(): { readonly count: number; readonly bytes: number } {
    return this.over(this.configuration.maxLength);
  }

  over(most = Infinity): { readonly count: number; readonly bytes: number } {
    const { maxBytes = Infinity } = this.configuration;
    return { count: Math.max(0, this.waiting.length - most), bytes: Math.max(0, this.bytes - maxBytes) };
  }

  /**
   * What a full queue drops: the oldest ready message of the lowest level that has one, else a delayed one; nothing in backoff.
   * `late`: what is due at this very moment is not back yet.
   */
  droppable(now: number, late = false): Letter | undefined {
    const ready = this.waiting.filter((letter) => letter.ready(now) && !(late && letter.comesBackAt(now)));
    const delayed = this.waiting.filter(({ backingOff }) => !backingOff);
    const candidates = ready.length > 0 ? ready : delayed;
    const level = Math.min(...candidates.map((letter) => letter.level));
    return candidates.find((letter) => letter.level === level);
  }

  // Who gets what.

  active(taker: Taker): boolean {
    return this.configuration.singleActiveConsumer !== true || this.takers[0] === taker;
  }

  mayTake(taker: Taker, letter: Letter, now: number): boolean {
    return !this.paused && this.active(taker) && taker.hasRoom(letter, this.heldBy(taker), now);
  }

  /** The ready message that `taker` must get before all others. */
  next(taker: Taker, now: number): Letter | undefined {
    const eligible = this.letters.filter((letter) => this.eligible(letter, taker, now, true));
    return eligible.sort(inOrder)[0];
  }

  /** Whether there may be something for `taker`. */
  mayHave(taker: Taker, now: number): boolean {
    return this.letters.some((letter) => this.eligible(letter, taker, now) && this.mayTake(taker, letter, now));
  }

  /** Whether it is this message's turn, for `taker`. */
  isNext(letter: Letter, taker: Taker, now: number): boolean {
    if (!this.eligible(letter, taker, now)) return false;
    const before = this.before(letter, taker, now);
    // Of one key, two can be next: the one that had its turn, and an older one that was not due then. One whose body is not valid
    // is on its way out.
    return before.every((other) => (letter.key !== undefined && other.key === letter.key) || this.invalid(other));
  }

  /** What `taker` must get before `letter`. */
  before(letter: Letter, taker: Taker, now: number): Letter[] {
    return this.letters.filter((other) => inOrder(other, letter) < 0 && this.eligible(other, taker, now, true));
  }

  /** Another one of its key is in hand, or backs off. */
  keyIsHeld(letter: Letter, now: number): boolean {
    if (this.configuration.ordering !== 'key' || letter.key === undefined) return false;
    return this.letters.some(
      (other) => other !== letter && other.key === letter.key && other.turn && !other.ready(now),
    );
  }

  invalid({ draft }: Letter): boolean {
    return this.strict && !isStrict(draft.number);
  }

  /**
   * Nothing but the order among keys and levels keeps it from being delivered to `taker`.
   * @param surely not only perhaps: because it may join others of its key in a batch, or because somebody may have waited for it
   */
  private eligible(letter: Letter, taker: Taker, now: number, surely = false): boolean {
    if (!letter.ready(now) || (surely ? letter.mayExpire(now) : letter.expired(now))) return false;
    if (this.configuration.ordering !== 'key' || letter.key === undefined) return true;
    const others = this.letters.filter((other) => other !== letter && other.key === letter.key);
    // One at a time, or, perhaps, several in one batch.
    const joins = (other: Letter): boolean =>
      !surely && taker.options.batch !== undefined && other.hand !== undefined && taker.gathered.includes(other.hand);
    if (others.some((other) => other.turn && other.state !== 'waiting' && !joins(other))) return false;
    // One whose body is not valid may be on its way out.
    const waiting = others.filter((other) => other.state === 'waiting' && (surely || !this.invalid(other)));
    const before = waiting.filter((other) => other.place < letter.place);
    if (letter.turn) return !before.some(({ turn }) => turn);
    const returned = waiting.filter(({ turn }) => turn);
    if (returned.some((other) => other.place < letter.place || other.readyAt > now)) return false;
    const ready = waiting.filter((other) => other.ready(now) && !other.expired(now));
    // A delayed one takes its place when it is due; one whose turn it was by then may go first. And one that is on its way to the
    // dead letters may hold its key until it is there.
    if (surely)
      return (
        !others.some((other) => other.state === 'leaving' || (!this.exact && other.mayExpire(now))) &&
        returned.length === 0 &&
        !(letter.delayed && ready.length > 0) &&
        !ready.some((other) => before.includes(other))
      );
    return !ready.some((other) => before.includes(other) && !other.delayed);
  }

  /** Whether somebody who waits gets `letter` at once, when it is stored now. */
  awaits(letter: Letter, now: number, quiet = true): 'surely' | 'perhaps' | undefined {
    const free = this.takers.filter((taker) => this.mayTake(taker, letter, now));
    if (free.length === 0) return undefined;
    const slots = free.reduce((sum, taker) => sum + taker.slots(this.heldBy(taker), now), 0);
    const before = this.letters.filter((other) => free.some((taker) => this.eligible(other, taker, now)));
    if (before.length >= slots || this.keyIsTaken(letter, now)) return 'perhaps';
    return quiet ? 'surely' : 'perhaps';
  }

  /** It would have to wait for another one of its key. */
  private keyIsTaken({ key }: Letter, now: number): boolean {
    if (this.configuration.ordering !== 'key' || key === undefined) return false;
    return this.letters.some((other) => other.key === key && (other.turn || other.ready(now)));
  }

  /** Where its dead letters go; undefined: nowhere. */
  get graveName(): string | undefined {
    const { deadLetter = `${this.name}.dlq` } = this.configuration;
    return deadLetter === false ? undefined : deadLetter;
  }
}

/** Higher levels first, then in order of acceptance. */
function inOrder(a: Letter, b: Letter): number {
  return b.level - a.level || a.place - b.place;
}
