import { fixed, type Topic } from 'sluice';
import type { Remote } from '../stage/remote.js';
import { type Flight, lineOf } from './flights.js';
import { liveBoard } from './plain-loops.js';
import type { Reader } from './reader.js';

/**
 * The live board: the latest flight from each airport. It need not wait for its turn: an airport is in one partition, and the higher
 * offset is the later flight. What the display does not take twice goes to the dead letters, and comes back when somebody has repaired it.
 */
export function startBoard(topic: Topic<Flight>, display: Remote): Reader {
  const group = topic.group('board', { ordering: 'none', retry: { attempts: 2, backoff: fixed('5ms') } });
  const board = new Map<string, { readonly flight: Flight; readonly offset: number }>();
  return {
    group,
    join: (name) =>
      group.consume(
        async ({ id, attempt, offset, body: flight }) => {
          await display.call(id, attempt);
          const shown = board.get(flight.origin);
          if (shown === undefined || shown.offset < offset) board.set(flight.origin, { flight, offset });
        },
        { name, concurrency: 16 },
      ),
    differences: (flights) => {
      const expected = liveBoard(flights);
      const airports = new Set([...expected.keys(), ...board.keys()]);
      return [...airports].flatMap((airport) => {
        const [found, due] = [board.get(airport)?.flight, expected.get(airport)].map((one) => one && lineOf(one));
        return found === due ? [] : `${airport}: ${found}, not ${due}`;
      });
    },
    summary: () => {
      const latest = [...board.values()].map(({ flight }) => flight).toSorted((a, b) => (a.date < b.date ? 1 : -1));
      const shown = latest
        .slice(0, 3)
        .map(({ date, origin, destination }) => `${date.slice(11)} ${origin}–${destination}`);
      return `${board.size} airports, on top ${shown.join(', ')}`;
    },
  };
}
