import type { SluiceError } from '../../errors.js';
import type { Awaitable } from '../../storage/storage.js';
import { ownEntry, type LogEntry } from '../cursor/buffer.js';
import type { Cursor } from '../cursor/cursor.js';
import { CursorLog } from '../cursor/cursor-log.js';
import { restore } from '../cursor/cursor-recovery.js';
import { fence } from '../ending.js';
import type { Engine } from '../engine.js';
import { groupLogOf } from '../log-names.js';
import { Membership } from './membership.js';
import type { Partition } from './partition.js';
import { policyOf } from '../retry.js';
import type { Bury } from '../settlement.js';
import { Subscription } from '../subscription.js';
import type { Taken } from '../taken.js';
import type { Follower, TopicInbox } from './topic-inbox.js';

export interface GroupOffsets {
  readonly partition: number;
  /** The next offset that is not settled. */
  readonly committed: number;
  /** One after the last message. */
  readonly end: number;
  readonly lag: number;
  /** Who has it; nobody, where the group has no members. */
  readonly member?: string | undefined;
}

/**
 * The place of a group in a topic: a cursor per partition, and the members who share them.
 *
 *     partition 0   ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒        cursor ──► member a
 *                           ▲ committed ▲ end
 *     partition 1   ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒             cursor ──► member b
 */
export class GroupPosition implements Follower {
  readonly subscription: Subscription;
  readonly membership: Membership;
  private readonly name: string;
  private readonly inbox: TopicInbox;
  private readonly engine: Engine;
  private readonly log: string;
  /** Partitions in which retention has overtaken it since it last went on: the first time was told, the rest is counted. */
  private readonly gaps = new Map<number, { readonly from: number; missed: number }>();
  /** Where it begins is being looked up. */
  started: Promise<void> | undefined;

  constructor(engine: Engine, inbox: TopicInbox, name: string, bury: Bury) {
    const { events } = engine;
    this.engine = engine;
    this.inbox = inbox;
    this.name = name;
    this.log = groupLogOf(inbox.name, name);
    this.membership = new Membership({
      cursors: () => this.subscription.stock.cursors,
      rebalanced: (assignment) => {
        // Those who leave because the broker closes leave for good.
        if (events.heard.rebalanced && !inbox.closed)
          events.emit('rebalanced', { topic: inbox.name, group: name, assignment });
      },
      rested: () => this.subscription.rested(),
    });
    this.subscription = new Subscription(engine, {
      name: inbox.name,
      group: name,
      roster: this.membership,
      keeper: { passed: (cursors) => this.passed(cursors), released: () => inbox.retention.passed() },
      policy: policyOf([], { buries: true, buriesOverflow: false }, () => undefined),
      bury,
      relieved: () => undefined,
      loaded: () => undefined,
    });
  }

  /** Begins at a place of its own in each partition. Where that has to be looked up first, nothing is delivered before. */
  start(locate: (partition: Partition) => Awaitable<number>): void {
    this.keepRecord();
    const found = this.inbox.partitions.map(locate);
    const begin = (positions: readonly number[]): void => {
      if (this.inbox.closed) return; // Where it was to begin is written down: the next run finds it.
      this.open(positions);
      this.subscription.stock.drops.upset();
      this.subscription.beginning = false;
      this.subscription.rested();
    };
    if (!found.some((one) => one instanceof Promise)) return begin(found as number[]);
    this.subscription.beginning = true;
    this.started = Promise.all(found.map(async (one) => one)).then(begin, (error: unknown) => {
      if (!this.inbox.closed) this.subscription.report(error);
      begin([]);
    });
  }

  /** As an earlier run left it, which may have ended before it began. */
  async recover(locate: (partition: Partition) => Awaitable<number>): Promise<void> {
    const { journal } = this.inbox;
    const { first, next } = journal.rangeOf(this.log);
    if (next === 0) {
      this.start(locate);
      return this.started;
    }
    this.keepRecord();
    this.open([]);
    this.subscription.recovered(await restore(this.subscription.stock, journal, this.log, first));
  }

  private keepRecord(): void {
    const { stock } = this.subscription;
    const { journal, followers } = this.inbox;
    // It has no cursors until it is open again.
    followers.delete(this);
    const inHand = (): Iterable<Taken> => this.subscription.inHand();
    const record = journal.lasting
      ? new CursorLog(this.log, stock.cursors, stock.books, inHand, stock.suspects, stock.expiry)
      : undefined;
    stock.restart(journal, record);
  }

  private open(positions: readonly number[]): void {
    this.started = undefined;
    if (this.subscription.closed) return;
    this.inbox.followers.add(this);
    this.grow(positions);
  }

  /** The topic has more partitions: what is new begins with them. */
  grow(positions: readonly number[] = []): void {
    if (this.started !== undefined) return;
    const { stock } = this.subscription;
    for (const partition of this.inbox.partitions.slice(stock.cursors.length)) {
      const { log, boundary, range, number, first } = partition;
      stock.open(log, range, { position: partition.clamp(positions[number] ?? first), boundary });
    }
    this.membership.rebalance();
  }

  arrived(partition: Partition, offset: number, entry: LogEntry): void {
    const { subscription } = this;
    subscription.arrive(subscription.stock.cursors[partition.number]!, offset, entry);
  }

  /** The lowest offset of a partition that is in hand, or was given back from the dead letters; or Infinity. */
  lowestInHand({ number }: Partition): number {
    const cursor = this.subscription.stock.cursors[number];
    let lowest = Infinity;
    if (cursor === undefined) return lowest;
    for (const offset of cursor.returned.revived) lowest = Math.min(lowest, offset);
    if (cursor.out === 0) return lowest;
    for (const taken of this.subscription.inHand()) {
      if (taken.cursor === cursor) lowest = Math.min(lowest, taken.offset);
    }
    return lowest;
  }

  /** The next offset of a partition that is not settled. */
  committed({ number, first }: Partition): number {
    return Math.max(first, this.subscription.stock.cursors[number]?.settled.low ?? first);
  }

  /** It will not need what lies below, come what may: what is in hand is not settled, but for what was given back from the dead letters. */
  done(partition: Partition): number {
    let done = this.committed(partition);
    const cursor = this.subscription.stock.cursors[partition.number];
    if (cursor !== undefined) for (const offset of cursor.returned.revived) done = Math.min(done, offset);
    return done;
  }

  offsets(): GroupOffsets[] {
    return this.inbox.partitions.map((partition) => {
      const committed = this.committed(partition);
      const { number, next: end } = partition;
      const member = this.membership.memberOf(number);
      return { partition: number, committed, end, lag: end - committed, ...(member === undefined ? {} : { member }) };
    });
  }

  /** Retention has deleted what lies below the first of this partition. */
  overtaken({ number, first }: Partition): void {
    const { stock } = this.subscription;
    const cursor = stock.cursors[number];
    if (cursor === undefined || !cursor.behind(first)) return;
    const from = cursor.settled.low;
    const reading = cursor.reader.busy;
    const missed = stock.overtake(cursor, first);
    if (reading) stock.loaded();
    else this.subscription.restocked(cursor);
    const gap = this.gaps.get(number);
    if (gap === undefined) this.gaps.set(number, { from: first, missed: 0 });
    else gap.missed += missed;
    if (gap === undefined) this.warn(number, missed, from, first);
  }

  /** Something was settled: the group goes on. */
  private passed(cursors: Iterable<Cursor>): void {
    this.tell();
    const { retention, partitions } = this.inbox;
    retention.passed(Array.from(cursors, ({ number }) => partitions[number]!));
  }

  /** What was missed since the last warning is told now. */
  tell(): void {
    for (const [number, { from, missed }] of this.gaps)
      this.warn(number, missed, from, this.inbox.partitions[number]!.first);
    this.gaps.clear();
  }

  private warn(partition: number, missed: number, from: number, to: number): void {
    const { events } = this.engine;
    if (missed === 0 || !events.heard.warning) return;
    const [group, topic] = [this.name, this.inbox.name];
    const message = `group ${JSON.stringify(group)} of topic ${JSON.stringify(topic)} was overtaken by retention: it missed ${missed} of partition ${partition}, and goes on at offset ${to}`;
    const details = { topic, group, partition, missed, from, to };
    events.emit('warning', { code: 'GROUP_OVERTAKEN', message, details });
  }

  /** Whether this message is still in the topic, at its place: another topic may have had the name. */
  async holds(partition: number, offset: number, id: string): Promise<boolean> {
    if (!this.has(partition, offset)) return false;
    const [found] = await this.inbox.partitions[partition]!.read(offset, { entries: 1, bytes: 1 });
    const same = found?.offset === offset && this.engine.identities.of(ownEntry(found.entry).head) === id;
    return same && this.has(partition, offset);
  }

  private has(partition: number, offset: number): boolean {
    if (this.inbox.deleted || this.subscription.closed) return false;
    const { first, next } = this.inbox.partitions[partition] ?? { first: 0, next: 0 };
    return offset >= first && offset < next && this.subscription.stock.cursors[partition] !== undefined;
  }

  /** What died here is delivered once more, attempts counted from 1. Done when that is stored. */
  revive(partition: number, offset: number): Awaitable<void> {
    if (!this.has(partition, offset))
      throw new Error(`offset ${offset} of partition ${partition} is not there any more`);
    const { stock } = this.subscription;
    stock.revive(stock.cursors[partition]!, offset);
    return this.stored();
  }

  /** Goes on elsewhere in a partition. What is in hand of it is fenced: its signal aborts, its verbs do nothing. */
  move(partition: Partition, offset: number, reason: SluiceError): void {
    const { subscription, membership } = this;
    const { stock } = subscription;
    const cursor = stock.cursors[partition.number]!;
    const { boundary, range } = partition;
    stock.reopen(cursor, range, { position: partition.clamp(offset), boundary });
    fence(subscription, cursor, reason);
    membership.vacated(stock.cursors[partition.number]!);
    // Who waited for a read of it gets nothing from that any more.
    stock.loaded();
  }

  /** Resolves when what was moved is stored. */
  stored(): Awaitable<void> {
    return this.inbox.journal.tidy();
  }

  /** Nothing of it is left. */
  async remove(): Promise<void> {
    const { journal } = this.inbox;
    if (journal.lasting) await journal.write([{ type: 'remove', log: this.log }]);
  }
}
