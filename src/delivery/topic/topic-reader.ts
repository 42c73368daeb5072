import { LONGEST } from '../../duration.js';
import type { SluiceError } from '../../errors.js';
import type { Awaitable } from '../../storage/storage.js';
import { ownEntry, type LogEntry } from '../cursor/buffer.js';
import type { Contents } from '../contents.js';
import type { Engine } from '../engine.js';
import type { Partition, Position } from './partition.js';
import { StoredMessage, type Place } from '../stored-message.js';
import type { Follower, TopicInbox } from './topic-inbox.js';

/** A message of a topic, and where it is in it. */
export class LocatedMessage extends StoredMessage {
  readonly partition: number;
  readonly offset: number;

  constructor(place: Place, entry: LogEntry, body: unknown, partition: number, offset: number) {
    super(place, entry, body, 0, 0);
    this.partition = partition;
    this.offset = offset;
  }

  override toJSON(): ReturnType<StoredMessage['toJSON']> & { readonly partition: number; readonly offset: number } {
    return { ...super.toJSON(), partition: this.partition, offset: this.offset };
  }
}

/** Where the reading of one partition is, and what was read ahead, last first. */
interface Track {
  readonly partition: Partition;
  next: number;
  ahead: { readonly offset: number; readonly entry: LogEntry }[];
}

/** Reads a topic without a group: every message from some positions on, oldest first among the partitions. */
export class TopicReader implements Follower {
  private readonly inbox: TopicInbox;
  private readonly place: Place & { readonly contents: Contents };
  private readonly engine: Engine;
  private readonly readers: Set<TopicReader>;
  private wake: () => void = () => undefined;
  private ended = false;
  private failure: SluiceError | undefined;

  /** @param readers of the topic: it is among them while it reads */
  constructor(
    inbox: TopicInbox,
    place: Place & { readonly contents: Contents },
    engine: Engine,
    readers: Set<TopicReader>,
  ) {
    this.inbox = inbox;
    this.place = place;
    this.engine = engine;
    this.readers = readers;
  }

  arrived(): void {
    this.wake();
  }

  /** Nothing more is read. `error`: whoever waits is told so. */
  end(error?: SluiceError): void {
    this.ended = true;
    this.failure = error;
    this.wake();
  }

  /** From positions on, by partition, and with `all` also what the topic grows by. Ends with `signal`, when end() is called or, unless it is to `follow`, at the ends of the logs. */
  async *messages(
    positions: readonly (readonly [Partition, Position])[],
    all: boolean,
    follow: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LocatedMessage> {
    const end = (): void => this.end();
    if (signal?.aborted === true || this.inbox.closed) return;
    signal?.addEventListener('abort', end, { once: true });
    this.readers.add(this);
    this.inbox.followers.add(this);
    try {
      const tracks: Track[] = [];
      for (const [partition, from] of positions) {
        const next = await this.unlessEnded(() => partition.locate(from));
        tracks.push({ partition, next: next ?? partition.next, ahead: [] });
      }
      const grown = (): Partition[] => (all ? this.inbox.partitions.slice(tracks.length) : []);
      for (;;) {
        for (const partition of grown()) tracks.push({ partition, next: partition.first, ahead: [] });
        for (const track of tracks) if (track.ahead.length === 0) await this.readAhead(track);
        if (this.failure !== undefined) throw this.failure;
        if (this.ended) return;
        const track = oldest(tracks);
        if (track !== undefined) {
          const message = this.messageOf(track);
          if (message !== undefined) yield message;
        } else if (!tracks.some(unread) && grown().length === 0) {
          if (!follow) return;
          await this.arrival(tracks);
        }
      }
    } finally {
      this.inbox.followers.delete(this);
      this.readers.delete(this);
      signal?.removeEventListener('abort', end);
    }
  }

  /** What was read; undefined when reading has ended meanwhile, and be it that the storage refused it for that. */
  private async unlessEnded<V>(read: () => Awaitable<V>): Promise<V | undefined> {
    try {
      return await read();
    } catch (error) {
      if (this.ended) return undefined;
      throw error;
    }
  }

  private async readAhead(track: Track): Promise<void> {
    const { partition } = track;
    track.next = Math.max(track.next, partition.first);
    if (this.ended || !unread(track)) return;
    const end = partition.next;
    const entries = await this.unlessEnded(() => partition.read(track.next));
    if (entries === undefined) return;
    const own = entries.map(({ offset, entry }) => ({ offset, entry: ownEntry(entry) }));
    const visible = own.filter(({ offset }) => offset < end);
    track.next = visible.length === own.length && own.length > 0 ? own.at(-1)!.offset + 1 : end;
    track.ahead = visible.filter(({ offset, entry }) => !partition.isGone(offset, entry)).reverse();
  }

  /** The next message of this track. One whose body is of no use is reported, and passed over. */
  private messageOf({ partition, ahead }: Track): LocatedMessage | undefined {
    const { offset, entry } = ahead.pop()!;
    try {
      const body = this.place.contents.of(entry.head, entry.body);
      return new LocatedMessage(this.place, entry, body, partition.number, offset);
    } catch (error) {
      this.engine.events.report(error);
      return undefined;
    }
  }

  /** Keeps the process alive: something is expected. */
  private async arrival(tracks: readonly Track[]): Promise<void> {
    if (this.ended || tracks.some(unread)) return;
    const alarm = this.engine.agenda.alarm(() => undefined);
    alarm.set(this.engine.clock.now() + LONGEST, true);
    await new Promise<void>((resolve) => (this.wake = resolve));
    alarm.clear();
  }
}

function unread({ partition, next }: Track): boolean {
  return next < partition.next;
}

function oldest(tracks: readonly Track[]): Track | undefined {
  let found: Track | undefined;
  for (const track of tracks) {
    const head = track.ahead.at(-1)?.entry.head;
    if (head === undefined) continue;
    if (found === undefined || head.compareAge(found.ahead.at(-1)!.entry.head) < 0) found = track;
  }
  return found;
}
