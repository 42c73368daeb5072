import type { Clock } from '../clock.js';
import type { Codecs } from '../codec.js';
import type { Death, Message } from '../message.js';
import type { Awaitable } from '../storage/storage.js';
import { LOADING, READY } from './cursor/next.js';
import type { Head } from './head.js';
import type { Inbox } from './intake/inbox.js';
import type { Intake } from './intake/intake.js';
import type { Taken } from './taken.js';
import { StoredMessage } from './stored-message.js';
import type { Subscription } from './subscription.js';

export interface Redrive {
  /** Where to; undefined: where each died last. */
  readonly to: string | undefined;
  readonly limit: number;
  readonly filter: ((message: Message) => boolean) | undefined;
  /** The queue is deleted, or its broker closes: nothing more is moved. */
  readonly over: () => boolean;
}

/** What a redrive asks of the broker. */
export interface RedriveHost {
  readonly engine: { readonly clock: Clock; readonly codecs: Codecs };
  readonly intake: Intake;
  route(name: string, head: Head): readonly Inbox[];
  /** How what died in a group is delivered to it once more; undefined: it is not there any more. */
  revival(death: Death, head: Head): Promise<(() => Awaitable<void>) | undefined>;
}

/**
 * Moves ready messages out, as a consumer would take them, up to the ends that the logs have now. What is not to move, or has nowhere to
 * go, is set aside and given back in the end, so that each is looked at once.
 */
export async function redrive(source: Subscription, host: RedriveHost, what: Redrive): Promise<number> {
  const { stock, slice } = source;
  const aside: Taken[] = [];
  let moved = 0;
  try {
    for (const { cursor, end } of stock.cursors.map((one) => ({ cursor: one, end: one.end })).reverse()) {
      while (moved < what.limit && !what.over()) {
        if (slice.over()) await slice.rest();
        const found = stock.picker.nextOf(cursor, aside, true);
        if (found === LOADING) {
          await (stock.loading ? stock.reads.wait() : slice.rest());
          continue;
        }
        if (found !== READY) break;
        if (cursor.offset >= end) {
          stock.picker.leave(cursor);
          break;
        }
        const taken = source.setAside(cursor);
        const way = moveOf(source, host, what, taken);
        // Not awaited where it is known: what it leads to may be deleted a moment later.
        const move = way instanceof Promise ? await way : way;
        if (move === undefined || what.over()) aside.push(taken);
        else if (await source.settlement.move(taken, 'removed', move)) moved++;
      }
    }
  } finally {
    for (const taken of aside) source.settlement.putBack(taken);
  }
  return moved;
}

/** The write that moves a message to where it goes; undefined: it stays. */
function moveOf(
  source: Subscription,
  host: RedriveHost,
  { to, filter }: Redrive,
  taken: Taken,
): Awaitable<(() => Awaitable<void>) | undefined> {
  const { entry } = taken;
  const death = entry.head.rare?.deaths?.[0];
  if (!wanted(source, host, filter, taken)) return undefined;
  if (to === undefined && death?.group !== undefined) {
    return host.revival(death, entry.head).catch((error: unknown) => {
      source.report(error);
      return undefined;
    });
  }
  const name = to ?? death?.source;
  const inboxes = name === undefined ? [] : host.route(name, entry.head);
  if (inboxes.length === 0) return undefined;
  const head = entry.head.moved({ due: undefined, expires: undefined, arrived: host.engine.clock.now() });
  const deposits = inboxes.map((inbox) => ({ inbox, head, body: entry.body, parcel: 0 }));
  return () => {
    const stored = host.intake.admit(deposits);
    return stored instanceof Promise ? stored.then(() => undefined) : undefined;
  };
}

function wanted(source: Subscription, host: RedriveHost, filter: Redrive['filter'], taken: Taken): boolean {
  if (filter === undefined) return true;
  const { head, body: encoded } = taken.entry;
  try {
    const body = host.engine.codecs.decode(head.rare?.codec, encoded);
    return filter(new StoredMessage(source, taken.entry, body, taken.failures, taken.deliveries)) === true;
  } catch (error) {
    source.report(error);
    return false;
  }
}
