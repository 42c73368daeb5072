import { encodedBytes } from '../codec.js';
import type { StoredEntry } from '../storage/storage.js';
import type { Agenda, Alarm } from './agenda.js';
import { ownEntry } from './buffer.js';
import type { Head } from './head.js';
import type { Partition } from './partition.js';

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

interface Kept {
  readonly offset: number;
  readonly head: Head;
  readonly size: number;
}

/**
 * Deletes what a topic does not keep any longer, oldest first, whichever limit is passed first. Never what a group has in hand: what
 * is behind that waits for it.
 */
export class Retention {
  private limits: RetentionLimits;
  private readonly owner: RetentionOwner;
  private readonly alarm: Alarm;
  /** The oldest entries of each partition, last first; empty: to be read. */
  private readonly fronts = new Map<Partition, Kept[]>();
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

  /** A group settled something. */
  passed(): void {
    if (this.limits.consumed || this.blocked) this.check();
  }

  close(): void {
    this.alarm.clear();
    this.closed = true;
  }

  /** Drops what has to go. Goes on by itself where that has to be read first. */
  check(): void {
    if (this.reading || this.closed) return;
    this.count();
    const touched = new Set<Partition>();
    this.blocked = false;
    if (this.limits.consumed) this.dropPassed(touched);
    for (let victim = this.next(); victim !== undefined; victim = this.next()) this.drop(victim, touched);
    if (touched.size > 0) this.owner.dropped(touched);
    this.watch();
  }

  private count(): void {
    const { partitions } = this.owner;
    this.messages = partitions.reduce((sum, { size }) => sum + size, 0);
    this.bytes = partitions.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private drop(partition: Partition, touched: Set<Partition>): void {
    const { offset, size } = this.fronts.get(partition)!.pop()!;
    partition.first = offset + 1;
    partition.bytes -= size;
    this.messages--;
    this.bytes -= size;
    touched.add(partition);
  }

  private dropPassed(touched: Set<Partition>): void {
    for (const partition of this.owner.partitions) {
      const to = this.owner.passed(partition);
      if (to <= partition.first) continue;
      if (to === partition.next) {
        // All of it: nothing has to be looked at.
        Object.assign(partition, { first: to, bytes: 0 });
        this.fronts.delete(partition);
        touched.add(partition);
      }
      while (partition.first < to && this.front(partition) !== undefined) this.drop(partition, touched);
    }
  }

  private get overfull(): boolean {
    return this.messages > this.limits.messages || this.bytes > this.limits.bytes;
  }

  /** The partition whose oldest message has to go; undefined: none, or it is being read. */
  private next(): Partition | undefined {
    const { owner, limits } = this;
    if (limits.time === Infinity && !this.overfull) return undefined;
    const oldest = this.oldest();
    if (oldest === undefined) return undefined;
    const { partition, kept } = oldest;
    if (kept.head.arrived + limits.time > owner.now() && !this.overfull) return undefined;
    this.blocked = kept.offset >= owner.inHand(partition);
    return this.blocked ? undefined : partition;
  }

  private oldest(): { readonly partition: Partition; readonly kept: Kept } | undefined {
    let found: { readonly partition: Partition; readonly kept: Kept } | undefined;
    for (const partition of this.owner.partitions) {
      if (partition.size === 0) continue;
      const kept = this.front(partition);
      if (kept === undefined) return undefined;
      if (found === undefined || kept.head.compareAge(found.kept.head) < 0) found = { partition, kept };
    }
    return found;
  }

  /** The oldest message of a partition that has one; undefined: it is being read. */
  private front(partition: Partition): Kept | undefined {
    const known = this.fronts.get(partition)?.at(-1);
    if (known !== undefined) return known;
    const read = partition.read(partition.first);
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
        if (!this.closed) this.owner.report(error);
      },
    );
    return undefined;
  }

  private absorb(partition: Partition, entries: readonly StoredEntry[]): Kept | undefined {
    const visible = entries.filter(({ offset }) => offset < partition.next);
    const front = visible.map(({ offset, entry }) => {
      return { offset, head: ownEntry(entry).head, size: encodedBytes(entry.body) };
    });
    // Nothing is left of it in the log.
    if (front.length === 0) Object.assign(partition, { first: partition.next, bytes: 0 });
    this.fronts.set(partition, front.reverse());
    return front.at(-1);
  }

  /** Looks again when the oldest message is too old. */
  private watch(): void {
    if (this.limits.time === Infinity || this.reading) return;
    const oldest = this.oldest();
    if (this.reading) return;
    const due = oldest === undefined ? Infinity : oldest.kept.head.arrived + this.limits.time;
    // What is in hand is asked for again when something is settled.
    this.alarm.set(this.blocked ? Infinity : due);
  }
}
