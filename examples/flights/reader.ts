import type { Awaitable, Consumer, ConsumerGroup } from 'sluice';
import type { Flight } from './flights.js';

/** A consumer group, and what it makes of the flights. */
export interface Reader {
  readonly group: ConsumerGroup<Flight>;
  /** One more member. */
  join(name: string): Consumer;
  /** What is not as the plain loop has it, a line each. `partitionOf` an airport: what the receipts said. */
  differences(flights: readonly Flight[], partitionOf: (origin: string) => number): Awaitable<string[]>;
  /** What came of it, in a line. */
  summary(): string;
}
