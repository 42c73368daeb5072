import assert from 'node:assert/strict';
import { types } from 'node:util';
import { SluiceError } from '../../errors.js';
import type { Body, LogRange, Storage, StorageOp, StoredEntry } from '../../storage/storage.js';

export type AppendOp = Extract<StorageOp, { readonly type: 'append' }>;

/** A promise of the contract, as a test: its name says the promise, its body tries it on a storage that is open and empty. */
export type Check = (name: string, fn: (subject: Subject) => Promise<void>) => void;

export type Reopen = (storage: Storage) => Storage | Promise<Storage> | undefined;

/** Pages are read by this limit, so that every test reads on at least once in a while. */
const PAGE = { entries: 100, bytes: 1 << 20 };

export const append = (log: string, body?: Body, head: object = {}): AppendOp => ({
  type: 'append',
  log,
  entry: { head, body },
  offset: undefined,
});
export const drop = (log: string, from: number, to: number): StorageOp => ({ type: 'drop', log, from, to });
export const remove = (log: string): StorageOp => ({ type: 'remove', log });

/** A storage under test, with the gestures that the tests have in common. */
export class Subject {
  storage: Storage;
  /** The ranges that open() told last. */
  ranges: ReadonlyMap<string, LogRange> = new Map();
  private readonly reopened: Reopen | undefined;

  private constructor(storage: Storage, reopen: Reopen | undefined) {
    this.storage = storage;
    this.reopened = reopen;
  }

  static async open(storage: Storage, reopen: Reopen | undefined): Promise<Subject> {
    const subject = new Subject(storage, reopen);
    subject.ranges = plain(await storage.open());
    return subject;
  }

  /** As the next process finds it. */
  async reopen(): Promise<void> {
    if (this.reopened === undefined) throw new Error('reopening is not tested here');
    await this.storage.close();
    this.storage = (await this.reopened(this.storage)) ?? this.storage;
    this.ranges = plain(await this.storage.open());
  }

  /** One batch. */
  async write(...batch: readonly StorageOp[]): Promise<void> {
    await this.storage.write(batch);
  }

  /** Appends `bodies` in one batch, and returns their offsets. */
  async append(log: string, ...bodies: readonly Body[]): Promise<(number | undefined)[]> {
    const batch = bodies.map((body) => append(log, body));
    await this.storage.write(batch);
    return batch.map(({ offset }) => offset);
  }

  /** Appends `count` entries, each with its offset as its body. */
  async fill(log: string, count: number): Promise<void> {
    await this.append(log, ...Array.from({ length: count }, (_, i) => String(i)));
  }

  /** Everything from `from` on, read page by page. */
  async all(log: string, from = 0): Promise<StoredEntry[]> {
    const entries: StoredEntry[] = [];
    for (let next = from; ;) {
      const page = await this.storage.read(log, next, PAGE);
      const last = page.at(-1);
      if (last === undefined) return entries;
      assert.ok(last.offset >= next, `read(${next}) came back with offset ${last.offset}`);
      entries.push(...page);
      next = last.offset + 1;
    }
  }

  async offsets(log: string, from = 0): Promise<number[]> {
    return (await this.all(log, from)).map(({ offset }) => offset);
  }

  async bodies(log: string, from = 0): Promise<Body[]> {
    return (await this.all(log, from)).map(({ entry }) => entry.body);
  }
}

/** Ranges may be of any class. */
function plain(ranges: ReadonlyMap<string, LogRange>): ReadonlyMap<string, LogRange> {
  return new Map([...ranges].map(([name, { first, next }]) => [name, { first, next }]));
}

/** 0, 1, … below `end`, or `start` and up. */
export function numbers(start: number, end?: number): number[] {
  const from = end === undefined ? 0 : start;
  return Array.from({ length: (end ?? start) - from }, (_, i) => from + i);
}

/** Runs what may throw at once or reject, and expects that it does, with ERR_CLOSED. */
export async function rejectsAsClosed(call: () => unknown): Promise<void> {
  await assert.rejects(
    async () => {
      await call();
    },
    (error) => SluiceError.is(error, 'ERR_CLOSED'),
  );
}

/** Two heads are equal when their JSON says the same. */
export function assertHead(actual: object | undefined, expected: object): void {
  assert.deepEqual(asJson(actual), asJson(expected));
}

function asJson(head: object | undefined): unknown {
  return JSON.parse(JSON.stringify(head ?? null));
}

/** Without printing a megabyte when they differ. */
export function assertBody(actual: Body, expected: Body): void {
  const [got, want] = [describeBody(actual), describeBody(expected)];
  assert.equal(got, want);
  if (types.isUint8Array(actual) && types.isUint8Array(expected)) {
    assert.equal(Buffer.compare(actual, expected), 0, `${got} has other bytes than were written`);
  } else {
    assert.ok(actual === expected, `${got} has other characters than were written`);
  }
}

function describeBody(body: Body): string {
  if (types.isUint8Array(body)) return `a Uint8Array of ${body.byteLength} bytes`;
  if (typeof body !== 'string') return body === undefined ? 'no body' : `a body of type ${typeof body}`;
  return body.length > 100 ? `a string of ${body.length} characters` : `the string ${JSON.stringify(body)}`;
}
