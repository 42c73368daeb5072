import type { Random } from '../../../src/clock.js';
import { between, chance, pick } from '../chance.js';
import { watch, type Body } from '../driver.js';
import { diverge } from '../divergence.js';
import type { Kind } from './commands.js';
import { KEYS } from './configuration.js';
import type { Driver } from './driver.js';
import type { Draft } from './topic-model.js';

export function drawDraft(driver: Driver, random: Random): Draft {
  const number = driver.numbers++;
  const key = chance(random, 0.6) ? pick(random, KEYS) : undefined;
  return {
    number,
    id: `m${number}`,
    key,
    partition: chance(random, 0.2) ? between(random, 0, driver.topic.partitions.length - 1) : undefined,
    partitions: driver.topic.partitions.length,
    transient: chance(random, 0.08),
    bytes: JSON.stringify({ number }).length,
    sentAt: driver.now,
  };
}

export function publishAll(driver: Driver, drafts: readonly Draft[], one: boolean): void {
  driver.note(
    () =>
      `publish ${drafts.map(({ number, key, transient }) => `#${number}${key ?? ''}${transient ? '!' : ''}`).join(' ')}`,
  );
  driver.topic.sending.push(...drafts);
  const given = drafts.map(({ number, id, key, partition, transient }) => {
    return { body: { number } as Body, id, key, partition, persistent: transient ? false : undefined };
  });
  const [{ body, ...options }] = given as [(typeof given)[0]];
  const receipts = one
    ? driver.handle.publish(body, options).then((receipt) => [receipt])
    : driver.handle.publishMany(given);
  const answer = watch(
    receipts.then((all) =>
      driver.guard(() =>
        all.forEach(({ partition, offset, id }, n) => {
          const entry = driver.topic.partitions[partition]!.entries[offset];
          if (entry?.id !== id || id !== drafts[n]!.id)
            diverge(`the receipt of ${drafts[n]!.id} says ${id} at ${partition}@${offset}`);
          if (!entry.transient) entry.confirmed = true;
        }),
      ),
    ),
  );
  driver.promises.push({ what: `publish of ${drafts.map(({ id }) => id).join()}`, answer });
}

export const publishing: Readonly<Record<string, Kind>> = {
  publish: {
    weight: 9,
    perform: (driver, random) => {
      publishAll(driver, [drawDraft(driver, random)], true);
      return true;
    },
  },
  'publish many': {
    weight: 3,
    perform: (driver, random) => {
      publishAll(
        driver,
        Array.from({ length: between(random, 1, 8) }, () => drawDraft(driver, random)),
        false,
      );
      return true;
    },
  },
};
