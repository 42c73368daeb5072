import type { Clock } from '../clock.js';
import type { Events } from '../events.js';
import type { DeathReason } from '../message.js';
import type { LogEntry } from './cursor/buffer.js';
import { deadHead, isCycle } from './dead-letters.js';
import type { Head } from './head.js';
import type { Identities } from './identities.js';
import type { Deposit, Inbox } from './intake/inbox.js';
import type { Intake } from './intake/intake.js';
import type { Taken } from './taken.js';
import type { Awaitable } from '../storage/storage.js';
import type { Subscription } from './subscription.js';

/** Where the dead of one queue or group go. */
export interface Grave {
  /** Name of the queue or topic, and where in the topic it died. */
  readonly source: string;
  readonly of?: { readonly group: string; readonly partition: number; readonly offset: number };
  /** The queue that takes what has nowhere else to go. */
  readonly lastResort: string;
  /** Name of a queue, exchange or topic; false: nowhere, they are dropped. */
  readonly to: string | false;
  /** For an exchange, instead of the message's own. */
  readonly routingKey: string | undefined;
}

/** Names become queues when they are needed, not when they are declared. */
export interface Graveyard {
  /** The queues behind a name; routes where it is an exchange, makes a queue where it is nothing yet. */
  find(to: string, head: Head): { readonly inboxes: readonly Inbox[]; readonly exchange: boolean };
  /** The queue of a name, made if there is none. undefined where something else has the name. */
  queue(name: string): Inbox;
}

export type DeadLetter = Omit<Deposit, 'parcel'>;

/** Makes dead letters: what is in their head, and which queues they go to. */
export class Burial {
  private readonly clock: Clock;
  private readonly events: Events;
  private readonly identities: Identities;
  private readonly graveyard: Graveyard;

  constructor(clock: Clock, events: Events, identities: Identities, graveyard: Graveyard) {
    this.clock = clock;
    this.events = events;
    this.identities = identities;
    this.graveyard = graveyard;
  }

  /**
   * The deposits that make dead letters of a message. At least one: what an exchange routes nowhere, and what would run in a circle,
   * ends in the queue of last resort.
   */
  letters(
    grave: Grave & { readonly to: string },
    taken: LogEntry,
    reason: DeathReason,
    attempts: number,
    error: unknown,
  ): readonly DeadLetter[] {
    const { source, to } = grave;
    const { body } = taken;
    const at = { source, ...grave.of };
    const head = deadHead(taken.head, at, reason, attempts, this.clock.now(), error);
    const key = grave.routingKey ?? head.routingKey ?? source;
    const routed = key === head.routingKey ? head : head.moved({}, key);
    const { inboxes, exchange } = this.graveyard.find(to, routed);
    const found = inboxes.filter((inbox) => !isCycle(head.rare!.deaths!, inbox.name));
    if (found.length > 0) return found.map((inbox) => ({ inbox, head: exchange ? routed : head, body }));
    if (exchange && inboxes.length === 0 && this.events.heard.unroutable) {
      this.events.emit('unroutable', { exchange: to, routingKey: routed.routingKey!, id: this.identities.of(head) });
    }
    return [{ inbox: this.graveyard.queue(grave.lastResort), head, body }];
  }
}

/** Appends dead letters of a message where they go; with the name of that. */
export function bury(
  { burial, intake }: { readonly burial: Burial; readonly intake: Intake },
  grave: Grave,
  taken: Taken,
  reason: DeathReason,
  attempts: number,
  error: unknown,
): Awaitable<string> {
  const letters = burial.letters(grave as Grave & { readonly to: string }, taken.entry, reason, attempts, error);
  const to = letters.length === 1 ? letters[0]!.inbox.name : (grave.to as string);
  const stored = intake.admit(letters.map((letter) => ({ ...letter, parcel: 0 })));
  return stored instanceof Promise ? stored.then(() => to) : to;
}

/** A full queue does not take this message: it dies at the door, and the queue's books say so. */
export function bounce(source: Subscription, burial: Burial, grave: Grave, entry: LogEntry): readonly DeadLetter[] {
  const { stock, events } = source;
  const { to } = grave;
  const letters = to === false ? [] : burial.letters({ ...grave, to }, entry, 'overflow', 0, undefined);
  stock.books.accepted++;
  if (to === false) stock.books.dropped++;
  else stock.books.deadLettered++;
  if (events.heard.deadLettered) {
    const where = letters.length === 1 ? letters[0]!.inbox.name : to === false ? null : to;
    events.emit('deadLettered', { source: source.name, id: source.idOf(entry.head), reason: 'overflow', to: where });
  }
  return letters;
}
