import { encodedBytes } from '../../codec.js';
import type { Awaitable, StoredEntry } from '../../storage/storage.js';
import { ownEntry, type LogEntry } from './buffer.js';
import type { Cursor } from './cursor.js';
import { WRITTEN, type CursorEntry } from './cursor-log.js';
import type { Journal } from '../journal.js';
import type { Stock } from '../stock.js';
import { UNCOUNTED } from '../crash/suspects.js';
import type { Taken } from '../taken.js';
import { Trail, type Deferral } from '../crash/trail.js';
import type { Unfinished } from '../crash/trial.js';

const AT_ONCE = { entries: 256, bytes: 2 ** 20 };

/**
 * Brings a queue's cursors to where the log of an earlier run says they were. What was in hand then, and is not known to have
 * been given back, is what this tells of. The books are those of the last entry; what came or went after it is made up from the
 * logs, which are right.
 */
export async function restore(stock: Stock, journal: Journal, log: string, from: number): Promise<Unfinished> {
  const trails = stock.cursors.map(({ settled: { low } }) => new Trail(low));
  let last: CursorEntry | undefined;
  let ends: number[] = [];
  for await (const { offset, entry } of records(journal, log, from)) {
    last = entry.head as CursorEntry;
    stock.drops.resume(offset + 1);
    if (last.z === true) for (const trail of trails) trail.restart();
    if (last.e !== undefined) ends = [...last.e];
    for (const [level, end] of last.g ?? []) ends[level] = end;
    for (const one of last.d) trails[one[0]]?.defer(one);
    for (const [level, from, to] of last.s) trails[level]?.settle(from, to);
    for (const one of last.r ?? []) trails[one[0]]?.defer(one);
    for (const [level, from, to, delivery] of last.m ?? []) trails[level]?.begin(from, to, delivery);
  }
  const found: Begun[] = [];
  let suspected = 0;
  for (const [level, cursor] of stock.cursors.entries()) {
    const trail = trails[level]!;
    trail.conclude(cursor.end);
    for (const [offset, delivery] of trail.begun) {
      found.push({ cursor, offset, delivery, before: trail.deferred.get(offset) });
      trail.deferred.delete(offset);
    }
    const suspects = new Set(trail.suspected(cursor.end));
    const [first = 0] = suspects;
    if (suspects.size > 0) {
      for await (const { offset, entry } of messages(journal, cursor.log, first)) {
        // What was not to outlive the process is not tried again, nor is what is not due yet.
        const { rare } = ownEntry(entry).head;
        const mayHave = rare?.transient !== true && (rare?.due === undefined || rare.due <= stock.now());
        if (suspects.delete(offset) && mayHave) {
          suspected++;
          trail.defer([level, offset, 0, 0, 0, UNCOUNTED]);
        }
        if (suspects.size === 0) break;
      }
    }
    for (const { offset, suspicion } of trail.deferred.values())
      if (suspicion > 0) stock.suspects.add(cursor, offset, suspicion);
    cursor.restore(trail.settled, trail.deferred.values(), trail.begun.keys());
  }
  await restoreBooks(stock, journal, last, ends);
  const begun = await takeOut(stock, journal, found);
  await reserveTurns(stock, journal);
  if (suspected > 0) stock.drops.upset();
  stock.watchDues();
  stock.expiry.watch();
  return { begun, suspected };
}

interface Begun {
  readonly cursor: Cursor;
  readonly offset: number;
  readonly delivery: number;
  readonly before: Deferral | undefined;
}

/** What was in hand is out of the stock until it is judged. */
async function takeOut(stock: Stock, journal: Journal, found: readonly Begun[]): Promise<Unfinished['begun']> {
  const begun: { taken: Taken; lone: boolean }[] = [];
  for (const { cursor, offset, delivery, before } of found) {
    const entry = await entryAt(journal, cursor.log, offset);
    const suspicion = before?.suspicion ?? 0;
    // What it was suspected of without proof, it did.
    const failures = (before?.failures ?? 0) + (suspicion === UNCOUNTED ? 1 : 0);
    const taken = { cursor, offset, entry, failures, deliveries: delivery, alone: true, turn: undefined };
    if (entry.head.isTransient) {
      cursor.settle(offset);
      stock.foundTransient(cursor, offset, entry.head.size);
      continue;
    }
    cursor.out++;
    stock.books.ready--;
    stock.books.unacked++;
    stock.books.bytes -= entry.head.size;
    reserveTurn(taken);
    begun.push({ taken, lone: suspicion > 0 });
  }
  return begun;
}

async function restoreBooks(
  stock: Stock,
  journal: Journal,
  last: CursorEntry | undefined,
  ends: readonly number[],
): Promise<void> {
  const { books, cursors, expiry } = stock;
  if (last?.t === true) expiry.mortal = true;
  WRITTEN.forEach((name, n) => (books[name] = last?.b[n] ?? 0));
  books.delayed = 0;
  books.ready = 0;
  for (const [level, cursor] of cursors.entries()) {
    books.delayed += cursor.returned.deferred.size;
    books.ready += cursor.end - cursor.settled.low - cursor.settled.above - cursor.returned.deferred.size;
    // What came after the last entry is in nobody's sum.
    for await (const { offset, entry } of messages(journal, cursor.log, ends[level] ?? cursor.settled.low)) {
      if (!cursor.settled.has(offset)) books.bytes += encodedBytes(entry.body);
      if (ownEntry(entry).head.rare?.expires !== undefined) expiry.mortal = true;
    }
  }
  const { acked, deadLettered, dropped, removed } = books;
  books.accepted = books.ready + books.delayed + acked + deadLettered + dropped + removed;
}

/** Where order is kept by key, what was tried, or had its turn and was put off since another was on trial, has it again. */
async function reserveTurns(stock: Stock, journal: Journal): Promise<void> {
  for (const cursor of stock.cursors) {
    const { lanes } = cursor;
    if (lanes === undefined || lanes.whole !== undefined) continue;
    for (const { offset, due, deliveries } of cursor.waiting()) {
      const putOff = due > 0 && stock.suspects.of(cursor, offset) > 0;
      if (deliveries > 0 || putOff) reserveTurn({ cursor, offset, entry: await entryAt(journal, cursor.log, offset) });
    }
  }
}

function reserveTurn({ cursor: { lanes }, offset, entry }: Pick<Taken, 'cursor' | 'offset' | 'entry'>): void {
  const key = lanes?.whole === undefined ? lanes?.keyOf(entry.head) : undefined;
  if (key !== undefined) lanes!.reserve(key, offset);
}

async function entryAt(journal: Journal, log: string, offset: number): Promise<LogEntry> {
  const [stored] = await journal.read(log, offset, { entries: 1, bytes: AT_ONCE.bytes });
  if (stored?.offset !== offset) throw new Error(`offset ${offset} of log ${log} is not settled, and not there`);
  return ownEntry(stored.entry);
}

/** Every message of a log from an offset on. */
export function messages(journal: Journal, log: string, from: number): AsyncGenerator<StoredEntry> {
  return all(from, (at) => journal.read(log, at, AT_ONCE));
}

/** Every entry of a log that is no messages', from an offset on. */
export function records(journal: Journal, log: string, from: number): AsyncGenerator<StoredEntry> {
  return all(from, (at) => journal.readRecords(log, at, AT_ONCE));
}

async function* all(
  from: number,
  read: (from: number) => Awaitable<readonly StoredEntry[]>,
): AsyncGenerator<StoredEntry> {
  for (;;) {
    const found = await read(from);
    if (found.length === 0) return;
    yield* found;
    from = found.at(-1)!.offset + 1;
  }
}
