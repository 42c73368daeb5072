import type { Cursor } from './cursor/cursor.js';
import { LOADING, READY } from './cursor/next.js';
import type { Stock } from './stock.js';

/**
 * The cursor whose candidate is the oldest ready message of the lowest level that has one; where nothing is ready, the oldest
 * delayed one, made ready for the purpose. undefined: none, or none yet.
 */
export function oldest(stock: Stock): Cursor | undefined {
  for (const cursor of stock.cursors) {
    let found = cursor.next();
    const { lanes } = cursor;
    const waiting = lanes?.takeOldest(found === READY ? cursor.offset : Infinity) ?? -1;
    if (waiting >= 0) {
      cursor.recall(waiting, lanes!.triesOf(waiting));
      found = cursor.next();
    }
    if (found === READY) return cursor;
    if (found === LOADING) return undefined;
  }
  const hastened = stock.cursors.find((cursor) => stock.hasten(cursor));
  return hastened?.next() === READY ? hastened : undefined;
}

/** When the message came that is next; undefined where nothing is ready, or it is not read yet. */
export function oldestTime(stock: Stock): number | undefined {
  let time: number | undefined;
  for (const cursor of stock.cursors) {
    if (cursor.next() === READY) time = Math.min(time ?? Infinity, cursor.head.arrived);
  }
  return time;
}
