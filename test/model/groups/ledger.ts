import type { ConsumerGroup } from '../../../src/index.js';
import { diverge } from '../divergence.js';
import { ACK_TIMEOUT, TOPIC, type GroupConfiguration } from './configuration.js';
import type { Entries, Entry, Range } from './entries.js';
import { Hand, type Body, type Member } from './hand.js';
import { Letter } from './letter.js';
import { checkDelivery } from './order.js';
import { checkMoves } from './shares.js';

export type Counted = 'delivered' | 'acked' | 'retried' | 'deadLettered' | 'dropped';

/** What is known of a group: from the commands that it got, its answers, and its events. It foretells nothing. */
export class Ledger {
  readonly configuration: GroupConfiguration;
  readonly entries: Entries;
  /** By partition, by offset. */
  readonly letters: Letter[][] = [];
  handle!: ConsumerGroup<Body>;
  members = new Map<string, Member>();
  paused = false;
  /** Events that were heard. */
  counts: Record<Counted, number> = { delivered: 0, acked: 0, retried: 0, deadLettered: 0, dropped: 0 };
  /** What retention took before it came to them, what of that a crash has left open, and how many it was told of. */
  missed = 0;
  perhapsMissed = 0;
  told = 0;
  /** By partition: where it surely was at the last flush; not there: it may have been moved back since. */
  readonly flushed = new Map<number, number>();
  /** By partition: where it was at rest. */
  readonly committed = new Map<number, number>();
  /** Where it was moved to, and which of its changes that was. */
  moves: { readonly partition: number; readonly to: number; readonly at: number }[] = [];
  assignment: Readonly<Record<string, readonly number[]>> = {};
  changes = 0;
  readonly count: (outcome: string) => void;
  private readonly byId = new Map<string, Letter>();
  private readonly clock: () => number;

  constructor(
    configuration: GroupConfiguration,
    entries: Entries,
    clock: () => number,
    count: (outcome: string) => void,
  ) {
    this.configuration = configuration;
    this.entries = entries;
    this.clock = clock;
    this.count = count;
    entries.partitions.forEach((all, partition) => {
      const position = entries.locate(configuration.from ?? 'earliest', partition);
      for (const entry of all) this.add(entry, entry.offset < position);
    });
  }

  get name(): string {
    return this.configuration.name;
  }
  get now(): number {
    return this.clock();
  }
  get ackTimeout(): number {
    const { ackTimeout = ACK_TIMEOUT } = this.configuration;
    return ackTimeout === false ? Infinity : ackTimeout;
  }

  add(entry: Entry, done = false): void {
    const letter = new Letter(entry, done, ++this.changes);
    (this.letters[entry.partition] ??= [])[entry.offset] = letter;
    this.byId.set(entry.id, letter);
    if (entry.offset < (this.entries.ranges[entry.partition]?.first ?? 0)) this.overtaken(letter);
  }

  letterOf(id: string): Letter {
    return this.byId.get(id) ?? diverge(`${this.name} has no ${id}`);
  }

  /** What is left of a partition. */
  kept(partition: number): Letter[] {
    return (this.letters[partition] ?? []).slice(this.entries.ranges[partition]!.first);
  }

  *hands(): Generator<Hand> {
    for (const { hands } of this.members.values()) yield* hands;
  }

  /** One has to wait for the other. */
  areOrdered(one: Letter, other: Letter): boolean {
    const { ordering = 'partition' } = this.configuration;
    if (ordering === 'none' || one.entry.partition !== other.entry.partition) return false;
    return ordering === 'partition' || (one.entry.key !== undefined && one.entry.key === other.entry.key);
  }

  // What happens to messages.

  delivered(id: string, attempt: number, consumer: string): void {
    const letter = this.letterOf(id);
    const member = this.members.get(consumer) ?? diverge(`${consumer} is no member of ${this.name}`);
    const { done } = letter;
    checkDelivery(this, letter, member, attempt);
    letter.delivered(++this.changes);
    this.counts.delivered++;
    this.count(done === true ? 'delivered: redriven' : attempt > 1 ? 'delivered: again' : 'delivered: first');
    letter.failures = attempt - 1;
    letter.most = undefined;
    letter.tried ||= letter.suspect;
    letter.suspect = false;
    letter.hand?.end();
    letter.hand = new Hand(letter, member, attempt, this.now);
  }

  acked(id: string): void {
    const letter = this.letterOf(id);
    const hand = this.inHand(letter, 'acked');
    const { ack } = hand.member.options;
    if (hand.verb !== 'ack' && ack !== 'none' && !(ack === 'auto' && hand.run?.ended === 'returned'))
      diverge(`${letter} was acked by nobody`);
    hand.end();
    hand.member.mute = false;
    letter.settled(++this.changes, false);
    this.counts.acked++;
    this.count('acked');
  }

  retried(id: string, attempt: number, delay: number): void {
    const letter = this.letterOf(id);
    const { attempts, wait } = this.configuration;
    if (letter.hand === undefined && letter.most !== undefined) {
      // An earlier process had it in hand.
      if (attempt > letter.most) diverge(`${letter} failed attempt ${attempt}, and had no more than ${letter.most}`);
      this.count('retried: of an earlier process');
    } else {
      const hand = this.inHand(letter, 'retried');
      this.checkFailure(hand, 'retried');
      if (attempt !== hand.attempt) diverge(`${hand} failed as attempt ${attempt}, not ${hand.attempt}`);
      if (attempt >= attempts) diverge(`${letter} had ${attempts} attempts, and is retried`);
      const expected = hand.verb === 'nack' ? (hand.delay ?? wait) : wait;
      if (delay !== expected) diverge(`${letter} is retried after ${delay} ms, not ${expected}`);
      this.givenBack(hand);
    }
    letter.failures = attempt;
    letter.most = undefined;
    letter.readyAt = this.now + delay;
    this.counts.retried++;
    this.count('retried');
  }

  deadLettered(id: string, reason: string, to: string | null): void {
    const letter = this.letterOf(id);
    const { attempts, deadLetter } = this.configuration;
    if (to !== (deadLetter === false ? null : `${TOPIC}.${this.name}.dlq`))
      diverge(`${letter} died, and went to ${to}`);
    const hand = letter.dying.shift() ?? letter.hand;
    if (hand !== undefined) {
      const due = reason === 'attempts' ? hand.attempt >= attempts : hand.verb === 'reject';
      if (!due) diverge(`${hand} died of ${reason} at attempt ${hand.attempt}`);
      this.checkFailure(hand, 'dead-lettered');
      hand.end();
    } else if (letter.most === undefined) diverge(`${letter} died of ${reason}, and nobody had it`);
    else this.count('dead-lettered: of an earlier process');
    const at = ++this.changes;
    if (hand?.fenced !== true) letter.settled(at, true);
    // Where the group was moved meanwhile it settles nothing; unless it is the next one of the same message that died.
    else if (letter.hand !== hand) letter.change(at, { done: undefined });
    if (to !== null) letter.change(at, { deaths: letter.deaths + 1, died: true });
    this.counts[to === null ? 'dropped' : 'deadLettered']++;
    this.count(to === null ? 'dropped' : 'dead-lettered');
  }

  /** Failures have a reason: a verb, an error, or the time. */
  private checkFailure(hand: Hand, what: string): void {
    const { run, verb, deadline, member } = hand;
    if (deadline <= this.now) {
      member.silent = true;
      member.mute = verb === undefined && run?.ended === undefined;
      this.count('timed out');
    } else if (verb !== 'nack' && verb !== 'reject' && run?.ended !== 'threw')
      diverge(`${hand} was ${what} for nothing`);
  }

  private inHand(letter: Letter, what: string): Hand {
    const { hand } = letter;
    if (hand === undefined || hand.over || hand.fenced) return diverge(`${letter} was ${what}, and not in hand`);
    return hand;
  }

  /** Back to its place; with it may go what the same batch holds behind it of its order. */
  givenBack(hand: Hand): void {
    hand.end();
    if (hand.member.options.kind !== 'batch') return;
    for (const other of hand.member.hands) {
      if (other.letter.entry.offset > hand.letter.entry.offset && this.areOrdered(hand.letter, other.letter))
        other.doubtful = true;
    }
  }

  // What happens to the group.

  /** It goes on at `to`; what is in hand is fenced. */
  moved(partition: number, to: number): void {
    const at = ++this.changes;
    for (const letter of this.letters[partition] ?? []) {
      this.fence(letter);
      letter.moved(at, letter.entry.offset < to);
    }
    this.moves.push({ partition, to, at });
    this.flushed.delete(partition);
    this.committed.set(partition, to);
  }

  private fence({ hand, dying }: Letter): void {
    for (const one of dying) one.fenced = true;
    if (hand === undefined || hand.over) return;
    hand.fenced = true;
    hand.end();
    // It may be on its way to the dead letters.
    if (hand.run?.ended === 'threw' || hand.deadline <= this.now) dying.push(hand);
    this.count('fenced');
  }

  /** Nobody may have anything of it any more. */
  dissolved(): void {
    for (const letter of this.letters.flat()) this.fence(letter);
  }

  rebalanced(assignment: Readonly<Record<string, readonly number[]>>): void {
    checkMoves(this, assignment);
    this.assignment = assignment;
    this.count('rebalanced');
  }

  /** Retention went on from where it was. */
  trimmed(before: readonly Range[], after: readonly Range[]): void {
    after.forEach(({ first }, partition) => {
      for (let offset = before[partition]?.first ?? 0; offset < first; offset++) {
        const letter = this.letters[partition]?.[offset];
        if (letter !== undefined) this.overtaken(letter);
      }
    });
  }

  private overtaken(letter: Letter): void {
    const { hand, owed, done, entry, suspect } = letter;
    if (hand?.certain(this.now) === true) diverge(`retention took ${hand}`);
    if (owed && !entry.gone) diverge(`retention took ${letter}, which was redriven and is to come`);
    if (done === true) return;
    this.count('missed');
    // It may have died with an earlier process.
    if (done === undefined || entry.gone || suspect) this.perhapsMissed++;
    else this.missed++;
    letter.change(++this.changes, { done: true });
    letter.suspect = false;
  }
}
