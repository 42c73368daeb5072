import { diverge } from '../divergence.js';
import type { Hand, Member, Message, Run } from './hand.js';
import type { Ledger } from './ledger.js';
import type { Letter } from './letter.js';

/** A message is being delivered: may it be, now, and to this member? */
export function checkDelivery(ledger: Ledger, letter: Letter, member: Member, attempt: number): void {
  const { entry, hand, spare, failures, most, readyAt } = letter;
  const { configuration, now } = ledger;
  const what = `${letter} was delivered to ${member} of ${ledger.name}`;
  const { first } = ledger.entries.ranges[entry.partition]!;
  const { committed } = ledger.handle.offsets()[entry.partition]!;
  if (ledger.paused) diverge(`${what}, which is paused`);
  if (entry.offset < first || entry.gone) diverge(`${what}, and is not there any more`);
  if (spare === 0 && letter.done === true) diverge(`${what}, and was settled`);
  if (spare === 0 && entry.offset < committed) diverge(`${what}, which is at ${committed}`);
  if (hand?.certain(now) === true) diverge(`${what}, and ${hand.member} has it`);
  if (readyAt > now) diverge(`${what} ${readyAt - now} ms before its time`);
  const fits = most === undefined ? attempt === failures + 1 : attempt >= 1 && attempt <= most + 1;
  if (!fits) diverge(`${what} as attempt ${attempt}, and ${most ?? failures} have failed`);
  if (attempt > configuration.attempts) diverge(`${what} as attempt ${attempt} of ${configuration.attempts}`);
  for (const other of ledger.kept(entry.partition))
    if (other !== letter) checkBeside(ledger, letter, member, other, what);
}

/** One member has a partition at a time; and of what is ordered, everything before it is settled. */
function checkBeside(ledger: Ledger, letter: Letter, member: Member, other: Letter, what: string): void {
  const { hand, dying } = other;
  const ordered = ledger.areOrdered(letter, other);
  const together = hand?.over === false && hand.gathersFor(member);
  if (hand?.certain(ledger.now) === true) {
    if (hand.member !== member) diverge(`${what}, while ${hand.member} has ${other}`);
    if (ordered && !together) diverge(`${what}, while ${other} is in hand`);
  }
  if (!ordered || together) return;
  if (dying.some(({ fenced }) => !fenced)) diverge(`${what}, while ${other} is on its way to the dead letters`);
  if (other.entry.offset < letter.entry.offset && other.done === false && !other.entry.gone)
    diverge(`${what} before ${other}`);
}

/** A handler is called, or a receive() is answered: with what was delivered, in order, and nothing that it belongs to is out. */
export function checkCall(ledger: Ledger, member: Member, hands: readonly Hand[]): Run {
  const run: Run = { hands, alone: hands.some(({ letter }) => letter.tried), ended: undefined };
  hands.forEach((hand, n) => {
    const { letter } = hand;
    if (hand.over) diverge(`${member} is called with ${letter}, which was taken back`);
    hand.run = run;
    for (const other of ledger.hands()) {
      if (other.run === run || !other.certain(ledger.now) || other.run === undefined) continue;
      if (ledger.areOrdered(letter, other.letter)) diverge(`${member} is called with ${letter}, while ${other}`);
    }
    const later = hands.slice(0, n).find((other) => {
      return ledger.areOrdered(letter, other.letter) && other.letter.entry.offset > letter.entry.offset;
    });
    if (later !== undefined && letter.done === false && letter.spare === 0)
      diverge(`${member} is called with ${later.letter} before ${letter}`);
  });
  return run;
}

/** It is what was published, and nobody has changed it. */
export function checkMessage(letter: Letter, attempt: number, message: Message, topic: string): void {
  const { id, number, key, sentAt, partition, offset } = letter.entry;
  const { body, timestamp, source, deliveries } = message;
  const found = [message.id, body.number, message.key, message.attempt, timestamp.getTime(), source];
  const expected = [id, number, key, attempt, sentAt, topic];
  if (JSON.stringify(found) !== JSON.stringify(expected))
    diverge(`${letter} is ${found.join()}, not ${expected.join()}`);
  if (message.partition !== partition || message.offset !== offset)
    diverge(`${letter} says that it is at ${message.partition}@${message.offset}`);
  if (deliveries < attempt) diverge(`${letter} is at attempt ${attempt}, and was delivered ${deliveries} times`);
  if (message.signal.aborted) diverge(`${letter} comes with a signal that is aborted`);
  // Decoded anew for every delivery: nobody else may see this.
  body.number = -1;
}
