import type { Death, DeathReason } from '../message.js';
import type { Head } from './head.js';

/**
 * The head of a dead letter: id, key, headers and priority stay, ttl and delay go, and its newest death comes first. There is one
 * entry per source and reason, which counts.
 * @param attempts that had been made
 */
export function deadHead(
  head: Head,
  at: Pick<Death, 'source' | 'group' | 'partition' | 'offset'>,
  reason: DeathReason,
  attempts: number,
  now: number,
  error: unknown,
): Head {
  const deaths = head.rare?.deaths ?? [];
  const same = (death: Death): boolean =>
    death.source === at.source && death.group === at.group && death.reason === reason;
  const death: Death = {
    ...at,
    reason,
    at: new Date(now),
    count: (deaths.find(same)?.count ?? 0) + 1,
    attempts,
    ...(head.routingKey === undefined ? {} : { routingKey: head.routingKey }),
    ...(error === undefined ? {} : { error: described(error) }),
  };
  const changes = {
    deaths: [death, ...deaths.filter((other) => !same(other))],
    due: undefined,
    expires: undefined,
    arrived: now,
  };
  return head.moved(changes);
}

/**
 * Whether a dead letter that goes to `target` runs in a circle: it died there before, and nobody rejected it since. RabbitMQ's
 * rule: a cycle that a rejection (here also: attempts used up) is part of is wanted, any other would never end.
 * @param deaths newest first, the one that sends it included
 */
export function isCycle(deaths: readonly Death[], target: string): boolean {
  const last = deaths.findIndex((death) => death.source === target);
  if (last < 0) return false;
  return deaths.slice(0, last + 1).every((death) => death.reason !== 'rejected' && death.reason !== 'attempts');
}

const ILLEGIBLE = { name: 'Error', message: 'something was thrown that cannot be looked at' };

/** Whatever was thrown: a handler's error is data of its message, also where its properties throw. */
function described(error: unknown): NonNullable<Death['error']> {
  try {
    return legible(error);
  } catch {
    return ILLEGIBLE;
  }
}

function legible(error: unknown): NonNullable<Death['error']> {
  if (typeof error !== 'object' || error === null) return { name: 'Error', message: String(error) };
  const { name, message, stack } = error as Partial<Error>;
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: typeof message === 'string' ? message : 'something that is no Error was thrown',
    ...(typeof stack === 'string' ? { stack } : {}),
  };
}
