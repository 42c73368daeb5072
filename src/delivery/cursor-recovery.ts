import { encodedBytes } from '../codec.js';
import type { StoredEntry } from '../storage/storage.js';
import { ownEntry } from './buffer.js';
import { WRITTEN, type CursorEntry, type Deferred } from './cursor-log.js';
import type { Journal } from './journal.js';
import { SettledSet } from './settled-set.js';
import type { Stock } from './stock.js';

const AT_ONCE = { entries: 256, bytes: 2 ** 20 };

interface Deferral {
  readonly offset: number;
  readonly due: number;
  readonly failures: number;
  readonly deliveries: number;
}

/**
 * Brings a queue's cursors to where the log of an earlier run says they were. What was in hand then is ready again. The books are
 * those of the last entry; what came or went after it is made up from the logs, which are right.
 */
export async function restore(stock: Stock, journal: Journal, log: string): Promise<void> {
  const settled = stock.cursors.map(({ settled: { low } }) => new SettledSet(low));
  const deferred = stock.cursors.map(() => new Map<number, Deferral>());
  let last: CursorEntry | undefined;
  for await (const { entry } of entries(journal, log, journal.rangeOf(log).first)) {
    last = entry.head as CursorEntry;
    if (last.z === true) deferred.forEach((one) => one.clear());
    const defer = ([level, offset, due, failures, deliveries]: Deferred): void => {
      deferred[level]?.set(offset, { offset, due, failures, deliveries });
    };
    last.d.forEach(defer);
    for (const [level, from, to] of last.s) {
      settled[level]?.addRange(from, to);
      if (deferred[level] !== undefined) forgetRange(deferred[level], from, to);
    }
    last.r?.forEach(defer);
  }
  stock.cursors.forEach((cursor, level) => {
    const set = settled[level]!;
    cursor.restore(
      set,
      [...deferred[level]!.values()].filter(({ offset }) => offset < cursor.end),
    );
  });
  await restoreBooks(stock, journal, last);
  await reserveTurns(stock, journal);
  stock.watchDues();
}

async function restoreBooks(stock: Stock, journal: Journal, last: CursorEntry | undefined): Promise<void> {
  const { books, cursors } = stock;
  WRITTEN.forEach((name, n) => (books[name] = last?.b[n] ?? 0));
  books.delayed = 0;
  books.ready = 0;
  for (const [level, cursor] of cursors.entries()) {
    books.delayed += cursor.deferred.size;
    books.ready += cursor.end - cursor.settled.low - cursor.settled.above - cursor.deferred.size;
    // What came after the last entry is in nobody's sum.
    for await (const { offset, entry } of entries(journal, cursor.log, last?.e[level] ?? cursor.settled.low)) {
      if (!cursor.settled.has(offset)) books.bytes += encodedBytes(entry.body);
    }
  }
  const { acked, deadLettered, dropped, removed } = books;
  books.accepted = books.ready + books.delayed + acked + deadLettered + dropped + removed;
}

function forgetRange(deferred: Map<number, Deferral>, from: number, to: number): void {
  if (to - from < deferred.size) for (let offset = from; offset < to; offset++) deferred.delete(offset);
  else for (const offset of deferred.keys()) if (offset >= from && offset < to) deferred.delete(offset);
}

/** Where order is kept by key, what backs off keeps its key's turn. */
async function reserveTurns(stock: Stock, journal: Journal): Promise<void> {
  for (const cursor of stock.cursors) {
    const { lanes } = cursor;
    if (lanes === undefined || lanes.whole !== undefined) continue;
    for (const { offset, deliveries } of cursor.waiting()) {
      if (deliveries === 0) continue;
      const [stored] = await journal.read(cursor.log, offset, { entries: 1, bytes: AT_ONCE.bytes });
      const key = stored === undefined ? undefined : lanes.keyOf(ownEntry(stored.entry).head);
      if (key !== undefined) lanes.reserve(key, offset);
    }
  }
}

/** Every entry of a log from an offset on. */
export async function* entries(journal: Journal, log: string, from: number): AsyncGenerator<StoredEntry> {
  for (;;) {
    const found = await journal.read(log, from, AT_ONCE);
    if (found.length === 0) return;
    yield* found;
    from = found.at(-1)!.offset + 1;
  }
}
