import type { Encoded } from '../../codec.js';
import type { MessageOptions } from '../../message.js';
import type { Awaitable, StorageOp } from '../../storage/storage.js';
import type { LogEntry } from '../cursor/buffer.js';
import { Accepted, type Contents } from '../contents.js';
import type { Engine } from '../engine.js';
import type { Head } from '../head.js';
import { Inbox, reachOf, type Append } from '../intake/inbox.js';
import type { Journal, Rider } from '../journal.js';
import { partitionLogOf, sumsLogOf } from '../log-names.js';
import { Partition } from './partition.js';
import type { Retention } from './retention.js';
import type { Place } from '../stored-message.js';

/** The append of a message to a partition. */
export type Placed = Append & { readonly partition: Partition };

/** Who wants to know what comes into a topic: its groups, and those who read it. */
export interface Follower {
  arrived(partition: Partition, offset: number, entry: LogEntry): void;
}

/** Which partition a key belongs to. */
export type Partitioner = (key: string, partitions: number) => number;

/** What a topic has in all, as its log of sums keeps it: encoded bytes by partition, and the ends they are about. */
export interface Sums {
  readonly b: readonly number[];
  readonly e: readonly number[];
}

/** Arrivals after which the sums are written down, if nothing else makes them. */
const ARRIVALS = 1024;

/** Where a topic takes messages in: its partitions, and who follows them. */
export class TopicInbox extends Inbox implements Rider {
  readonly partitions: Partition[] = [];
  readonly followers = new Set<Follower>();
  retention!: Retention;
  /** Nobody reads any more. */
  closed = false;
  private readonly engine: Engine;
  private readonly partitioner: Partitioner;
  private readonly place: Place & { readonly contents: Contents };
  /** Messages without a key so far. */
  private keyless = 0;
  private arrivals = 0;
  /** Partitions of which something is dropped with the next write. */
  private readonly trimmed = new Set<Partition>();
  private written: { offset?: number | undefined } = {};

  constructor(place: Place & { readonly contents: Contents }, engine: Engine, partitioner: Partitioner) {
    super(place.name);
    this.place = place;
    this.engine = engine;
    this.partitioner = partitioner;
  }

  /** Opens a log per partition; those that are there stay. */
  lay(journal: Journal, partitions: number): void {
    if (journal !== this.journal) {
      this.journal = journal;
      for (const partition of this.partitions) partition.restart(journal);
    }
    for (let number = this.partitions.length; number < partitions; number++) {
      const log = partitionLogOf(this.name, number);
      this.partitions.push(new Partition(number, log, journal, journal.rangeOf(log)));
    }
  }

  /** It has messages, had some, or some are on their way. */
  get holds(): boolean {
    return this.awaits || this.partitions.some(({ next }) => next > 0);
  }

  override checkOptions({ delay, deliverAt, ttl, priority }: MessageOptions): void {
    const name = delay !== undefined ? 'delay' : deliverAt !== undefined ? 'deliverAt' : ttl !== undefined ? 'ttl' : '';
    if (name === '' && (priority === undefined || priority === 0)) return;
    const got = name === '' ? 'priority' : name;
    throw new TypeError(
      `topic ${JSON.stringify(this.name)} has no priority, delay or ttl; got ${got}: it keeps what it is given, in order`,
    );
  }

  override get atOnce(): boolean {
    // All partitions are of one storage.
    return this.partitions[0]!.openLog !== undefined;
  }

  override put(head: Head, body: Encoded): boolean {
    // Whose turn it is is asked once per message.
    if (!this.atOnce) return false;
    this.putInto(this.partitionFor(head), head, body);
    return true;
  }

  /** As put(), into a partition: the offset; negative where it has to be written. */
  putInto(partition: Partition, head: Head, body: Encoded): number {
    const { openLog } = partition;
    if (openLog === undefined) return -1;
    const entry = { head, body };
    const offset = openLog.append(head, body);
    this.came(partition, offset, entry);
    return offset;
  }

  override append(head: Head, body: Encoded): Placed {
    return this.appendTo(this.partitionFor(head), head, body);
  }

  appendTo(partition: Partition, head: Head, body: Encoded): Placed {
    return { type: 'append', log: partition.log, entry: { head, body }, offset: undefined, partition };
  }

  /** `number`: of the partition, where somebody named it; else its key says it, or its turn. */
  partitionFor({ key }: Head, number?: number): Partition {
    const { partitions } = this;
    if (number !== undefined) return partitions[number]!;
    return partitions[
      key === undefined ? this.keyless++ % partitions.length : this.partitioner(key, partitions.length)
    ]!;
  }

  /** All or none, in one write. Their offsets are filled in when it is done. */
  store(ops: readonly Placed[]): Awaitable<void> {
    const written = this.journal.write([...ops], reachOf(ops.map(({ entry }) => entry)));
    if (written === undefined) this.arrivedTogether(ops);
    else for (const op of ops) this.comes(op, written);
    return written;
  }

  override arrived(op: Append): void {
    const { partition, entry, offset } = op as Placed;
    if (!this.deleted) this.came(partition, offset!, entry);
  }

  private came(partition: Partition, offset: number, entry: LogEntry): void {
    partition.append(offset, entry.head.size);
    const { events } = this.engine;
    if (events.heard.accepted) events.emit('accepted', new Accepted(this.place, entry));
    for (const follower of this.followers) follower.arrived(partition, offset, entry);
    this.retention.arrived(entry.head.size);
    if (this.journal.lasting && ++this.arrivals >= ARRIVALS) this.journal.touch(this);
  }

  override arrivedTogether(ops: readonly Append[]): void {
    for (const op of ops) this.arrived(op);
  }

  /** What lies below the first of these partitions is dropped with the next write. */
  trim(partitions: Iterable<Partition>): void {
    for (const partition of partitions) this.trimmed.add(partition);
    if (this.journal.lasting) return this.journal.touch(this);
    // Memory is given back at once, before it grows old.
    const batch: StorageOp[] = [];
    this.collect(batch);
    try {
      this.journal.write(batch)?.catch(this.failed);
    } catch (error) {
      this.failed(error);
    }
  }

  private readonly failed = (error: unknown): void => {
    this.recollect();
    this.journal.touch(this);
    this.engine.events.report(error);
  };

  collect(batch: StorageOp[]): boolean {
    // Its logs go, and must not be begun anew.
    if (this.deleted) return false;
    for (const { log, first } of this.trimmed) batch.push({ type: 'drop', log, from: 0, to: first });
    this.trimmed.clear();
    this.arrivals = 0;
    if (!this.journal.lasting) return false;
    const log = sumsLogOf(this.name);
    const sums: Sums = { b: this.partitions.map(({ bytes }) => bytes), e: this.partitions.map(({ next }) => next) };
    const op: StorageOp & { type: 'append' } = { type: 'append', log, entry: { head: sums }, offset: undefined };
    const { offset } = this.written;
    batch.push(op);
    if (offset !== undefined) batch.push({ type: 'drop', log, from: 0, to: offset + 1 });
    this.written = op;
    return true;
  }

  /** An earlier run wrote its sums down up to here. */
  resume(offset: number): void {
    this.written = { offset };
  }

  recollect(): void {
    for (const partition of this.partitions) this.trimmed.add(partition);
  }
}
