import type { Position } from '../../../src/index.js';
import { partitionOf } from '../../../src/routing/partitioner.js';
import { diverge } from '../divergence.js';

/** A message as it was published. */
export interface Draft {
  readonly number: number;
  readonly id: string;
  readonly key: string | undefined;
  /** Named by whoever published it. */
  readonly partition: number | undefined;
  /** Partitions that there were then. */
  readonly partitions: number;
  readonly transient: boolean;
  readonly sentAt: number;
}

/** A message where it is. */
export interface Entry extends Draft {
  readonly partition: number;
  readonly offset: number;
  /** It was not to outlive an earlier run. */
  gone: boolean;
  /** It is there to stay, whatever happens. */
  confirmed: boolean;
}

export interface Range {
  readonly first: number;
  readonly next: number;
}

export interface Found {
  readonly id: string;
  readonly partition: number;
  readonly offset: number;
}

/** What a topic has taken in, by what it said of it: entries[partition][offset], whether they are kept or not. */
export class Entries {
  /** Published, and not there yet. */
  readonly sending = new Map<string, Draft>();
  readonly partitions: Entry[][] = [];
  /** What is left of each partition. */
  ranges: readonly Range[] = [];

  grow(count: number): void {
    while (this.partitions.length < count) this.partitions.push([]);
  }

  /** The one that came is in the only partition that has grown. */
  accepted(id: string, ranges: readonly Range[]): Entry {
    const draft = this.sending.get(id) ?? diverge(`${id} was accepted, and nobody published it`);
    this.sending.delete(id);
    const grown = ranges.flatMap(({ next }, number) => (next === this.partitions[number]!.length ? [] : [number]));
    if (grown.length !== 1) diverge(`${id} came into ${grown.length} partitions`);
    const [partition] = grown as [number];
    const offset = this.partitions[partition]!.length;
    if (ranges[partition]!.next !== offset + 1) diverge(`partition ${partition} has a gap at ${offset}`);
    const { partition: named, key, partitions } = draft;
    const expected = named ?? (key === undefined ? partition : partitionOf(key, partitions));
    if (partition !== expected) diverge(`${id} is in partition ${partition}, not in ${expected}`);
    return this.put(draft, partition, offset);
  }

  private put(draft: Draft, partition: number, offset: number): Entry {
    const entry: Entry = { ...draft, partition, offset, gone: false, confirmed: false };
    this.partitions[partition]![offset] = entry;
    return entry;
  }

  /** A receipt, or what was read. */
  checkPlace({ id, partition, offset }: Found): Entry {
    const entry = this.partitions[partition]?.[offset];
    if (entry?.id !== id) diverge(`${id} is said to be at ${partition}@${offset}, where ${entry?.id} is`);
    return entry;
  }

  /** What is left of a partition, and was to stay. */
  kept(partition: number): Entry[] {
    return this.partitions[partition]!.slice(this.ranges[partition]!.first).filter(({ gone }) => !gone);
  }

  /** The offset of a position. */
  locate(position: Position, partition: number): number {
    const { first, next } = this.ranges[partition]!;
    if (position === 'earliest') return first;
    if (position === 'latest') return next;
    if (typeof position === 'number') return Math.min(Math.max(position, first), next);
    const entries = this.partitions[partition]!;
    const found = entries.findIndex(({ sentAt }, offset) => offset >= first && sentAt >= position.getTime());
    return found < 0 ? next : found;
  }

  /** The process ended: what was not to outlive it is gone. */
  forgetTransients(): void {
    for (const entry of this.partitions.flat()) if (entry.transient) entry.gone = true;
  }

  /** After a crash: the logs end here. What lay behind that and was not confirmed may be lost. */
  cut(ranges: readonly Range[]): Entry[] {
    const lost = this.partitions.flatMap((entries, number) => entries.splice(ranges[number]!.next));
    for (const { id, confirmed } of lost) if (confirmed) diverge(`${id} was confirmed, and is lost`);
    this.ranges = ranges;
    return lost;
  }

  /** After a crash: everything that can be read is what was published, in its place; what was never answered may be there, too. */
  recover(found: readonly Found[]): Entry[] {
    const news: Entry[] = [];
    const there = new Set(found.map(({ id }) => id));
    for (const one of found) {
      const draft = this.sending.get(one.id);
      if (draft === undefined) this.checkPlace(one);
      else news.push(this.put(draft, one.partition, one.offset));
    }
    this.partitions.forEach((entries, partition) => {
      const { first, next } = this.ranges[partition]!;
      for (let offset = 0; offset < next; offset++) {
        // Never answered, and gone by now.
        const entry = entries[offset] ?? unknown(partition, offset);
        if (entries[offset] === undefined) news.push((entries[offset] = entry));
        if (offset >= first && !entry.gone && !there.has(entry.id)) diverge(`${entry.id} is not there any more`);
      }
    });
    this.sending.clear();
    return news;
  }
}

function unknown(partition: number, offset: number): Entry {
  const draft = { number: -1, id: `?${partition}@${offset}`, key: undefined, partitions: 0, transient: true };
  return { ...draft, partition, offset, sentAt: 0, gone: true, confirmed: false };
}
