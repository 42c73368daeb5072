import { DECK, perform } from './commands.js';
import { drawConfiguration, MAIN, type Configuration } from './configuration.js';
import { Driver } from './driver.js';
import type { Proposition } from './proof.js';
import { watch } from '../watched.js';

/** A queue does what a naive model of it does. */
export const queues: Proposition<Configuration> = {
  deck: DECK,
  drawConfiguration,
  begin: (configuration, seed, census, log) => {
    const driver = new Driver(configuration, seed, census, log);
    return {
      open: async () => {
        await driver.open();
        await backlog(driver);
      },
      perform: (command) => perform(driver, command),
      end: async () => {
        await driver.rest();
        await driver.close();
      },
      abandon: async () => driver.broker?.close({ timeout: 0 }),
      guard: (work) => driver.guard(work),
    };
  },
};

async function backlog(driver: Driver): Promise<void> {
  const { backlog: count } = driver.configuration;
  if (count === 0) return;
  const queue = driver.model.queue(MAIN);
  const parcels = Array.from({ length: count }, () => {
    const number = driver.numbers++;
    const body = { number, text: '' };
    const key = ['a', 'b', 'c', 'd', undefined][number % 5];
    const common = { number, text: '', bytes: JSON.stringify(body).length, id: undefined, key, headers: undefined };
    return {
      body,
      key,
      draft: {
        ...common,
        priority: 0,
        persistent: true,
        ttl: undefined,
        delay: undefined,
        deliverAt: undefined,
        sentAt: driver.now,
      },
    };
  });
  const sending = driver.model.acceptance.send(
    queue,
    parcels.map(({ draft }) => draft),
    true,
    true,
  );
  const answer = watch(driver.handle(queue).sendMany(parcels.map(({ body, key }) => ({ body, key }))));
  driver.sends.push({ queue, sending, answer, abort: undefined });
  await driver.rest();
}
