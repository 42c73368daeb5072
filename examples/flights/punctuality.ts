import { isDeepStrictEqual } from 'node:util';
import { fixed, type Topic } from 'sluice';
import type { Remote } from '../stage/remote.js';
import { type Delays, withFlight } from './delays.js';
import type { Flight } from './flights.js';
import { delaysByAirport } from './plain-loops.js';
import type { Reader } from './reader.js';

/**
 * Delays by airport: trends and rows of late flights, which depend on order. Airports go on side by side, each flight waits for
 * the one before it from the same airport, also while that is retried. Nothing is given up: a flight left out would be worse than one late.
 */
export function startPunctuality(topic: Topic<Flight>, weather: Remote): Reader {
  const group = topic.group('punctuality', {
    ordering: 'key',
    retry: { attempts: Infinity, backoff: fixed('5ms') },
  });
  const delays = new Map<string, Delays>();
  return {
    group,
    join: (name) =>
      group.consume(
        async ({ id, attempt, body }) => {
          await weather.call(id, attempt);
          delays.set(body.origin, withFlight(delays.get(body.origin), body));
        },
        { name, concurrency: 32 },
      ),
    differences: (flights) => {
      const expected = delaysByAirport(flights);
      const airports = new Set([...expected.keys(), ...delays.keys()]);
      return [...airports].flatMap((airport) => {
        const [found, due] = [delays.get(airport), expected.get(airport)];
        return isDeepStrictEqual(found, due) ? [] : `${airport}: ${JSON.stringify(found)}, not ${JSON.stringify(due)}`;
      });
    },
    summary: () => {
      const [worst] = [...delays].toSorted(([, a], [, b]) => b.longestRow - a.longestRow);
      return `${delays.size} airports, the most late flights in a row ${worst?.[1].longestRow} at ${worst?.[0]}`;
    },
  };
}
