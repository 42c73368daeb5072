import { type Delays, withFlight } from './delays.js';
import { type Flight, lineOf } from './flights.js';

/** What three readers of the flights make of them, each in one loop over the file: no queue, no partitions, nothing that can fail. */

/** Punctuality by airport of origin. */
export function delaysByAirport(flights: readonly Flight[]): Map<string, Delays> {
  const delays = new Map<string, Delays>();
  for (const flight of flights) delays.set(flight.origin, withFlight(delays.get(flight.origin), flight));
  return delays;
}

/** The live board: the latest flight from each airport. */
export function liveBoard(flights: readonly Flight[]): Map<string, Flight> {
  const board = new Map<string, Flight>();
  for (const flight of flights) board.set(flight.origin, flight);
  return board;
}

/** The archive: the lines of each partition, in order. `partitionOf` an airport is what the receipts said. */
export function archive(
  flights: readonly Flight[],
  partitions: number,
  partitionOf: (origin: string) => number,
): string[][] {
  const files = Array.from({ length: partitions }, (): string[] => []);
  for (const flight of flights) files[partitionOf(flight.origin)]!.push(lineOf(flight));
  return files;
}
