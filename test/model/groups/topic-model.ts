import type { Position, RetentionOptions } from '../../../src/index.js';
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
  readonly bytes: number;
  readonly sentAt: number;
}

/** A message where it is. */
export interface Entry extends Draft {
  readonly partition: number;
  readonly offset: number;
  /** It was not to outlive an earlier run. */
  gone: boolean;
  /** It was there to stay, whatever happens. */
  confirmed: boolean;
}

/** What is left of one log: `entries[offset]`, from `first` on. */
export interface PartitionModel {
  readonly number: number;
  first: number;
  entries: Entry[];
}

/** Who reads the topic. */
export interface Reader {
  /** Whether it is done with this message, and all before it. */
  passed(partition: number, offset: number): boolean;
  /** Whether somebody has it in hand. */
  inHand(partition: number, offset: number): boolean;
  /** It is not there any more. */
  overtaken(partition: number, offset: number): void;
}

export interface Range {
  readonly first: number;
  readonly next: number;
}

/** A partitioned log, as naively as it can be written. */
export class TopicModel {
  readonly partitions: PartitionModel[] = [];
  readonly readers = new Set<Reader>();
  readonly retention: RetentionOptions;
  /** Published, and not there yet, in order. */
  sending: Draft[] = [];
  private readonly count: (outcome: string) => void;

  constructor(retention: RetentionOptions, count: (outcome: string) => void) {
    this.retention = retention;
    this.count = count;
  }

  grow(partitions: number): void {
    while (this.partitions.length < partitions) {
      this.partitions.push({ number: this.partitions.length, first: 0, entries: [] });
    }
  }

  /** Where it is by what the engine says that each partition has now. */
  accepted(id: string, ranges: readonly Range[]): Entry {
    const at = this.sending.findIndex((draft) => draft.id === id);
    if (at !== 0)
      diverge(`${id} was accepted ${at < 0 ? 'out of nothing' : 'before others that were published before'}`);
    const draft = this.sending.shift()!;
    const grown = this.partitions.filter(({ number, entries }) => ranges[number]!.next !== entries.length);
    if (grown.length !== 1) diverge(`${id} came into ${grown.length} partitions`);
    const [partition] = grown as [PartitionModel];
    const { number, entries } = partition;
    const expected = draft.partition ?? (draft.key === undefined ? number : partitionOf(draft.key, draft.partitions));
    if (number !== expected) diverge(`${id} is in partition ${number}, not ${expected}`);
    if (ranges[number]!.next !== entries.length + 1) diverge(`partition ${number} is not dense`);
    const entry = { ...draft, partition: number, offset: entries.length, gone: false, confirmed: false };
    entries.push(entry);
    return entry;
  }

  /** What is left. */
  *kept(): Generator<Entry> {
    for (const { first, entries } of this.partitions) yield* entries.slice(first);
  }

  /** The engine says what is left: that has to be right, at this moment. */
  trim(ranges: readonly Range[], now: number): void {
    const moved = this.partitions.filter(({ number, first }) => ranges[number]!.first !== first);
    if (moved.length === 0) return;
    for (const { number, first } of moved) {
      if (ranges[number]!.first < first) diverge(`partition ${number} begins at ${ranges[number]!.first} again`);
    }
    for (;;) {
      const left = moved.filter(({ number, first }) => first < ranges[number]!.first);
      if (left.length === 0) return;
      const next = left.find((partition) => this.mayGo(partition, now));
      if (next === undefined) {
        const what = left.map(({ number, first }) => `${number}@${first}`);
        diverge(`retention took ${what.join()} for no reason`);
      }
      this.drop(next!);
    }
  }

  private drop(partition: PartitionModel): void {
    const offset = partition.first++;
    for (const reader of this.readers) {
      if (reader.inHand(partition.number, offset))
        diverge(`retention took ${partition.number}@${offset}, which is in hand`);
      reader.overtaken(partition.number, offset);
    }
    this.count('retention: dropped');
  }

  /** Whether the first message of a partition may be deleted now. */
  private mayGo(partition: PartitionModel, now: number): boolean {
    return this.isConsumed(partition) || (this.isTooMuch(now) && this.isOldest(partition));
  }

  private isConsumed({ number, first, entries }: PartitionModel): boolean {
    if (this.retention.consumed !== true || this.readers.size === 0 || first >= entries.length) return false;
    return [...this.readers].every((reader) => reader.passed(number, first));
  }

  private isOldest({ first, entries }: PartitionModel): boolean {
    const { sentAt } = entries[first]!;
    return [...this.kept()].every((entry) => entry.sentAt >= sentAt);
  }

  private isTooMuch(now: number): boolean {
    const { time = Infinity, messages = Infinity, bytes = Infinity } = this.retention;
    const kept = [...this.kept()];
    const oldest = Math.min(...kept.map(({ sentAt }) => sentAt));
    const sum = kept.reduce((total, entry) => total + entry.bytes, 0);
    return kept.length > messages || sum > bytes || oldest + Number(time) <= now;
  }

  /** Nothing moves any more: what has to go is gone, unless somebody has it in hand. */
  atRest(now: number): void {
    for (const partition of this.partitions) {
      // What is gone with an earlier run is passed when somebody comes to it.
      if (partition.entries[partition.first]?.gone !== true && this.isConsumed(partition))
        diverge(`everybody has passed ${partition.number}@${partition.first}`);
    }
    const full = this.partitions.filter(({ first, entries }) => first < entries.length);
    if (!this.isTooMuch(now) || full.length === 0) return;
    const oldest = full.filter((partition) => this.isOldest(partition));
    const blocked = oldest.some(({ number, first }) =>
      [...this.readers].some((reader) => reader.inHand(number, first)),
    );
    if (!blocked) diverge(`retention left ${oldest.map(({ number, first }) => `${number}@${first}`).join()}`);
    this.count('retention: blocked');
  }

  /** The offset of a position. */
  locate(position: Position, { first, entries }: PartitionModel): number {
    if (position === 'earliest') return first;
    if (position === 'latest') return entries.length;
    if (typeof position === 'number') return Math.min(Math.max(position, first), entries.length);
    const found = entries.findIndex(({ sentAt, offset }) => offset >= first && sentAt >= position.getTime());
    return found < 0 ? entries.length : found;
  }
}
