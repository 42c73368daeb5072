import type { BrokerEvents } from '../../../src/index.js';
import { TOPIC } from './configuration.js';
import type { Driver } from './driver.js';
import type { Ledger } from './ledger.js';

/** Events of the groups, and what each says to the ledger. */
const HEARD: { readonly [E in keyof BrokerEvents]?: (ledger: Ledger, event: BrokerEvents[E]) => void } = {
  delivered: (ledger, { id, attempt, consumer }) => ledger.delivered(id, attempt, consumer),
  acked: (ledger, { id }) => ledger.acked(id),
  retried: (ledger, { id, attempt, delay }) => ledger.retried(id, attempt, delay),
  deadLettered: (ledger, { id, reason, to }) => ledger.deadLettered(id, reason, to),
  rebalanced: (ledger, { assignment }) => ledger.rebalanced(assignment),
  warning: (ledger, { details }) => {
    ledger.told += details['missed'] as number;
    ledger.count('warning: overtaken');
  },
};

/** Tells the ledgers what this broker says, as long as it is the one that runs. */
export function listen(driver: Driver): void {
  const { broker, process } = driver;
  for (const [name, tell] of Object.entries(HEARD) as [
    keyof BrokerEvents,
    (ledger: Ledger, event: unknown) => void,
  ][]) {
    broker.on(name, (event) =>
      process.guard(() => {
        const { group, details } = event as { readonly group?: string; readonly details?: { readonly group?: string } };
        const ledger = driver.ledgers.find((one) => one.name === (group ?? details?.group));
        if (ledger === undefined) return;
        driver.note(
          () => `    ${name} ${JSON.stringify({ ...event, source: undefined, message: undefined, error: undefined })}`,
        );
        driver.sync();
        tell(ledger, event);
      }),
    );
  }
  broker
    .on('accepted', ({ source, id }) =>
      process.guard(() => {
        if (source !== TOPIC) return;
        const entry = driver.entries.accepted(id, driver.handle.stats().partitions);
        driver.note(() => `    accepted ${id} at ${entry.partition}@${entry.offset}`);
        for (const ledger of driver.ledgers) ledger.add(entry);
        driver.sync();
      }),
    )
    .on('error', ({ error }) => process.guard(() => driver.errors.push(error)));
}
