import type { Random } from '../../../src/clock.js';
import { between, chance, pick } from '../chance.js';
import { diverge } from '../divergence.js';
import { watch } from '../../watched.js';
import { TOPIC } from './configuration.js';
import type { Driver } from './driver.js';
import type { Body } from './hand.js';
import type { Ledger } from './ledger.js';
import type { Letter } from './letter.js';

/** The dead letters of a group, counted by what died: each where it says that it died. */
export async function exhume(ledger: Ledger): Promise<Map<Letter, number>> {
  const found = new Map<Letter, number>();
  for (const { id, deaths } of (await ledger.handle.deadLetters?.peek(100_000)) ?? []) {
    const letter = ledger.letterOf(id);
    const { entry } = letter;
    const [{ source, group, partition, offset }] = deaths as [(typeof deaths)[0]];
    if (source !== TOPIC || group !== ledger.name || partition !== entry.partition || offset !== entry.offset)
      diverge(`${letter} died in ${source}, ${group}, at ${partition}@${offset}`);
    found.set(letter, (found.get(letter) ?? 0) + 1);
  }
  return found;
}

/** As many as died, no more and no less. */
export async function checkGraves(ledger: Ledger): Promise<void> {
  const found = await exhume(ledger);
  for (const letter of ledger.letters.flat()) {
    const count = found.get(letter) ?? 0;
    if (count !== letter.deaths)
      diverge(`${letter} died ${letter.deaths} times in ${ledger.name}, and has ${count} dead letters`);
  }
}

/** What died comes again, in its group alone. */
export async function redrive(driver: Driver, random: Random): Promise<boolean> {
  const ledger = pick(random, driver.ledgers);
  const { deadLetters } = ledger.handle;
  const half = chance(random, 0.4) ? between(random, 0, 1) : undefined;
  const dead = ledger.letters.flat().filter(({ deaths }) => deaths > 0);
  if (deadLetters === undefined || (dead.length === 0 && !chance(random, 0.1))) return false;
  const wanted = dead.filter(({ entry }) => half === undefined || entry.number % 2 === half);
  driver.note(() => `redrive to ${ledger.name} ${wanted.join(' ')}`);
  await checkGraves(ledger);
  driver.check();
  // Whatever it finds dead may come as often as that from now on.
  const before = new Map(wanted.map((letter) => [letter, letter.deaths]));
  let expected = 0;
  for (const [letter, deaths] of before) {
    const { entry, done, spare } = letter;
    if (entry.offset < driver.entries.ranges[entry.partition]!.first) continue;
    letter.change(++ledger.changes, { deaths: 0, spare: spare + deaths });
    if (done === true) Object.assign(letter, { owed: true, failures: 0, most: undefined, readyAt: 0 });
    expected += deaths;
  }
  const filter = half === undefined ? undefined : ({ body }: { readonly body: Body }) => body.number % 2 === half;
  const answer = watch(deadLetters.redrive({ filter }));
  await driver.rest();
  if (answer.value !== expected)
    diverge(`${answer.value ?? String(answer.error)} were redriven to ${ledger.name}, not ${expected}`);
  await checkGraves(ledger);
  if (expected > 0) driver.count('redriven');
  return true;
}
