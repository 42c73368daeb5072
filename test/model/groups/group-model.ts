import { diverge } from '../divergence.js';
import { ACK_TIMEOUT, type GroupConfiguration } from './configuration.js';
import { Letter, type Trace } from './letter.js';
import type { Hand, MemberModel, Run } from './member-model.js';
import type { Entry, Reader, TopicModel } from './topic-model.js';

export interface Counts {
  delivered: number;
  acked: number;
  retried: number;
  deadLettered: number;
  dropped: number;
}

/** What a group does with the messages of a topic, as the contract says it: nothing of it is how the engine does it. */
export class GroupModel implements Reader {
  readonly configuration: GroupConfiguration;
  readonly topic: TopicModel;
  /** By partition, by offset. */
  letters: Letter[][] = [];
  members: MemberModel[] = [];
  paused = false;
  counts: Counts = { delivered: 0, acked: 0, retried: 0, deadLettered: 0, dropped: 0 };
  /** Messages that retention took before it came to them: what there was, and what the engine said. */
  missed = 0;
  missedToldOf = 0;
  /** Something was settled since it was overtaken last. */
  goneOn = true;
  /** After a crash. */
  perhapsMissed = 0;
  /** Changes so far, and those of them that are flushed: nothing else is sure to be there after a crash. */
  changes = 0;
  sure = 0;
  /** Delivered to somebody who pulls, and not in his hand yet. */
  unclaimed: Hand[] = [];
  /** Where it was moved. */
  moves: { readonly partition: number; readonly to: number; readonly at: number }[] = [];
  assignment: Readonly<Record<string, readonly number[]>> = {};
  /** Died, and the group was moved before they were gone. */
  orphans: Letter[] = [];
  private readonly clock: () => number;
  private readonly count: (outcome: string) => void;

  constructor(
    configuration: GroupConfiguration,
    topic: TopicModel,
    clock: () => number,
    count: (outcome: string) => void,
  ) {
    this.configuration = configuration;
    this.topic = topic;
    this.clock = clock;
    this.count = count;
    const { from = 'earliest' } = configuration;
    for (const partition of topic.partitions) this.follow(partition.number, topic.locate(from, partition));
  }

  get name(): string {
    return this.configuration.name;
  }
  get now(): number {
    return this.clock();
  }
  get ordering(): 'partition' | 'key' | 'none' {
    return this.configuration.ordering ?? 'partition';
  }
  get ackTimeout(): number {
    const { ackTimeout = ACK_TIMEOUT } = this.configuration;
    return ackTimeout === false ? Infinity : ackTimeout;
  }

  private tick(): number {
    return ++this.changes;
  }

  /** A partition is new to it. */
  private follow(number: number, position: number): void {
    this.letters[number] = this.topic.partitions[number]!.entries.map((entry) =>
      this.begin(entry, entry.offset < position),
    );
  }

  private begin(entry: Entry, done: boolean): Letter {
    const letter = new Letter(entry, done);
    letter.trace(this.tick());
    return letter;
  }

  grow(): void {
    for (const { number } of this.topic.partitions) if (this.letters[number] === undefined) this.follow(number, 0);
  }

  accepted(entry: Entry): void {
    this.letters[entry.partition]![entry.offset] = this.begin(entry, false);
  }

  letterOf(id: string): Letter {
    for (const letters of this.letters) {
      const found = letters.findLast(({ entry }) => entry.id === id);
      if (found !== undefined) return found;
    }
    return diverge(`${this.name} has no ${id}`);
  }

  first(partition: number): number {
    return this.topic.partitions[partition]!.first;
  }

  /** What is left of a partition, to this group. */
  kept(partition: number): Letter[] {
    return this.letters[partition]!.slice(this.first(partition));
  }

  /** The next offset that is not settled. */
  committed(partition: number): number {
    const open = this.kept(partition).find(({ done }) => !done);
    return open === undefined ? this.letters[partition]!.length : open.entry.offset;
  }

  // What retention asks.

  passed(partition: number, offset: number): boolean {
    return this.kept(partition).every(
      (letter) => letter.entry.offset > offset || letter.entry.gone || (letter.done && !letter.active),
    );
  }

  inHand(partition: number, offset: number): boolean {
    const letter = this.letters[partition]![offset];
    if (letter?.state === 'hand') this.lapse(letter.hand!);
    // What was given back from the dead letters is kept until it is settled.
    if (letter?.done === true && letter.active) return true;
    return letter?.maybe === undefined && (letter?.state === 'hand' || letter?.state === 'moving');
  }

  overtaken(partition: number, offset: number): void {
    const letter = this.letters[partition]![offset]!;
    this.goneOn = false;
    if (letter.entry.gone) this.perhapsMissed++;
    else if (letter.active || letter.maybe !== undefined) {
      if (letter.waits) this.missed++;
      else if (letter.maybe?.some(({ waiting }) => waiting) === true) this.perhapsMissed++;
      this.count('missed');
    }
    letter.done = true;
    letter.state = 'none';
    letter.maybe = undefined;
    letter.trace(this.tick());
  }

  /** Only this can have been so of a message; false: it cannot. */
  narrow(letter: Letter, is: (trace: Trace) => boolean): boolean {
    return letter.narrow(this.tick(), is);
  }

  // What happens to messages.

  delivered(id: string, attempt: number, consumer: string): void {
    const letter = this.letterOf(id);
    const { partition, offset } = letter.entry;
    const member = this.members.find(({ name }) => name === consumer) ?? diverge(`${consumer} is no member`);
    const what = `${letter} was delivered to ${consumer} of ${this.name}`;
    if (offset < this.first(partition)) diverge(`${what}, and is not there any more`);
    if (letter.entry.gone) diverge(`${what}, and was not to outlive its run`);
    if (this.paused) diverge(`${what}, which is paused`);
    if (!member.canTake) for (const hand of [...member.hands]) this.lapse(hand);
    if (member.options.kind !== 'pull' && !member.canTake) diverge(`${what}, who cannot take anything`);
    if (letter.state === 'hand') this.lapse(letter.hand!);
    const fits = letter.narrow(this.tick(), ({ waiting, readyAt, failures }) => {
      const tried = letter.vague ? attempt > failures && attempt <= failures + 2 : attempt === failures + 1;
      return (waiting || letter.spare > 0) && (letter.vague || readyAt <= this.now) && tried;
    });
    if (letter.state === 'hand' || letter.state === 'moving') diverge(`${what}, and is in hand`);
    if (fits) letter.settle(this.tick());
    if (letter.done && letter.state === 'none' && letter.spare-- <= 0) diverge(`${what}, and was done`);
    if (!fits)
      diverge(`${what} as attempt ${attempt}, with ${JSON.stringify(letter.maybe ?? letter.last)} at ${this.now}`);
    if (letter.vague) letter.failures = attempt - 1;
    this.checkNeighbours(letter, member, what);
    this.hand(letter, member);
  }

  private hand(letter: Letter, member: MemberModel): void {
    const { ackTimeout } = member.options;
    letter.deliveries++;
    const hand: Hand = {
      suspect: letter.vague,
      letter,
      member,
      attempt: letter.failures + 1,
      deliveries: letter.deliveries,
      alone: letter.alone,
      deadline: this.now + ackTimeout,
      live: true,
      aborted: false,
      run: undefined,
      intent: undefined,
      delay: undefined,
      delivery: undefined,
    };
    letter.state = 'hand';
    letter.hand = hand;
    letter.trace(this.tick());
    member.hands.add(hand);
    if (member.options.kind === 'pull') {
      this.unclaimed.push(hand);
      member.waiting--;
    }
    this.counts.delivered++;
    if (letter.done) this.count('delivered: redriven');
    this.count(letter.failures > 0 ? 'delivered: again' : 'delivered: first');
  }

  /** One member per partition, and the order within it. */
  private checkNeighbours(letter: Letter, member: MemberModel, what: string): void {
    const others = this.kept(letter.entry.partition).filter((other) => other !== letter);
    const related = others.filter((other) => this.areOrdered(letter, other));
    for (const other of others) {
      if (other.hand === undefined || other.state !== 'hand') continue;
      const foreign = other.hand.member !== member;
      if (foreign || (related.includes(other) && !joins(other.hand, member))) this.lapse(other.hand);
      if (other.state !== 'hand') continue;
      if (foreign) diverge(`${what} while ${other.hand.member} has ${other}`);
      if (related.includes(other) && !joins(other.hand, member)) diverge(`${what} while ${other} is in hand`);
    }
    for (const other of related) {
      if (other.state === 'moving') diverge(`${what} while ${other} is on its way to the dead letters`);
      if (other.entry.offset > letter.entry.offset || other.entry.gone) continue;
      if (other.state !== 'waiting' || (other.done && other.maybe === undefined)) continue;
      const passed = other.maybe !== undefined && other.narrow(this.tick(), ({ waiting }) => !waiting);
      if (!passed) diverge(`${what} before ${other}`);
    }
    if (this.ordering !== 'none') return;
    const before = others.find(
      (other) => !other.done && other.entry.offset < letter.entry.offset && other.isReady(this.now),
    );
    if (before !== undefined) diverge(`${what} before ${before}, which is ready`);
  }

  /** One has to wait for the other. */
  areOrdered(one: Letter, other: Letter): boolean {
    if (this.ordering === 'none' || one.entry.partition !== other.entry.partition) return false;
    return this.ordering === 'partition' || (one.entry.key !== undefined && one.entry.key === other.entry.key);
  }

  acked(id: string): void {
    const { letter, hand } = this.inHandOf(id, 'acked');
    const { ack } = hand.member.options;
    const returned = ack === 'auto' && hand.run?.ended === 'returned';
    if (ack === 'none') hand.member.heard();
    if (hand.intent !== 'ack' && !returned && ack !== 'none') diverge(`${letter} was acked by nobody`);
    this.end(letter, true);
    this.counts.acked++;
    this.count('acked');
  }

  retried(id: string, attempt: number, delay: number): void {
    const suspect = this.letterOf(id);
    if (suspect.vague && suspect.state !== 'hand') {
      suspect.settle(this.tick());
      Object.assign(suspect, { failures: attempt, readyAt: this.now + delay, state: 'waiting' });
      suspect.trace(this.tick());
      this.counts.retried++;
      return;
    }
    const { letter, hand } = this.inHandOf(id, 'retried');
    if (letter.failures + 1 !== attempt) diverge(`${letter} was retried as ${attempt}, not ${letter.failures + 1}`);
    if (attempt >= this.configuration.attempts) diverge(`${letter} was retried, and had no attempts left`);
    if (!this.explains(hand, 'nack')) diverge(`${letter} was retried for no reason`);
    if (delay !== (hand.delay ?? this.configuration.wait)) diverge(`${letter} waits ${delay}`);
    this.counts.retried++;
    letter.failures = attempt;
    this.back(letter, delay, false);
  }

  deadLettered(id: string, reason: string, to: string | null): void {
    if (to !== null) this.counts.deadLettered++;
    else this.counts.dropped++;
    this.count(to === null ? 'dropped' : `dead: ${reason}`);
    const orphan = this.orphans.findIndex(({ entry }) => entry.id === id);
    if (orphan >= 0) {
      const [letter] = this.orphans.splice(orphan, 1) as [Letter];
      letter.dead++;
      return letter.trace(this.tick());
    }
    const letter = this.letterOf(id);
    if (letter.state === 'hand') this.dies(letter.hand!);
    // It had ended the process, as far as anybody knows.
    if (letter.vague && letter.state !== 'moving') {
      letter.maybe = letter.maybe?.filter(({ waiting }) => waiting);
      letter.settle(this.tick());
      letter.state = 'moving';
    }
    if (letter.state !== 'moving') diverge(`${letter} died, and was not in hand`);
    if (to !== null) letter.dead++;
    this.end(letter, true);
  }

  /** It failed for good: on its way to where the dead letters go. */
  dies(hand: Hand): void {
    const { letter } = hand;
    const rejected = hand.intent === 'reject';
    const over = letter.failures + 1 >= this.configuration.attempts;
    if (!rejected && !hand.aborted && !(over && this.explains(hand, 'nack'))) diverge(`${letter} died for no reason`);
    letter.state = 'moving';
    letter.potential(this.tick(), { done: true, waiting: false, dead: letter.dead + 1 });
    this.release(hand);
  }

  /** Whether a failure of it is to be expected. */
  private explains(hand: Hand, intent: 'nack'): boolean {
    if (hand.intent === intent) return true;
    const { run, member } = hand;
    const { ack } = member.options;
    if (run?.ended instanceof Error && ack !== 'none' && (run.hands.length === 1 || member.options.kind === 'single'))
      return true;
    if (hand.deadline > this.now) return false;
    this.takenBack(hand);
    member.silent = this.members.includes(member);
    this.count('timed out');
    return true;
  }

  /** Out of a hand that did not let go of it. */
  takenBack(hand: Hand): void {
    hand.aborted = true;
    const { run, member } = hand;
    if (run === undefined || !member.running.delete(run)) return;
    run.lost = true;
    member.lost.add(run);
  }

  /** What ends without an event, or before it: its batch failed, its consumer closed and does not wait any longer, it dies. */
  lapse(hand: Hand): void {
    if (!hand.live) return;
    const { member, run, letter } = hand;
    if (letter.failures + 1 >= this.configuration.attempts && this.configuration.deadLetter !== false) {
      if (this.explains(hand, 'nack')) return this.dies(hand);
    }
    const several = run !== undefined && run.hands.length > 1;
    if (several && run.ended instanceof Error && member.options.ack !== 'none') {
      this.count('unbatched');
      return this.back(letter, 0, true);
    }
    if (member.closesAt !== undefined && member.closesAt <= this.now && run !== undefined && run.ended === undefined) {
      this.takenBack(hand);
      this.count('abandoned');
      this.back(letter, 0, false);
    }
  }

  /** Back to its place; with it goes what the same hand holds behind it of its order. */
  back(letter: Letter, delay: number, alone: boolean): void {
    const { hand } = letter;
    this.end(letter, letter.done);
    letter.state = 'waiting';
    letter.readyAt = this.now + delay;
    letter.alone = alone;
    letter.trace(this.tick());
    for (const other of [...hand!.member.hands]) {
      if (!other.live || other.letter.entry.partition !== letter.entry.partition) continue;
      if (other.letter.entry.offset < letter.entry.offset || !this.areOrdered(letter, other.letter)) continue;
      this.count('given back with another');
      this.back(other.letter, 0, alone);
    }
  }

  /** Nobody has it any more. */
  private end(letter: Letter, done: boolean): void {
    if (done) this.goneOn = true;
    if (letter.hand !== undefined) this.release(letter.hand);
    letter.hand = undefined;
    letter.done = done;
    letter.state = 'none';
    letter.trace(this.tick());
  }

  release(hand: Hand): void {
    hand.live = false;
    hand.member.hands.delete(hand);
  }

  private inHandOf(id: string, what: string): { letter: Letter; hand: Hand } {
    const letter = this.letterOf(id);
    const { hand } = letter;
    if (letter.state !== 'hand' || hand === undefined)
      return diverge(`${letter} was ${what}, and not in hand of ${this.name}`);
    return { letter, hand };
  }

  /** Somebody calls a verb; whether it does anything. What it does is told by events, where there are any. */
  verb(hand: Hand, verb: 'ack' | 'nack' | 'reject' | 'requeue', delay?: number): boolean {
    const { letter, member } = hand;
    if (this.members.includes(member)) member.heard();
    if (!hand.live) return false;
    if (verb === 'requeue') {
      this.back(letter, delay ?? 0, false);
      return true;
    }
    hand.intent = verb;
    hand.delay = delay;
    const over = verb === 'reject' || (verb === 'nack' && letter.failures + 1 >= this.configuration.attempts);
    if (over && this.configuration.deadLetter !== false) this.dies(hand);
    return true;
  }

  // What happens to the group.

  /** It goes on at `position`; what is in hand is fenced. */
  moved(partition: number, position: number): void {
    this.tick();
    const at = this.changes;
    for (const letter of this.kept(partition)) {
      if (letter.state === 'moving') this.orphans.push(letter);
      const { hand } = letter;
      if (hand !== undefined && letter.state === 'hand') {
        this.takenBack(hand);
        this.release(hand);
        this.count('fenced');
      }
      const orphaned = letter.state === 'moving';
      Object.assign(letter, {
        hand: undefined,
        failures: 0,
        deliveries: 0,
        readyAt: 0,
        alone: false,
        maybe: undefined,
      });
      letter.done = letter.entry.offset < position;
      letter.state = letter.done ? 'none' : 'waiting';
      letter.trace(this.tick());
      if (orphaned) letter.potential(this.tick(), { dead: letter.dead + 1 });
    }
    this.moves.push({ partition, to: position, at });
  }

  /** Partitions were shared out: each to one member, and where members keep what they can, nothing moves that need not. */
  rebalanced(assignment: Readonly<Record<string, readonly number[]>>): void {
    const shares = Object.values(assignment);
    const all = shares.flat().sort((a, b) => a - b);
    const expected = shares.length === 0 ? [] : this.topic.partitions.map(({ number }) => number);
    if (all.join() !== expected.join()) diverge(`${this.name} is shared out as ${JSON.stringify(assignment)}`);
    const before = this.assignment;
    this.assignment = assignment;
    this.count('rebalanced');
    if ((this.configuration.assignor ?? 'sticky') !== 'sticky') return;
    for (const [name, had] of Object.entries(before)) {
      const has = assignment[name] ?? [];
      const kept = had.filter((partition) => has.includes(partition));
      if (name in assignment && kept.length < Math.min(had.length, has.length))
        diverge(`${name} had ${had.join()} and has ${has.join()}: more moved than had to`);
    }
  }

  /** The process ends: what is in hand goes back. */
  closed(): void {
    for (const hand of this.members.flatMap(({ hands }) => [...hands])) {
      hand.aborted = true;
      if (!hand.live) continue;
      const { letter } = hand;
      this.end(letter, letter.done);
      letter.state = 'waiting';
      letter.readyAt = this.now;
      letter.trace(this.tick());
    }
    for (const letter of this.letters.flat()) letter.alone = false;
    // What was not told yet goes with the process.
    this.missed = this.missedToldOf;
    this.sure = this.changes;
    this.leave();
  }

  /** The process died. */
  crashed(): void {
    for (const letter of this.letters.flat()) {
      if (letter.entry.gone) Object.assign(letter, { state: 'none', hand: undefined, maybe: undefined });
      else letter.crash(this.sure, this.configuration.attempts);
    }
    this.orphans = [];
    this.leave();
  }

  private leave(): void {
    this.members = [];
    this.unclaimed = [];
    this.assignment = {};
    this.paused = false;
  }

  /** A message that an earlier run published, and had no answer for. */
  found(entry: Entry): void {
    this.letters[entry.partition]![entry.offset] = this.begin(entry, false);
  }

  /** A dead letter of it is to be delivered once more. */
  revived(letter: Letter): void {
    letter.dead--;
    letter.maybe = letter.maybe?.map((trace) => {
      const dead = trace.dead - 1;
      if (trace.waiting || !trace.done) return { ...trace, dead };
      return { ...trace, dead, waiting: true, failures: 0, deliveries: 0, readyAt: 0 };
    });
    if (letter.done && letter.state === 'waiting') letter.spare++;
    if (letter.done && letter.state === 'none') {
      Object.assign(letter, { state: 'waiting', failures: 0, deliveries: 0, readyAt: 0, alone: false });
    }
    letter.trace(this.tick());
  }
}

/** Whether a batch of this member may go on beside what it has gathered. */
function joins({ member, run }: Hand, other: MemberModel): boolean {
  return member === other && member.options.kind === 'batch' && run === undefined;
}

export type { Run };
