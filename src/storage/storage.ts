import type { SluiceError } from '../errors.js';

/** What a message or a write survives: nothing, a killed process, or a power cut. */
export type Durability = 'memory' | 'os' | 'disk';

/** A value now, or a promise of it. Where a storage can answer now, it does, and nobody waits. */
export type Awaitable<T> = T | Promise<T>;

/** Offsets `first` up to, not including, `next` exist (but for holes); `next` is the next append's offset. */
export interface LogRange {
  readonly first: number;
  readonly next: number;
}

/** What a storage has to say without being asked. */
export type StorageReport =
  /** Opening found the end torn, as a crash leaves it, and cut it there. Nothing that was confirmed was in it. */
  | { readonly type: 'torn-tail'; readonly file: string; readonly position: number }
  /** Told once; again only after there was room. */
  | { readonly type: 'nearly-full'; readonly details: Readonly<Record<string, number | string>> }
  /** Nothing is written any more, until it is opened again. */
  | { readonly type: 'failed'; readonly error: SluiceError };

/** Takes what a storage reports; never throws. */
export type StorageReporter = (report: StorageReport) => void;

/** Anything but string and Uint8Array comes from the `reference` codec, and only MemoryStorage takes it. */
export type Body = unknown;

/**
 * `head` has only JSON in it (it may be a class instance with a `toJSON`, and with a `json`), and is written by the broker;
 * `body` is what the codec made, and stays opaque. read() returns equal entries, not necessarily the same objects.
 */
export interface Entry {
  readonly head: object;
  readonly body?: Body | undefined;
}

/** A head that knows its own JSON: what JSON.stringify() makes of it, in less time. */
export interface SpokenHead {
  json(): string;
  /** Bytes of it where it is ASCII, and spell() writes it; else 0. */
  readonly spelled?: number;
  spell?(target: Uint8Array, at: number): void;
}

export interface StoredEntry {
  readonly offset: number;
  readonly entry: Entry;
}

export type StorageOp =
  /** `offset` is filled in by the storage before the write is done: where the entry went. */
  | { readonly type: 'append'; readonly log: string; readonly entry: Entry; offset?: number | undefined }
  /**
   * Entries from `from` up to, not including, `to` are gone. From 0: the log is trimmed. In the middle: a hole;
   * read() steps over it. May come late and in blocks.
   */
  | { readonly type: 'drop'; readonly log: string; readonly from: number; readonly to: number }
  | { readonly type: 'remove'; readonly log: string };

/**
 * A head of the engine. Where it `isPlain`, these are all there is to it, but for `due` in numbers of 31 bits: a log in memory may keep them instead
 * of an object.
 */
export interface PlainHead {
  readonly isPlain: boolean;
  readonly seconds: number;
  readonly tick: number;
  readonly size: number;
  readonly key: string | undefined;
  readonly routingKey: string | undefined;
  /** ms */
  readonly due: number | undefined;
}

/** Makes a plain head anew. `due`: NaN where there is none. */
export type Remake = (
  seconds: number,
  tick: number,
  size: number,
  key: string | undefined,
  routingKey: string | undefined,
  due: number,
) => object;

/** A log that takes entries one by one, in memory. */
export interface OpenLog {
  /** Stored when it returns: its offset. */
  append(head: object, body: Body): number;
}

/** How much one read() may return: at most `entries`, about `bytes`, at least one entry if there is one. */
export interface ReadLimit {
  readonly entries: number;
  readonly bytes: number;
  /**
   * @internal Makes a head of its JSON, for a storage that would have to parse that: the first `length` characters of `text`, of a
   * body of `size` bytes.
   */
  readonly head?: (text: string, length: number, size: number) => object;
}

/**
 * A storage is a set of named append-only logs with dense offsets 0, 1, 2, … Queues, partitions, cursors, deduplication
 * windows and half messages are all logs to it; what they mean is the broker's business. Four methods, and figures if it likes.
 */
export interface Storage {
  /** What a write has survived once it is done. */
  readonly durability: Durability;
  /**
   * Every log that exists, with the range of offsets that it holds. `report` is for what nobody asked about, from now until
   * close(): the broker makes events of it. A storage that has nothing to say ignores it; one that wraps another passes it on.
   */
  open(report?: StorageReporter): Awaitable<ReadonlyMap<string, LogRange>>;
  /**
   * All of the batch or none of it, also across a crash; batches in call order. Done when it returns or resolves.
   * Done means: it reached `reach`, by default `durability`. A rejected batch takes no offsets. Appends get the log's
   * next offsets. A full disk rejects with ERR_STORAGE_FULL this batch and those queued behind it, and later ones may
   * succeed; batches whose appends carry no body (acknowledgements, drops, cursors) have a reserve and go on.
   * After any other failed write every later one rejects with ERR_STORAGE_FAILED (a failed fsync is never retried).
   */
  write(batch: readonly StorageOp[], reach?: Durability): Awaitable<void>;
  /**
   * Entries from `from` on, in order, within `limit`. Steps over holes. Bodies are the caller's.
   * Damage found here rejects with ERR_STORAGE_CORRUPT.
   */
  read(log: string, from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]>;
  /**
   * @internal A log of a storage that keeps everything in memory, for appends that come one by one: as write() of one append,
   * without a batch around it. undefined: write() has to see them all. `remake`: how its plain heads are made anew when they are read.
   */
  openLog?(name: string, remake: Remake): OpenLog | undefined;
  /** Waits for writes under way. Idempotent. */
  close(): Promise<void>;
  /** Figures for `broker.stats().storage`, where it has any: plain numbers and texts. */
  stats?(): Readonly<Record<string, number | string>>;
}
