import type { Clock } from '../clock.js';
import type { Codecs } from '../codec.js';
import type { Message } from '../message.js';
import { LOADING, READY } from './cursor.js';
import type { Head } from './head.js';
import type { Inbox } from './inbox.js';
import type { Intake } from './intake.js';
import type { Taken } from './taken.js';
import { StoredMessage } from './stored-message.js';
import type { Subscription } from './subscription.js';

export interface Redrive {
  /** Where to; undefined: where each died last. */
  readonly to: string | undefined;
  readonly limit: number;
  readonly filter: ((message: Message) => boolean) | undefined;
}

/** What a redrive asks of the broker. */
export interface RedriveHost {
  readonly engine: { readonly clock: Clock; readonly codecs: Codecs };
  readonly intake: Intake;
  route(name: string, head: Head): readonly Inbox[];
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
      while (moved < what.limit && !source.closed) {
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
        const inboxes = targets(source, host, what, taken);
        if (inboxes.length === 0) {
          aside.push(taken);
          continue;
        }
        if (await moveTo(source, host, taken, inboxes)) moved++;
      }
    }
  } finally {
    for (const taken of aside) source.settlement.putBack(taken);
  }
  return moved;
}

function targets(source: Subscription, host: RedriveHost, { to, filter }: Redrive, taken: Taken): readonly Inbox[] {
  const { head, body: encoded } = taken.entry;
  const name = to ?? head.rare?.deaths?.[0]?.source;
  if (name === undefined) return [];
  if (filter !== undefined) {
    try {
      const body = host.engine.codecs.decode(head.rare?.codec, encoded);
      if (filter(new StoredMessage(source, taken.entry, body, taken.failures, taken.deliveries)) !== true) return [];
    } catch (error) {
      source.report(error);
      return [];
    }
  }
  return host.route(name, head);
}

async function moveTo(
  source: Subscription,
  host: RedriveHost,
  taken: Taken,
  inboxes: readonly Inbox[],
): Promise<boolean> {
  const { entry } = taken;
  const head = entry.head.moved({ due: undefined, expires: undefined, arrived: host.engine.clock.now() });
  const deposits = inboxes.map((inbox) => ({ inbox, head, body: entry.body, parcel: 0 }));
  const write = () => {
    const stored = host.intake.admit(deposits);
    return stored instanceof Promise ? stored.then(() => undefined) : undefined;
  };
  return source.settlement.move(taken, 'removed', write);
}
