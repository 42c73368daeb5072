import type { Random } from '../../../src/clock.js';
import { SluiceError, type Position } from '../../../src/index.js';
import { between, chance, pick } from '../chance.js';
import type { Kind } from '../deck.js';
import { diverge } from '../divergence.js';
import { watch } from '../../watched.js';
import { TOPIC } from './configuration.js';
import { redrive } from './graves.js';
import type { Driver } from './driver.js';
import type { Ledger } from './ledger.js';

function drawPosition(driver: Driver, random: Random, partition: number | undefined): Position {
  const draw = random();
  if (draw < 0.35) return 'earliest';
  if (draw < 0.5) return 'latest';
  if (draw < 0.75 || partition === undefined) return new Date(driver.now - between(random, 0, 20) * 10);
  return between(random, 0, driver.entries.partitions[partition]!.length + 2);
}

function drawPartition(driver: Driver, random: Random): number | undefined {
  return chance(random, 0.5) ? between(random, 0, driver.entries.partitions.length - 1) : undefined;
}

function chosen(driver: Driver, partition: number | undefined): number[] {
  return [...driver.entries.partitions.keys()].filter((number) => partition === undefined || number === partition);
}

function seek(driver: Driver, random: Random): boolean {
  const ledger = pick(random, driver.ledgers);
  const partition = drawPartition(driver, random);
  const position = drawPosition(driver, random, partition);
  driver.note(() => `seek ${ledger.name} to ${String(position)} in ${partition}`);
  const partitions = chosen(driver, partition);
  const lowest = partitions.map((number) => driver.entries.locate(position, number));
  const before = ledger.moves.length;
  const { guard } = driver.process;
  const answer = watch(
    ledger.handle.seek(position, partition).then(() =>
      guard(() => {
        for (const [n, number] of partitions.entries()) {
          const move = ledger.moves.slice(before).findLast((one) => one.partition === number);
          if (move === undefined) diverge(`${ledger.name} was not moved in ${number}`);
          // Messages come meanwhile, and retention goes on; nothing else moves its place. When a lost one came nobody knows.
          const highest = Math.max(driver.entries.locate(position, number), lowest[n]!);
          const dated =
            position instanceof Date && driver.entries.partitions[number]!.some((entry) => entry.number < 0);
          const sought = dated || ledger.moves.slice(before).filter((one) => one.partition === number).length > 1;
          if (!sought && (move.to < lowest[n]! || move.to > highest))
            diverge(`${ledger.name} went to ${number}@${move.to}, not to ${lowest[n]}`);
          for (const letter of ledger.letters[number] ?? []) letter.sure(move.at);
        }
      }),
    ),
  );
  driver.promises.push({ what: 'seek', answer });
  return true;
}

function grow(driver: Driver, random: Random): boolean {
  const count = driver.entries.partitions.length + between(random, 1, 2);
  if (count > 7) return false;
  driver.note(() => `grow to ${count}`);
  driver.entries.grow(count);
  driver.broker.topic(TOPIC, { partitions: count });
  driver.sync();
  return true;
}

async function read(driver: Driver, random: Random): Promise<boolean> {
  const partition = drawPartition(driver, random);
  const from = drawPosition(driver, random, partition);
  driver.note(() => `read from ${String(from)} in ${partition}`);
  const expected = chosen(driver, partition).flatMap((number) => {
    const start = driver.entries.locate(from, number);
    return driver.entries.kept(number).filter(({ offset }) => offset >= start);
  });
  const found = new Set<string>();
  for await (const { id, partition: at, offset } of driver.handle.read({ from, partition, follow: false }))
    found.add(`${id} at ${at}@${offset}`);
  const wanted = new Set(expected.map((entry) => `${entry.id} at ${entry.partition}@${entry.offset}`));
  const more = [...found].find((one) => !wanted.has(one));
  const less = [...wanted].find((one) => !found.has(one));
  if (more !== undefined || less !== undefined) diverge(`read ${more}, and not ${less}`);
  return true;
}

function pauseGroup(driver: Driver, random: Random): boolean {
  const ledger = pick(random, driver.ledgers);
  const paused = !ledger.paused;
  if (paused && chance(random, 0.6)) return false;
  driver.note(() => `${paused ? 'pause' : 'resume'} ${ledger.name}`);
  ledger.paused = paused;
  if (paused) ledger.handle.pause();
  else ledger.handle.resume();
  return true;
}

function idle(driver: Driver, random: Random): boolean {
  const ledger = pick(random, driver.ledgers);
  driver.idles.push({ ledger, answer: watch(ledger.handle.idle()) });
  return true;
}

/** Deleted and declared again. Refused, while somebody is a member. */
async function deleteGroup(driver: Driver, random: Random): Promise<boolean> {
  const ledger = pick(random, driver.ledgers);
  driver.note(() => `delete ${ledger.name}`);
  const { handle } = ledger;
  if (Object.keys(ledger.assignment).length > 0) return refuse(driver, ledger);
  const { deadLetters } = handle;
  ledger.dissolved();
  driver.past.push(...driver.hands.filter((hand) => driver.ledgerOf(hand) === ledger));
  forget(driver, ledger);
  driver.promises.push({ what: 'delete', answer: watch(handle.delete()) });
  if (deadLetters !== undefined) driver.promises.push({ what: 'purge', answer: watch(deadLetters.purge()) });
  driver.declare(ledger.configuration);
  await driver.rest();
  await driver.broker.flush();
  driver.count('delete group: done');
  return true;
}

async function refuse(driver: Driver, { handle, name }: Ledger): Promise<boolean> {
  const answer = watch(handle.delete());
  await driver.surroundings.rest();
  if (!SluiceError.is(answer.error, 'ERR_IN_USE')) diverge(`${name} has members, and delete() is ${answer.state}`);
  driver.count('delete group: refused');
  return true;
}

function forget(driver: Driver, ledger: Ledger): void {
  driver.ledgers = driver.ledgers.filter((one) => one !== ledger);
  driver.consumers = driver.consumers.filter((one) => one.ledger !== ledger);
  driver.calls = driver.calls.filter(({ member }) => ledger.members.get(member.name) !== member);
  driver.iterations = driver.iterations.filter((one) => one.ledger !== ledger);
  driver.pulls = driver.pulls.filter((one) => one.ledger !== ledger);
  driver.idles = driver.idles.filter((one) => one.ledger !== ledger);
}

async function advance(driver: Driver, random: Random): Promise<boolean> {
  const by = between(random, 1, 8) * 10;
  driver.note(() => `advance ${by}`);
  await driver.advance(by);
  return true;
}

export const moving: Readonly<Record<string, Kind<Driver>>> = {
  advance: { weight: 8, calm: true, perform: advance },
  seek: { weight: 2.5, perform: seek },
  redrive: { weight: 2, calm: true, perform: redrive },
  grow: { weight: 0.4, perform: grow },
  read: { weight: 0.7, calm: true, perform: read },
  'pause group': { weight: 1.2, perform: pauseGroup },
  idle: { weight: 1, perform: idle },
  'delete group': { weight: 0.7, calm: true, perform: deleteGroup },
};
