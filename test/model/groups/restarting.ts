import { chance } from '../chance.js';
import { diverge } from '../divergence.js';
import type { Kind } from './commands.js';
import type { Driver } from './driver.js';
import type { GroupModel } from './group-model.js';
import type { Entry } from './topic-model.js';

async function flush(driver: Driver): Promise<void> {
  const sure = driver.groups.map(({ changes }) => changes);
  await driver.broker.flush();
  driver.groups.forEach((group, n) => (group.sure = sure[n]!));
  for (const { entries } of driver.topic.partitions) for (const entry of entries) entry.confirmed = true;
  driver.note(() => 'flushed');
}

async function restart(driver: Driver): Promise<void> {
  driver.note(() => 'restart');
  const time = driver.now;
  await driver.close();
  forgetTransients(driver);
  await driver.begin(time);
}

/** What was not to outlive its run is not there for anybody any more. */
function forgetTransients(driver: Driver): void {
  for (const { entries } of driver.topic.partitions)
    for (const entry of entries) if (entry.transient) entry.gone = true;
  // Nor are its dead letters.
  for (const { letters } of driver.groups) for (const letter of letters.flat()) if (letter.entry.gone) letter.dead = 0;
}

async function crash(driver: Driver, power: boolean): Promise<void> {
  driver.note(() => (power ? 'power cut' : 'killed'));
  const time = driver.now;
  await driver.crash(power);
  forgetTransients(driver);
  for (const group of driver.groups) group.crashed();
  const { sending } = driver.topic;
  driver.topic.sending = [];
  await driver.begin(time, async () => {
    await find(driver, sending);
    for (const group of driver.groups) await compare(driver, group);
  });
}

/** What is left of the topic: everything that was confirmed, and perhaps what was on its way. */
async function find(
  driver: Driver,
  sending: readonly { readonly id: string; readonly transient: boolean }[],
): Promise<void> {
  const found = new Map<string, { readonly id: string; readonly number: number }>();
  for await (const { id, body, partition, offset } of driver.handle.read({ follow: false }))
    found.set(`${partition}@${offset}`, { id, number: body.number });
  for (const partition of driver.topic.partitions) {
    const { number, entries } = partition;
    const { first, next } = driver.ranges[number]!;
    partition.first = Math.min(partition.first, first);
    for (const lost of entries.splice(next)) {
      if (lost.confirmed && !lost.transient) diverge(`${lost.id} was confirmed, and is lost`);
      driver.count('lost: not confirmed');
    }
    for (const group of driver.groups) group.letters[number]?.splice(next);
    for (let offset = entries.length; offset < next; offset++) {
      const { id } = found.get(`${number}@${offset}`) ?? {};
      const draft = sending.find((one) => (id === undefined ? one.transient : one.id === id));
      if (draft === undefined) diverge(`${number}@${offset} is ${id}, and nobody published it`);
      const entry = { ...draft, partition: number, offset, gone: draft.transient, confirmed: true } as Entry;
      entries.push(entry);
      for (const group of driver.groups) group.found(entry);
      driver.count('found: not confirmed');
    }
    for (const { id, offset, gone } of entries.slice(first)) {
      const there = found.get(`${number}@${offset}`)?.id;
      if (there !== (gone ? undefined : id)) diverge(`${number}@${offset} is ${there}, not ${id}`);
    }
  }
}

/** What is left of a group: what was flushed, and perhaps what came after it. */
async function compare(driver: Driver, group: GroupModel): Promise<void> {
  const { delivered, acked, retried, deadLettered, dropped } = driver.handleOf(group).stats();
  group.counts = { delivered, acked, retried, deadLettered, dropped };
  group.missed = group.missedToldOf;
  const dead = new Map<string, number>();
  for (const { deaths } of (await driver.handleOf(group).deadLetters?.peek(100_000)) ?? []) {
    const [{ partition, offset }] = deaths as [(typeof deaths)[0]];
    const place = `${partition}@${offset}`;
    dead.set(place, (dead.get(place) ?? 0) + 1);
  }
  for (const letter of group.letters.flat()) {
    if (letter.entry.gone) continue;
    const { partition, offset } = letter.entry;
    const count = dead.get(`${partition}@${offset}`) ?? 0;
    const what = JSON.stringify(letter.maybe);
    if (!group.narrow(letter, (trace) => trace.dead === count))
      diverge(`${letter} is dead ${count} times, and was ${what}`);
  }
  driver.count(
    group.letters.flat().some(({ maybe }) => maybe !== undefined) ? 'crash: not sure of all' : 'crash: sure of all',
  );
}

export const restarting: Readonly<Record<string, Kind>> = {
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
    weight: 0.8,
    perform: async (driver, random) => {
      if (!driver.lasts) return false;
      const power = chance(random, 0.5);
      if (chance(random, 0.3)) {
        await driver.rest();
        await flush(driver);
      }
      await crash(driver, power);
      return true;
    },
  },
};
