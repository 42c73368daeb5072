import type { SluiceError } from '../errors.js';
import { Held } from './held.js';
import type { Subscription } from './subscription.js';

/** The broker closes: everything in hand goes back, no attempt counted. What that was. */
export function abandon(
  subscription: Subscription,
  reason: SluiceError,
): { readonly source: string; readonly id: string }[] {
  subscription.paused = true;
  const held = [...subscription.inHand()].filter((taken) => taken instanceof Held && taken.inHand);
  for (const one of held) subscription.takeBack(one as Held, 'abandon', reason);
  return held.map((one) => ({ source: subscription.name, id: subscription.idOf(one.entry.head) }));
}

/** The queue is gone, with all that it held. What is in hand is fenced. */
export function dissolve(subscription: Subscription, error: SluiceError): void {
  subscription.paused = true;
  for (const held of [...subscription.inHand()]) {
    if (!(held instanceof Held) || !held.inHand) continue;
    held.inHand = false;
    held.holder.lose(held);
    held.holder.released(held);
    held.giveUp(error);
  }
  for (const subscriber of [...subscription.subscribers]) void subscriber.end();
  subscription.close();
  subscription.idlers.reject(error);
}
