import type { Random } from '../../../src/clock.js';
import type { Position } from '../../../src/index.js';
import { between, chance } from '../chance.js';
import { watch, type Body } from '../driver.js';
import { diverge } from '../divergence.js';
import type { Kind } from './commands.js';
import { TOPIC } from './configuration.js';
import type { Driver } from './driver.js';
import type { GroupModel } from './group-model.js';
import { drawGroup } from './taking.js';

function drawPosition(driver: Driver, random: Random, partition: number | undefined): Position {
  const draw = random();
  if (draw < 0.35) return 'earliest';
  if (draw < 0.5) return 'latest';
  if (draw < 0.75 || partition === undefined) return new Date(driver.now - between(random, 0, 20) * 10);
  return between(random, 0, driver.topic.partitions[partition]!.entries.length + 2);
}

function drawPartition(driver: Driver, random: Random): number | undefined {
  return chance(random, 0.5) ? between(random, 0, driver.topic.partitions.length - 1) : undefined;
}

function seek(driver: Driver, random: Random): boolean {
  const group = drawGroup(driver, random);
  const partition = drawPartition(driver, random);
  const position = drawPosition(driver, random, partition);
  const { quiet } = driver;
  driver.note(() => `seek ${group.name} to ${String(position)} in ${partition}`);
  const moved = driver.topic.partitions.filter(({ number }) => partition === undefined || number === partition);
  const expected = moved.map((one) => driver.topic.locate(position, one));
  const before = group.moves.length;
  const done = driver.handleOf(group).seek(position, partition);
  const answer = watch(
    done.then(() =>
      driver.guard(() => {
        const moves = group.moves.slice(before);
        for (const { number } of moved) {
          const last =
            moves.findLast((move) => move.partition === number) ?? diverge(`${group.name} was not moved in ${number}`);
          for (const letter of group.letters[number]!) letter.sure = Math.max(letter.sure, last.at);
        }
        if (!quiet || group.moves.length !== before + moved.length) return;
        const found = moves.map(({ to }) => to);
        // Retention may go on meanwhile.
        if (driver.topic.retention.time === undefined && found.join() !== expected.join())
          diverge(`${group.name} went to ${found.join()}, not to ${expected.join()}`);
      }),
    ),
  );
  driver.promises.push({ what: 'seek', answer });
  return true;
}

function redrive(driver: Driver, random: Random): boolean {
  const group = drawGroup(driver, random);
  const half = chance(random, 0.4) ? between(random, 0, 1) : undefined;
  const dead = group.letters.flat().filter(({ dead: count }) => count > 0);
  const wanted = dead.filter(({ entry }) => half === undefined || entry.number % 2 === half);
  const there = wanted.filter(({ entry }) => entry.offset >= group.first(entry.partition));
  const expected = there.reduce((sum, letter) => sum + letter.dead, 0);
  if (group.configuration.deadLetter === false) return false;
  if (dead.length === 0 && !chance(random, 0.1)) return false;
  driver.note(() => `redrive to ${group.name} ${wanted.join(' ')}`);
  for (const letter of there) for (let left = letter.dead; left > 0; left--) group.revived(letter);
  const filter =
    half === undefined ? undefined : ({ body }: { readonly body: Body }): boolean => body.number % 2 === half;
  const answer = watch(
    driver
      .handleOf(group)
      .deadLetters!.redrive({ filter })
      .then((count) =>
        driver.guard(() => {
          if (count !== expected) diverge(`${count} were redriven to ${group.name}, not ${expected}`);
        }),
      ),
  );
  driver.promises.push({ what: 'redrive', answer });
  if (expected > 0) driver.count('redriven');
  return true;
}

function grow(driver: Driver, random: Random): boolean {
  const count = driver.topic.partitions.length + between(random, 1, 2);
  if (count > 7) return false;
  driver.note(() => `grow to ${count}`);
  driver.topic.grow(count);
  for (const group of driver.groups) group.grow();
  driver.broker.topic(TOPIC, { partitions: count });
  return true;
}

async function read(driver: Driver, random: Random): Promise<boolean> {
  const partition = drawPartition(driver, random);
  const from = drawPosition(driver, random, partition);
  driver.note(() => `read from ${String(from)} in ${partition}`);
  const chosen = driver.topic.partitions.filter(({ number }) => partition === undefined || number === partition);
  const expected = chosen.flatMap((one) =>
    one.entries.slice(driver.topic.locate(from, one)).filter(({ gone }) => !gone),
  );
  const found: string[] = [];
  for await (const { id, partition: at, offset } of driver.handle.read({ from, partition, follow: false }))
    found.push(`${id} ${at}@${offset}`);
  const wanted = expected.map((entry) => `${entry.id} ${entry.partition}@${entry.offset}`);
  if (found.sort().join() !== wanted.sort().join()) diverge(`read ${found.join()}, not ${wanted.join()}`);
  return true;
}

function pauseGroup(driver: Driver, random: Random): boolean {
  const group = drawGroup(driver, random);
  const paused = !group.paused;
  if (paused && chance(random, 0.6)) return false;
  driver.note(() => `${paused ? 'pause' : 'resume'} ${group.name}`);
  group.paused = paused;
  if (paused) driver.handleOf(group).pause();
  else driver.handleOf(group).resume();
  return true;
}

function idle(driver: Driver, random: Random): boolean {
  const group = drawGroup(driver, random);
  const answer = watch(driver.handleOf(group).idle());
  const busy = (): boolean => group.members.some(({ hands, running }) => hands.size > 0 || running.size > 0);
  if (!busy()) driver.promises.push({ what: 'idle', answer });
  return true;
}

function deleteGroup(driver: Driver, random: Random): boolean {
  const group = drawGroup(driver, random);
  if (group.members.some(({ sits }) => sits) || group.letters.flat().some(({ state }) => state === 'moving'))
    return refuse(driver, group);
  driver.note(() => `delete ${group.name}`);
  const dead = driver.handleOf(group).deadLetters;
  driver.topic.readers.delete(group);
  driver.promises.push({ what: 'delete', answer: watch(driver.handleOf(group).delete()) });
  driver.sync();
  if (dead !== undefined) driver.promises.push({ what: 'purge', answer: watch(dead.purge()) });
  for (const { hands } of group.members) for (const hand of hands) Object.assign(hand, { live: false, aborted: true });
  driver.past.push(...group.members.flatMap(({ hands }) => [...hands]));
  driver.members = driver.members.filter((member) => member.group !== group);
  driver.calls = driver.calls.filter(({ run }) => !group.members.includes(run.member));
  driver.iterations = driver.iterations.filter((one) => one.group !== group);
  driver.groups.splice(driver.groups.indexOf(group), 1);
  driver.declare(group.configuration);
  return true;
}

function refuse(driver: Driver, group: GroupModel): boolean {
  if (!group.members.some(({ sits }) => sits)) return false;
  const answer = watch(
    driver
      .handleOf(group)
      .delete()
      .then(
        () => 'deleted',
        (error: { readonly code: string }) => error.code,
      ),
  );
  driver.promises.push({
    what: 'delete',
    answer,
    done: () => {
      if (answer.value !== 'ERR_IN_USE') diverge(`${group.name} has members, and delete() said ${answer.value}`);
    },
  });
  return true;
}

async function advance(driver: Driver, random: Random): Promise<boolean> {
  const by = between(random, 1, 8) * 10;
  driver.note(() => `advance ${by}`);
  await driver.advance(by);
  return true;
}

export const moving: Readonly<Record<string, Kind>> = {
  advance: { weight: 8, calm: true, perform: advance },
  seek: { weight: 2.5, perform: seek },
  redrive: { weight: 2, calm: true, perform: redrive },
  grow: { weight: 0.4, perform: grow },
  read: { weight: 0.7, calm: true, perform: read },
  'pause group': { weight: 1.2, perform: pauseGroup },
  idle: { weight: 1, calm: true, perform: idle },
  'delete group': { weight: 0.5, calm: true, perform: deleteGroup },
};
