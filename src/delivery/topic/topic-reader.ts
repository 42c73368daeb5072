import { LONGEST } from '../../duration.js';
import type { SluiceError } from '../../errors.js';
import type { Awaitable, StoredEntry } from '../../storage/storage.js';
import { ownLocated, type LocatedEntry } from '../cursor/buffer.js';
import type { Contents } from '../contents.js';
import type { Engine } from '../engine.js';
import type { Head } from '../head.js';
import { shareOf, type Partition, type Position } from './partition.js';
import { StoredMessage, type Place } from '../stored-message.js';
import type { Follower, TopicInbox } from './topic-inbox.js';

/** A message of a topic, and where it is in it. */
export class LocatedMessage extends StoredMessage {
  readonly partition: number;
  readonly offset: number;

  constructor(place: Place, { offset, entry }: LocatedEntry, body: unknown, partition: number) {
    super(place, entry, body, 0, 0);
    this.partition = partition;
    this.offset = offset;
  }

  override toJSON(): ReturnType<StoredMessage['toJSON']> & { readonly partition: number; readonly offset: number } {
    return { ...super.toJSON(), partition: this.partition, offset: this.offset };
  }
}

/** Of whom it reads. */
interface Source extends Place {
  readonly contents: Contents;
  /** What callers are told once it is deleted. */
  readonly gone: SluiceError | undefined;
}

/** What was read at once, as far as it was visible: below `end`. */
interface Chunk {
  readonly entries: readonly StoredEntry[];
  readonly end: number;
}

/** Where the reading of one partition is, and what was read ahead, of which `at` are taken. */
interface Track {
  readonly partition: Partition;
  next: number;
  ahead: readonly LocatedEntry[];
  at: number;
  /** Of the next of these; undefined: none is left. */
  head: Head | undefined;
  /** What comes behind it, on its way from a disk. */
  coming: Promise<Chunk> | undefined;
}

const NOTHING: Track['ahead'] = [];

/** Reads a topic without a group: every message from some positions on, oldest first among the partitions. */
export class TopicReader implements Follower {
  private readonly inbox: TopicInbox;
  private readonly place: Source;
  private readonly engine: Engine;
  private readonly readers: Set<TopicReader>;
  private wake: () => void = () => undefined;
  private ended = false;
  private failure: SluiceError | undefined;
  private readonly tracks: Track[] = [];
  /** It reads all partitions, those included that the topic grows by. */
  private all = false;

  /** @param readers of the topic: it is among them while it reads */
  constructor(inbox: TopicInbox, place: Source, engine: Engine, readers: Set<TopicReader>) {
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
  messages(
    positions: readonly (readonly [Partition, Position])[],
    all: boolean,
    follow: boolean,
    signal: AbortSignal | undefined,
  ): AsyncIterableIterator<LocatedMessage> {
    this.all = all;
    const steps = this.steps(positions, follow, signal);
    // What is at hand is given without the generator, which takes three turns of the microtask queue for a message. It stands still at
    // a message that it gave, unless somebody has asked it for the next.
    let asked = 0;
    const answered = (): void => void asked--;
    const ask = <R>(answer: Promise<R>): Promise<R> => {
      asked++;
      answer.then(answered, answered);
      return answer;
    };
    return {
      next: () => {
        const message = asked === 0 ? this.ready() : undefined;
        return message === undefined ? ask(steps.next()) : Promise.resolve({ value: message, done: false });
      },
      // Who waits for the next one waits no longer: a generator would come to its end only behind that.
      return: (value: unknown) => {
        this.end();
        return ask(steps.return(value));
      },
      throw: (error: unknown) => {
        this.end();
        return ask(steps.throw(error));
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  private async *steps(
    positions: readonly (readonly [Partition, Position])[],
    follow: boolean,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<LocatedMessage> {
    const { tracks } = this;
    const end = (): void => this.end();
    if (this.inbox.deleted) throw this.place.gone!;
    if (signal?.aborted === true || this.inbox.closed) return;
    signal?.addEventListener('abort', end, { once: true });
    this.readers.add(this);
    this.inbox.followers.add(this);
    try {
      for (const [partition, from] of positions) {
        const next = await this.unlessEnded(() => partition.locate(from));
        tracks.push(trackOf(partition, next ?? partition.next));
      }
      for (;;) {
        while (this.grown) tracks.push(trackOf(this.inbox.partitions[tracks.length]!));
        for (const track of tracks) if (lacks(track)) await this.readAhead(track);
        if (this.failure !== undefined) throw this.failure;
        if (this.ended) return;
        const track = oldest(tracks);
        if (track !== undefined) {
          const message = this.messageOf(track);
          if (message !== undefined) yield message;
        } else if (!tracks.some(unread) && !this.grown) {
          if (!follow) return;
          await this.arrival(tracks);
        }
      }
    } finally {
      tracks.length = 0;
      this.inbox.followers.delete(this);
      this.readers.delete(this);
      signal?.removeEventListener('abort', end);
    }
  }

  /** The next message, where nothing has to be read before, or waited for. */
  private ready(): LocatedMessage | undefined {
    const { tracks } = this;
    if (this.ended || this.grown) return undefined;
    const track = oldest(tracks);
    return track && this.messageOf(track);
  }

  /** There are partitions that it does not read yet. */
  private get grown(): boolean {
    return this.all && this.tracks.length < this.inbox.partitions.length;
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
    if (track.coming === undefined) track.next = Math.max(track.next, partition.first);
    if (this.ended || !unread(track)) return;
    const chunk = await this.unlessEnded(() => track.coming ?? this.read(track));
    track.coming = undefined;
    if (chunk === undefined) return;
    const { entries, end } = chunk;
    const last = entries.at(-1)?.offset;
    const ahead: LocatedEntry[] = [];
    track.next = end;
    for (const stored of entries) {
      const { offset } = stored;
      // What is not visible yet is read again when it is.
      if (offset >= end) break;
      const located = ownLocated(stored);
      if (!partition.isGone(offset, located.entry.head)) ahead.push(located);
      if (offset === last) track.next = offset + 1;
    }
    track.ahead = ahead;
    track.at = 0;
    track.head = ahead[0]?.entry.head;
    // The disk works on while what came from it is looked at.
    if (this.inbox.journal.lasting && unread(track)) {
      track.coming = this.read(track);
      // Whoever waits for it is told.
      track.coming.catch(() => undefined);
    }
  }

  private async read({ partition, next }: Track): Promise<Chunk> {
    const end = partition.next;
    return { entries: await partition.read(next, shareOf(this.tracks.length)), end };
  }

  /** The next message of this track. One whose body is of no use is reported, and passed over. */
  private messageOf(track: Track): LocatedMessage | undefined {
    const { partition } = track;
    const located = track.ahead[track.at++]!;
    track.head = track.ahead[track.at]?.entry.head;
    try {
      const body = this.place.contents.of(located.entry.head, located.entry.body);
      return new LocatedMessage(this.place, located, body, partition.number);
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

function trackOf(partition: Partition, next = partition.first): Track {
  return { partition, next, ahead: NOTHING, at: 0, head: undefined, coming: undefined };
}

/** What is next of it has to be read first. */
function lacks(track: Track): boolean {
  return track.head === undefined && unread(track);
}

function unread({ partition, next }: Track): boolean {
  return next < partition.next;
}

/** Whose next message is the oldest. undefined: none has one, or one has to be read before that can be told. */
function oldest(tracks: readonly Track[]): Track | undefined {
  let found: Track | undefined;
  let first: Head | undefined;
  for (const track of tracks) {
    const { head } = track;
    if (head === undefined) {
      if (unread(track)) return undefined;
    } else if (first === undefined || head.compareAge(first) < 0) {
      found = track;
      first = head;
    }
  }
  return found;
}
