import type { StoredEntry } from '../../storage/storage.js';
import type { Agenda, Alarm } from '../agenda.js';
import { ownHead } from '../cursor/buffer.js';
import type { Head } from '../head.js';
import { shareOf, type Partition } from './partition.js';

/** What a topic keeps at most, in all its partitions together; Infinity: no limit. */
export interface RetentionLimits {
  /** ms. */
  readonly time: number;
  readonly bytes: number;
  readonly messages: number;
  /** What every group has passed goes as well. */
  readonly consumed: boolean;
}

/** Whose messages are kept. */
export interface RetentionOwner {
  readonly partitions: readonly Partition[];
  now(): number;
  /** The lowest offset that a group has in hand, or Infinity. */
  inHand(partition: Partition): number;
  /** Every group is done with what lies below; nothing is, where there is no group. */
  passed(partition: Partition): number;
  /** What lies below `first` of these is gone. */
  dropped(partitions: Iterable<Partition>): void;
  report(error: unknown): void;
}

/** After a read that failed, ms. */
const READ_AGAIN = 1000;

/** What has to be known of a message, and nothing more: there is one for each of some hundred messages of every partition. */
interface Kept {
  readonly offset: number;
  readonly head: Head;
}

type Oldest = readonly [partition: Partition, entry: Kept];

/** The oldest entries of a partition, and how many of these are gone. */
interface Front {
  readonly entries: readonly Kept[];
  gone: number;
}

/**
 * Deletes what a topic does not keep any longer, oldest first, whichever limit is passed first. Never what a group has in hand: what
 * is behind that waits for it.
 */
export class Retention {
  private limits: RetentionLimits;
  private readonly owner: RetentionOwner;
  private readonly alarm: Alarm;
  /** Used up, or not there: to be read. */
  private readonly fronts = new Map<Partition, Front>();
  /** In all partitions together. */
  private messages = 0;
  private bytes = 0;
  private reading = false;
  private closed = false;
  /** The oldest would have to go, and is in hand. */
  private blocked = false;

  constructor(agenda: Agenda, owner: RetentionOwner, limits: RetentionLimits) {
    this.owner = owner;
    this.limits = limits;
    this.alarm = agenda.alarm(() => this.check());
  }

  /** What is over goes with the next check(). */
  limit(limits: RetentionLimits): void {
    this.limits = limits;
  }

  /** A message of so many bytes came. */
  arrived(size: number): void {
    const { time } = this.limits;
    this.messages++;
    this.bytes += size;
    if (this.closed) return;
    if (this.alarm.at < 0 && time !== Infinity) this.alarm.set(this.owner.now() + time);
    if (this.overfull) this.check();
  }

  /** A group settled something of these, or may hold up nothing any more. */
  passed(partitions: Iterable<Partition> = this.owner.partitions): void {
    if (this.limits.consumed || this.blocked) this.look(partitions);
  }

  close(): void {
    this.alarm.clear();
    this.closed = true;
  }

  /** Drops what has to go. Goes on by itself where that has to be read first. */
  check(): void {
    this.count();
    this.look(this.owner.partitions);
  }

  /** As check(), where groups have gone on in these partitions only. */
  private look(partitions: Iterable<Partition>): void {
    if (this.reading || this.closed) return;
    const touched = new Set<Partition>();
    this.blocked = false;
    if (this.limits.consumed) this.dropPassed(partitions, touched);
    for (let next = this.next(); next !== undefined; next = this.next()) this.drop(...next, touched);
    if (touched.size > 0) this.owner.dropped(touched);
    this.watch();
  }

  private count(): void {
    const { partitions } = this.owner;
    this.messages = partitions.reduce((sum, { size }) => sum + size, 0);
    this.bytes = partitions.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The oldest message of a partition goes: `oldest`. */
  private drop(partition: Partition, oldest: Kept, touched: Set<Partition>): void {
    this.fronts.get(partition)!.gone++;
    this.advance(partition, oldest.offset + 1, oldest.head.size);
    touched.add(partition);
  }

  /** What lies below `first` is gone: `bytes` of it. */
  private advance(partition: Partition, first: number, bytes: number): void {
    this.messages -= first - partition.first;
    this.bytes -= bytes;
    partition.first = first;
    partition.bytes -= bytes;
  }

  private dropPassed(partitions: Iterable<Partition>, touched: Set<Partition>): void {
    for (const partition of partitions) {
      const to = this.owner.passed(partition);
      if (to <= partition.first) continue;
      if (to === partition.next || partition.bytes === 0) {
        // All of it, or of no weight, as what passes by reference: nothing has to be looked at.
        this.advance(partition, to, partition.bytes);
        this.fronts.delete(partition);
        touched.add(partition);
      }
      while (partition.first < to) {
        const oldest = this.front(partition);
        if (oldest === undefined) break;
        this.drop(partition, oldest, touched);
      }
    }
  }

  private get overfull(): boolean {
    return this.messages > this.limits.messages || this.bytes > this.limits.bytes;
  }

  /** What has to go next; undefined: nothing, or it is being read. */
  private next(): Oldest | undefined {
    const { owner, limits } = this;
    if (limits.time === Infinity && !this.overfull) return undefined;
    const oldest = this.oldest();
    if (oldest === undefined) return undefined;
    const [partition, entry] = oldest;
    if (!this.overfull && entry.head.arrived + limits.time > owner.now()) return undefined;
    this.blocked = entry.offset >= owner.inHand(partition);
    return this.blocked ? undefined : oldest;
  }

  private oldest(): Oldest | undefined {
    let found: Oldest | undefined;
    for (const partition of this.owner.partitions) {
      if (partition.size === 0) continue;
      const entry = this.front(partition);
      if (entry === undefined) return undefined;
      if (found === undefined || entry.head.compareAge(found[1].head) < 0) found = [partition, entry];
    }
    return found;
  }

  /** The oldest message of a partition that has one; undefined: it is being read. */
  private front(partition: Partition): Kept | undefined {
    const known = this.fronts.get(partition);
    if (known !== undefined && known.gone < known.entries.length) return known.entries[known.gone];
    // One at a time: while this one is read, nothing is dropped, so that what it finds is the oldest still.
    if (this.reading) return undefined;
    const read = partition.read(partition.first, shareOf(this.owner.partitions.length));
    if (!(read instanceof Promise)) return this.absorb(partition, read);
    this.reading = true;
    read.then(
      (entries) => {
        this.absorb(partition, entries);
        this.reading = false;
        this.check();
      },
      (error: unknown) => {
        this.reading = false;
        if (this.closed) return;
        this.owner.report(error);
        this.alarm.set(this.owner.now() + READ_AGAIN);
      },
    );
    return undefined;
  }

  private absorb(partition: Partition, entries: readonly StoredEntry[]): Kept | undefined {
    // What is not visible yet is asked for again later.
    const visible = entries.filter(({ offset }) => offset < partition.next);
    const front = visible.map(({ offset, entry }) => ({ offset, head: ownHead(entry) }));
    // Nothing is left of it in the log.
    if (front.length === 0) this.advance(partition, partition.next, partition.bytes);
    this.fronts.set(partition, { entries: front, gone: 0 });
    return front[0];
  }

  /** Looks again when the oldest message is too old. */
  private watch(): void {
    if (this.limits.time === Infinity || this.reading) return;
    const oldest = this.oldest();
    if (this.reading) return;
    const due = oldest === undefined ? Infinity : oldest[1].head.arrived + this.limits.time;
    // What is in hand is asked for again when something is settled.
    this.alarm.set(this.blocked ? Infinity : due);
  }
}
