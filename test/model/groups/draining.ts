import { diverge } from '../divergence.js';
import { watch } from '../../watched.js';
import type { Driver } from './driver.js';
import { checkGraves } from './graves.js';
import { PULLER } from './hand.js';
import type { Ledger } from './ledger.js';
import { consume, ended, settle } from './members.js';
import { drawDraft, publishAll } from './publishing.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';

/** Nothing takes longer: a message that may have ended a process is tried for a minute. */
const PATIENCE = 10 * 60_000;

/** Everybody goes, one simple member takes everything that is left, and the books are closed. */
export async function drain(driver: Driver): Promise<void> {
  await driver.rest();
  driver.note(() => 'drain');
  await dismiss(driver);
  const random = seededRandom(driver.seed);
  for (const ledger of driver.ledgers) {
    if (ledger.paused) ledger.handle.resume();
    ledger.paused = false;
    const options = { name: 'drain', concurrency: 4, ack: 'auto' } as const;
    consume(
      driver,
      ledger,
      { ...options, kind: 'single', prefetch: 4, ackTimeout: ledger.ackTimeout },
      options,
      'diligent',
    );
  }
  // What was missed is told when a group goes on.
  publishAll(driver, [{ ...drawDraft(driver, random), transient: false }], true);
  for (const end = driver.now + PATIENCE; ;) {
    await driver.rest();
    // Who waits in a loop for the next one gets it, too.
    const pulled = driver.hands.filter(({ member }) => member.name === PULLER);
    for (const hand of pulled) settle(driver, hand, 'ack');
    if (pulled.length > 0) continue;
    const next = driver.surroundings.nextDue;
    if (driver.ledgers.every(drained) || next > end) break;
    await driver.surroundings.advanceTo(next);
  }
  const idle = watch(driver.broker.idle());
  await driver.rest();
  if (idle.state !== 'resolved') diverge('everything is done, and idle() waits');
  for (const ledger of driver.ledgers) await checkEnd(driver, ledger);
}

async function dismiss(driver: Driver): Promise<void> {
  for (const { abort } of driver.pulls) abort?.abort();
  for (const { member, run, resolve } of driver.calls.splice(0)) {
    ended(driver, member, run, 'returned');
    resolve();
  }
  await driver.rest();
  for (const hand of driver.hands) if (!hand.over) settle(driver, hand, 'ack');
  for (const consuming of driver.consumers) {
    consuming.member.closesAt ??= driver.now;
    consuming.closing ??= watch(consuming.consumer.close({ timeout: 0 }));
  }
  await driver.rest();
}

function drained(ledger: Ledger): boolean {
  const { letters, handle } = ledger;
  const { unacked, lag } = handle.stats();
  return unacked === 0 && lag === 0 && !letters.some((_, number) => ledger.kept(number).some(({ wanted }) => wanted));
}

async function checkEnd(driver: Driver, ledger: Ledger): Promise<void> {
  const { name, handle } = ledger;
  for (const { partition, committed, end } of handle.offsets()) {
    if (committed !== end) diverge(`${name} is at ${partition}@${committed} of ${end}, and everything is done`);
    for (const letter of ledger.kept(partition)) {
      if (letter.wanted) diverge(`${letter} never came to ${name}`);
    }
  }
  const { unacked, lag } = handle.stats();
  if (unacked > 0 || lag > 0) diverge(`${name} has ${unacked} in hand and lags ${lag}, and everything is done`);
  await checkGraves(ledger);
  driver.check();
}
