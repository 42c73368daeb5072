import type { Random } from '../../../src/clock.js';
import { between, chance, pick } from '../chance.js';
import type { Kind } from '../deck.js';
import { diverge } from '../divergence.js';
import { watch } from '../../watched.js';
import { KEYS } from './configuration.js';
import type { Driver } from './driver.js';
import type { Draft } from './entries.js';

export function drawDraft(driver: Driver, random: Random): Draft {
  const number = driver.numbers++;
  const partitions = driver.entries.partitions.length;
  return {
    number,
    id: `m${number}`,
    key: chance(random, 0.6) ? pick(random, KEYS) : undefined,
    partition: chance(random, 0.2) ? between(random, 0, partitions - 1) : undefined,
    partitions,
    transient: chance(random, 0.08),
    sentAt: driver.now,
  };
}

export function publishAll(driver: Driver, drafts: readonly Draft[], one: boolean): void {
  const text = drafts.map(({ number, key, transient }) => `#${number}${key ?? ''}${transient ? '!' : ''}`).join(' ');
  driver.note(() => `publish ${text}`);
  for (const draft of drafts) driver.entries.sending.set(draft.id, draft);
  const given = drafts.map(({ number, id, key, partition, transient }) => {
    return { body: { number }, id, key, partition, persistent: transient ? false : undefined };
  });
  const [{ body, ...options }] = given as [(typeof given)[0]];
  const receipts = one
    ? driver.handle.publish(body, options).then((receipt) => [receipt])
    : driver.handle.publishMany(given);
  const { guard } = driver.process;
  const answer = watch(
    receipts.then((all) =>
      guard(() => {
        if (all.some(({ id }, n) => id !== drafts[n]!.id)) diverge(`the receipts of ${text} are in another order`);
        for (const receipt of all) {
          const entry = driver.entries.checkPlace(receipt);
          entry.confirmed = !entry.transient;
        }
      }),
    ),
  );
  driver.promises.push({ what: `publish ${text}`, answer });
}

export const publishing: Readonly<Record<string, Kind<Driver>>> = {
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
      const drafts = Array.from({ length: between(random, 1, 8) }, () => drawDraft(driver, random));
      publishAll(driver, drafts, false);
      return true;
    },
  },
};
