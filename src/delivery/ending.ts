import type { SluiceError } from '../errors.js';
import { Held } from './held.js';
import type { Cursor } from './cursor/cursor.js';
import type { Subscription } from './subscription.js';

/** The broker closes: everything in hand goes back, no attempt counted. What that was. */
export function abandon(
  subscription: Subscription,
  reason: SluiceError,
): { readonly source: string; readonly id: string }[] {
  subscription.paused = true;
  const held = inHand(subscription);
  for (const one of held) subscription.takeBack(one, 'abandon', reason);
  return held.map((one) => ({ source: subscription.name, id: subscription.idOf(one.entry.head) }));
}

/** The queue is gone, with all that it held. What is in hand is fenced. */
export function dissolve(subscription: Subscription, error: SluiceError): void {
  subscription.paused = true;
  for (const held of inHand(subscription)) letGo(held, error);
  for (const subscriber of [...subscription.subscribers]) void subscriber.end();
  subscription.close();
  subscription.idlers.reject(error);
}

/** Its cursor has another place now: what is out of this one is fenced, and will be delivered anew. */
export function fence(subscription: Subscription, cursor: Cursor, reason: SluiceError): void {
  for (const held of inHand(subscription)) {
    if (held.cursor !== cursor) continue;
    subscription.stock.books.unacked--;
    letGo(held, reason);
  }
}

function inHand(subscription: Subscription): Held[] {
  return [...subscription.inHand()].filter((taken) => taken instanceof Held && taken.inHand) as Held[];
}

/** Its signal aborts, its slot is free, and its late verbs change nothing. */
function letGo(held: Held, reason: SluiceError): void {
  held.inHand = false;
  held.holder.lose(held);
  held.holder.released(held);
  held.giveUp(reason);
}
