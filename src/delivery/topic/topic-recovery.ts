import { encodedBytes } from '../../codec.js';
import { messages, records } from '../cursor/cursor-recovery.js';
import { sumsLogOf } from '../log-names.js';
import type { Sums, TopicInbox } from './topic-inbox.js';

/** What a topic of an earlier run has in all: its last sums, and what came after them, which is read. */
export async function recoverSums(inbox: TopicInbox): Promise<void> {
  const { journal, name } = inbox;
  const log = sumsLogOf(name);
  let last: Sums | undefined;
  for await (const { offset, entry } of records(journal, log, journal.rangeOf(log).first)) {
    last = entry.head as Sums;
    inbox.resume(offset);
  }
  for (const partition of inbox.partitions) {
    partition.bytes = last?.b[partition.number] ?? 0;
    const from = Math.max(last?.e[partition.number] ?? 0, partition.first);
    for await (const { entry } of messages(journal, partition.log, from)) partition.bytes += encodedBytes(entry.body);
  }
}
