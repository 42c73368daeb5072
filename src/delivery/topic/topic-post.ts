import type { MessageOptions, Receipt } from '../../message.js';
import type { Envelopes } from '../intake/envelope.js';
import { aborted, untilAborted } from '../intake/post.js';
import type { Placed, TopicInbox } from './topic-inbox.js';

/** The publisher's confirm, and where in the topic the message is. */
export type TopicReceipt = Receipt & { readonly partition: number; readonly offset: number };

/** A message for a topic. Its options are checked. */
export interface Publication extends MessageOptions {
  readonly body: unknown;
  /** Where to, whatever the key says. */
  readonly partition?: number | undefined;
}

/** Stores messages in a topic, all or none, in one write. */
export async function publishAll(
  inbox: TopicInbox,
  envelopes: Envelopes,
  messages: readonly Publication[],
): Promise<TopicReceipt[]> {
  const made = messages.map((message) => {
    inbox.validate?.(message.body);
    const encoded = envelopes.encode(message.body);
    const head = envelopes.head(encoded, message, undefined);
    return { id: envelopes.id, partition: message.partition, head, encoded };
  });
  const signals = messages.flatMap(({ signal }) => signal ?? []);
  const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  if (signal?.aborted === true) throw aborted(signal);
  const ops = made.map(({ partition, head, encoded }) =>
    inbox.appendTo(inbox.partitionFor(head, partition), head, encoded),
  );
  const stored = inbox.store(ops);
  if (stored !== undefined) await (signal === undefined ? stored : untilAborted(signal, stored));
  return made.map(({ id }, n) => receiptOf(id, inbox, ops[n]!));
}

/** One message. Resolves with where it is, once it is stored. */
export function publish(
  inbox: TopicInbox,
  envelopes: Envelopes,
  body: unknown,
  options: Omit<Publication, 'body'> | undefined,
): Promise<TopicReceipt> {
  const signal = options?.signal;
  if (signal?.aborted === true) return Promise.reject(aborted(signal));
  inbox.validate?.(body);
  const encoded = envelopes.encode(body);
  const head = envelopes.head(encoded, options, undefined);
  const { id } = envelopes;
  const partition = inbox.partitionFor(head, options?.partition);
  const offset = inbox.putInto(partition, head, encoded);
  if (offset >= 0) {
    const { names: destinations, durability } = inbox;
    return Promise.resolve({ id, duplicate: false, destinations, durability, partition: partition.number, offset });
  }
  const op = inbox.appendTo(partition, head, encoded);
  const stored = inbox.store([op]);
  if (stored === undefined) return Promise.resolve(receiptOf(id, inbox, op));
  const done = stored.then(() => receiptOf(id, inbox, op));
  return signal === undefined ? done : untilAborted(signal, done);
}

function receiptOf(id: string, inbox: TopicInbox, { entry, offset, partition }: Placed): TopicReceipt {
  const { names: destinations } = inbox;
  const durability = entry.head.isTransient ? 'memory' : inbox.durability;
  return { id, duplicate: false, destinations, durability, partition: partition.number, offset: offset! };
}
