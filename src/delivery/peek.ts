import type { Codecs } from '../codec.js';
import type { Message } from '../message.js';
import { ownEntry } from './cursor/buffer.js';
import type { Cursor } from './cursor/cursor.js';
import { StoredMessage } from './stored-message.js';
import type { Subscription } from './subscription.js';
import { UNTRIED } from './cursor/tries.js';

const AT_ONCE = { entries: 256, bytes: 2 ** 20 };

/** The oldest messages that are ready or delayed, read from their logs and left where they are. */
export async function peek(subscription: Subscription, limit: number, codecs: Codecs): Promise<Message[]> {
  const levels: StoredMessage[][] = [];
  for (const cursor of subscription.stock.cursors) {
    const tries = new Map([...cursor.waiting()].map((one) => [one.offset, one]));
    const found: StoredMessage[] = [];
    for await (const { offset, entry } of waiting(subscription, cursor)) {
      if (found.length === limit) break;
      // Not to outlive an earlier run, and not come to yet.
      if (entry.head.isTransient && offset < cursor.boundary) continue;
      const { failures, deliveries } = tries.get(offset) ?? UNTRIED;
      const body = codecs.decode(entry.head.rare?.codec, entry.body);
      found.push(new StoredMessage(subscription, entry, body, failures, deliveries));
    }
    levels.push(found.reverse());
  }
  return merged(levels, limit);
}

/** Each list is in the order of its log, last first; among their ends the oldest comes next. */
function merged(lists: readonly StoredMessage[][], limit: number): Message[] {
  const all: Message[] = [];
  while (all.length < limit) {
    let oldest: StoredMessage[] | undefined;
    for (const list of lists) {
      const end = list.at(-1);
      if (end !== undefined && !(oldest !== undefined && oldest.at(-1)!.head.compareAge(end.head) <= 0)) oldest = list;
    }
    if (oldest === undefined) break;
    all.push(oldest.pop()!);
  }
  return all;
}

async function* waiting(subscription: Subscription, cursor: Cursor) {
  for (let from = cursor.settled.low; from < cursor.end;) {
    const entries = await cursor.reader.one(from, AT_ONCE);
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
