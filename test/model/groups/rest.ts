import { diverge } from '../divergence.js';
import type { Hand, Member } from './hand.js';
import type { Counted, Ledger } from './ledger.js';
import type { Letter } from './letter.js';
import { checkShares } from './shares.js';

/** Nothing moves any more: what a group says has to fit what is known of it, and nothing waits that could be taken. */
export function checkAtRest(ledger: Ledger): void {
  for (const hand of [...ledger.hands()]) checkHand(ledger, hand);
  // What died is written down.
  for (const letter of ledger.letters.flat()) letter.dying = [];
  checkOffsets(ledger);
  checkStats(ledger);
  checkShares(ledger);
  if (ledger.told > ledger.missed + ledger.perhapsMissed)
    diverge(`${ledger.name} missed ${ledger.missed}, and was told of ${ledger.told}`);
  checkAlive(ledger);
}

/** What is not in hand any more was taken back for a reason; and what had to be is not. */
function checkHand({ now }: Ledger, hand: Hand): void {
  const { delivery, deadline, doubtful, member, letter } = hand;
  const late = deadline <= now;
  if (late) member.silent = true;
  const gone = member.closesAt !== undefined && member.closesAt <= now;
  if (delivery?.signal.aborted === true) {
    if (!late && !gone) diverge(`${hand} was taken back for nothing`);
  } else if (late && delivery !== undefined && !doubtful && !hand.settling) {
    diverge(`${hand} timed out, and was not taken back`);
  } else if (!late && !hand.settling && letter.hand === hand && !(gone && delivery === undefined)) return;
  hand.end();
}

function checkOffsets(ledger: Ledger): void {
  const { handle, entries, name } = ledger;
  for (const { partition, committed, end, lag } of handle.offsets()) {
    const { first, next } = entries.ranges[partition]!;
    const what = `${name} is at ${partition}@${committed} of ${first}…${next}`;
    if (end !== next || lag !== end - committed || committed > end || committed < first)
      diverge(`${what}, and says ${end}, ${lag}`);
    const before = ledger.committed.get(partition) ?? 0;
    // What was not to outlive an earlier run is stepped over when somebody comes to it, in each run anew.
    const between = (ledger.letters[partition] ?? []).slice(committed, before);
    if (between.length > 0 && (!between[0]!.entry.gone || between.some(({ open }) => open)))
      diverge(`${what}, and was at ${before}`);
    ledger.committed.set(partition, committed);
    for (const letter of ledger.kept(partition)) checkPassed(ledger, letter, committed, what);
  }
}

function checkPassed(ledger: Ledger, letter: Letter, committed: number, what: string): void {
  const { done, entry } = letter;
  if (entry.gone || entry.offset > committed) return;
  const passed = entry.offset < committed;
  if (done === undefined) letter.change(++ledger.changes, { done: passed });
  else if (passed && !done) diverge(`${what}, and ${letter} was skipped`);
  else if (!passed && done) diverge(`${what}, and ${letter} is settled`);
}

function checkStats({ handle, counts, letters, name, members }: Ledger): void {
  const stats = handle.stats();
  const sum = handle.offsets().reduce((total, one) => total + one.lag, 0);
  if (stats.lag !== sum) diverge(`${name} lags ${stats.lag}, and in all partitions ${sum}`);
  for (const [counted, count] of Object.entries(counts)) {
    const found = stats[counted as Counted];
    // What was not to outlive its run is dropped when somebody comes to it.
    if (counted === 'dropped' ? found < count : found !== count)
      diverge(`${name} counts ${found} ${counted}, not ${count}`);
  }
  const hands = [...members.values()].flatMap((member) => [...member.hands]);
  const sure = hands.filter(({ doubtful }) => !doubtful).length;
  const suspects = letters.flat().filter(({ suspect }) => suspect).length;
  if (stats.unacked < sure || stats.unacked > hands.length + suspects)
    diverge(`${name} has ${stats.unacked} in hand, not ${sure}`);
}

/** Nothing that a member could take for sure waits in a partition of his. */
function checkAlive(ledger: Ledger): void {
  const { handle, members, paused, name, letters } = ledger;
  // What may have ended a process is tried alone, one of the whole broker at a time.
  if (paused || letters.flat().some(({ suspect, open }) => suspect && open)) return;
  for (const { partition, member: has } of handle.offsets()) {
    const member = members.get(has ?? '');
    if (member?.free !== true) continue;
    const found = takable(ledger, partition, member);
    if (found !== undefined) diverge(`${found} waits, and ${member} of ${name} could take it`);
  }
}

function takable(ledger: Ledger, partition: number, member: Member): Letter | undefined {
  const letters = ledger.kept(partition);
  const busy = letters.some(({ hand, spare }) => spare > 0 || (hand?.over === false && hand.member !== member));
  if (busy) return undefined;
  // What did not outlive its run is seen to be gone when its time has come.
  const backsOff = ({ done, readyAt }: Letter): boolean => done !== true && readyAt > ledger.now;
  return letters.find((letter, at) => {
    if (!letter.open || letter.hand?.over === false || letter.readyAt > ledger.now) return false;
    return !letters.some((other, n) => {
      if (other === letter || !ledger.areOrdered(letter, other)) return false;
      return other.hand?.over === false || (n < at && (other.open || backsOff(other)));
    });
  });
}
