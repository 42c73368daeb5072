import type { Encoded } from '../codec.js';
import type { Message } from '../message.js';
import { ownEntry, type Cursor } from './cursor.js';
import type { Head } from './head.js';
import { StoredMessage } from './stored-message.js';
import type { Subscription } from './subscription.js';

const AT_ONCE = { entries: 256, bytes: 2 ** 20 };

/** The oldest messages that are ready or delayed, read from their logs and left where they are. */
export async function peek(
  subscription: Subscription,
  limit: number,
  decode: (head: Head, body: Encoded) => unknown,
): Promise<Message[]> {
  const found: StoredMessage[] = [];
  for (const cursor of subscription.stock.cursors) {
    const tries = cursor.tries();
    let left = limit;
    for await (const { offset, entry } of waiting(subscription, cursor)) {
      if (left-- === 0) break;
      const { failures, deliveries } = tries(offset);
      const body = decode(entry.head, entry.body);
      found.push(new StoredMessage(subscription, entry, body, failures, deliveries));
    }
  }
  found.sort((a, b) => a.head.arrived - b.head.arrived);
  return found.slice(0, limit);
}

async function* waiting(subscription: Subscription, cursor: Cursor) {
  for (let from = cursor.settled.low; from < cursor.end;) {
    const entries = await cursor.peek(from, AT_ONCE);
    if (entries.length === 0) return;
    const held = new Set<number>();
    for (const taken of subscription.inHand()) if (taken.cursor === cursor) held.add(taken.offset);
    for (const { offset, entry } of entries) {
      if (offset >= cursor.end) return;
      from = offset + 1;
      if (!cursor.settled.has(offset) && !held.has(offset)) yield { offset, entry: ownEntry(entry) };
    }
  }
}
