import { seededRandom } from '../../../src/testing/seeded-random.js';
import type { Proposition } from '../proof.js';
import { DECK, perform } from './commands.js';
import { drawConfiguration, type Configuration } from './configuration.js';
import { drain } from './draining.js';
import { Driver } from './driver.js';
import { drawDraft, publishAll } from './publishing.js';
import { close } from './restarting.js';

/** What is known of a topic and its groups never contradicts what was promised. */
export const topics: Proposition<Configuration> = {
  deck: DECK,
  drawConfiguration,
  begin: (configuration, seed, census, log) => {
    const driver = new Driver(configuration, seed, census, log);
    return {
      open: async () => {
        await driver.open();
        const random = seededRandom(seed);
        const backlog = Array.from({ length: configuration.backlog }, () => drawDraft(driver, random));
        if (backlog.length > 0) publishAll(driver, backlog, false);
        driver.quiet = false;
      },
      perform: (command) => perform(driver, command),
      end: async () => {
        await drain(driver);
        await close(driver);
      },
      abandon: async () => driver.broker?.close({ timeout: 0 }),
      guard: (work) => driver.guard(work),
    };
  },
};
