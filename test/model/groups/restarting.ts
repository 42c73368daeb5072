import { between, chance } from '../chance.js';
import type { Kind } from '../deck.js';
import { diverge } from '../divergence.js';
import type { Driver } from './driver.js';
import type { Found } from './entries.js';
import { checkGraves, exhume } from './graves.js';
import type { Ledger } from './ledger.js';
import { drawDraft, publishAll } from './publishing.js';

/** What was so when it was called outlives everything. */
async function flush(driver: Driver): Promise<void> {
  const { ledgers, broker } = driver;
  const before = ledgers.map((ledger) => ({ ledger, at: ledger.changes, offsets: ledger.handle.offsets() }));
  const entries = driver.entries.partitions.flat();
  await broker.flush();
  for (const { ledger, at, offsets } of before) {
    for (const letter of ledger.letters.flat()) letter.sure(at);
    for (const { partition, committed } of offsets) {
      const moved = ledger.moves.some((move) => move.partition === partition && move.at > at);
      if (!moved) ledger.flushed.set(partition, committed);
    }
  }
  for (const entry of entries) entry.confirmed = !entry.transient;
  driver.note(() => 'flushed');
}

/** The process ends as it should. */
export async function close(driver: Driver): Promise<void> {
  await driver.rest();
  const { hands, pulls } = driver;
  await driver.broker.close({ timeout: 0 });
  driver.check();
  const { pending } = driver.surroundings;
  if (pending > 0) diverge(`${pending} timers are left`);
  for (const hand of hands) {
    if (!hand.doubtful && !hand.delivery!.signal.aborted)
      diverge(`the broker closed, and the signal of ${hand} is not aborted`);
    if (hand.delivery!.ack()) diverge(`the broker closed, and ${hand} could be acked`);
  }
  if (pulls.some(({ answer }) => answer.state === 'pending'))
    diverge('the broker closed, and somebody waits for a message');
  for (const ledger of driver.ledgers) {
    const { name, missed, perhapsMissed, told } = ledger;
    if (told < missed || told > missed + perhapsMissed) diverge(`${name} missed ${missed}, and was told of ${told}`);
    for (const letter of ledger.letters.flat()) {
      letter.sure(ledger.changes);
      letter.hand = undefined;
    }
  }
  driver.leave();
}

async function restart(driver: Driver): Promise<void> {
  driver.note(() => 'restart');
  const time = driver.now;
  await close(driver);
  driver.entries.forgetTransients();
  // What was not to outlive its run counts when somebody comes to it, in each run anew.
  await driver.begin(time, () => {
    for (const { counts, handle } of driver.ledgers) counts.dropped = Math.min(counts.dropped, handle.stats().dropped);
  });
  driver.entries.recover(await readAll(driver));
  for (const ledger of driver.ledgers) await count(ledger, false);
}

/** The process ends as it must not. */
async function crash(driver: Driver, power: boolean): Promise<void> {
  driver.note(() => (power ? 'power cut' : 'killed'));
  const time = driver.now;
  driver.check();
  driver.broker = undefined as unknown as Driver['broker'];
  driver.leave();
  await (power ? driver.machine.cutPower() : driver.machine.kill());
  driver.entries.forgetTransients();
  for (const ledger of driver.ledgers) crashed(ledger);
  await driver.begin(time, () => {
    const ranges = driver.handle.stats().partitions;
    const lost = driver.entries.cut(ranges);
    for (const ledger of driver.ledgers)
      reopened(
        ledger,
        ranges.map(({ next }) => next),
      );
    for (const _ of lost) driver.count('lost: not confirmed');
  });
  for (const entry of driver.entries.recover(await readAll(driver))) {
    for (const ledger of driver.ledgers) ledger.add(entry);
    if (!entry.gone) driver.count('found: not confirmed');
  }
  for (const entry of driver.entries.partitions.flat()) entry.confirmed = !entry.transient;
  for (const ledger of driver.ledgers) await count(ledger, true);
}

function crashed(ledger: Ledger): void {
  for (const letter of ledger.letters.flat()) letter.crashed(++ledger.changes);
  ledger.committed.clear();
  for (const [partition, committed] of ledger.flushed) ledger.committed.set(partition, committed);
}

/** What is left of its logs, and what it says that it has done. */
function reopened(ledger: Ledger, ends: readonly number[]): void {
  ends.forEach((end, partition) => ledger.letters[partition]?.splice(end));
  const { delivered, acked, retried, deadLettered, dropped } = ledger.handle.stats();
  ledger.counts = { delivered, acked, retried, deadLettered, dropped };
  // What it missed and was not told yet is gone with the process.
  ledger.perhapsMissed += Math.max(0, ledger.missed - ledger.told);
  ledger.missed = ledger.told;
}

async function readAll(driver: Driver): Promise<Found[]> {
  await driver.surroundings.rest();
  driver.sync();
  const found: Found[] = [];
  for await (const { id, partition, offset } of driver.handle.read({ follow: false }))
    found.push({ id, partition, offset });
  return found;
}

/** Dead letters are those that were there; after a crash about so. */
async function count(ledger: Ledger, crashed: boolean): Promise<void> {
  const found = await exhume(ledger);
  for (const letter of ledger.letters.flat()) {
    if (letter.entry.gone) letter.change(++ledger.changes, { deaths: 0 });
    else if (crashed) letter.buried(found.get(letter) ?? 0, ++ledger.changes);
  }
  if (!crashed) await checkGraves(ledger);
}

export const restarting: Readonly<Record<string, Kind<Driver>>> = {
  flush: {
    weight: 1,
    calm: true,
    perform: async (driver) => {
      await flush(driver);
      return true;
    },
  },
  restart: {
    weight: 0.8,
    calm: true,
    perform: async (driver) => {
      if (!driver.lasts) return false;
      await restart(driver);
      return true;
    },
  },
  crash: {
    weight: 1.2,
    perform: async (driver, random) => {
      if (!driver.lasts) return false;
      const power = chance(random, 0.5);
      if (chance(random, 0.3)) {
        await driver.rest();
        await flush(driver);
      } else if (chance(random, 0.5)) {
        publishAll(driver, [drawDraft(driver, random)], true);
        publishAll(driver, [{ ...drawDraft(driver, random), transient: true }], true);
        for (let n = between(random, 0, 30); n > 0; n--) await Promise.resolve();
      }
      await crash(driver, power);
      return true;
    },
  },
};
