import type { ConsumerGroup } from '../../../src/index.js';
import { diverge } from '../divergence.js';
import type { GroupModel } from './group-model.js';
import type { Letter } from './letter.js';
import type { Hand, MemberModel } from './member-model.js';
import type { Range } from './topic-model.js';

/** Nothing moves: what a group says, and what it should have done by now. */
export function checkGroup(group: GroupModel, handle: ConsumerGroup, ranges: readonly Range[]): void {
  for (const { hands } of group.members) for (const hand of [...hands]) checkHand(group, hand);
  const { missed, perhapsMissed, missedToldOf } = group;
  if ((group.goneOn && missedToldOf < missed) || missedToldOf > missed + perhapsMissed)
    diverge(`${group.name} missed ${group.missed}, and was told of ${group.missedToldOf}`);
  checkOffsets(group, handle, ranges);
  checkStats(group, handle);
  checkShares(group, handle);
  for (const { partition, member: name } of handle.offsets()) {
    const member = group.members.find((one) => one.name === name);
    if (member !== undefined && !group.paused) checkTaken(group, partition, member);
  }
}

function checkHand(group: GroupModel, hand: Hand): void {
  const { letter, delivery, member } = hand;
  // A batch that was gathered when its consumer closed is handled all the same.
  if (delivery?.signal.aborted === true || member.options.kind !== 'batch' || hand.run?.ended !== undefined)
    group.lapse(hand);
  if (!hand.live) return;
  if (hand.deadline <= group.now) diverge(`${letter} is still in hand of ${member}`);
  if (hand.run?.ended !== undefined && member.options.ack === 'auto')
    diverge(`${letter} is still in hand of ${member}, whose handler ended`);
}

function checkOffsets(group: GroupModel, handle: ConsumerGroup, ranges: readonly Range[]): void {
  for (const { partition, committed, end, lag } of handle.offsets()) {
    const { first, next } = ranges[partition]!;
    const what = `${group.name} is at ${partition}@${committed} of ${first}…${next}`;
    if (end !== next || lag !== end - committed || committed > end || committed < first)
      diverge(`${what}, and says ${end}, ${lag}`);
    for (const letter of group.kept(partition)) {
      const { offset, gone } = letter.entry;
      if (gone) continue;
      if (offset < committed && !group.narrow(letter, ({ done }) => done))
        diverge(`${what}, and ${letter} was skipped`);
      if (offset === committed && !group.narrow(letter, ({ done }) => !done))
        diverge(`${what}, and ${letter} was done`);
    }
  }
}

function checkStats(group: GroupModel, handle: ConsumerGroup): void {
  const { lag, members, unacked, dropped, ...counts } = handle.stats();
  const sum = handle.offsets().reduce((total, one) => total + one.lag, 0);
  if (lag !== sum) diverge(`${group.name} lags ${lag}, and in all partitions ${sum}`);
  const { dropped: expectedDrops, ...expected } = group.counts;
  const names = Object.keys(expected) as (keyof typeof expected)[];
  if (names.some((name) => counts[name] !== expected[name]))
    diverge(`${group.name} counts ${JSON.stringify(counts)}, not ${JSON.stringify(expected)}`);
  // What is gone with an earlier run counts as often as somebody comes to it.
  const gone = group.letters.flat().some(({ entry }) => entry.gone);
  if (dropped < expectedDrops || (dropped > expectedDrops && !gone))
    diverge(`${group.name} dropped ${dropped}, not ${expectedDrops}`);
  const out = group.letters.flat().filter(({ state }) => state === 'hand' || state === 'moving').length;
  if (unacked !== out + group.orphans.length) diverge(`${group.name} has ${unacked} in hand, not ${out}`);
  const sitting = group.members.filter(({ sits }) => sits);
  if (members !== sitting.length) diverge(`${group.name} has ${members} members, not ${sitting.join()}`);
}

/** Every partition has one member, of those who were heard of; and they have as many as each other. */
function checkShares(group: GroupModel, handle: ConsumerGroup): void {
  const sitting = group.members.filter(({ sits }) => sits);
  const heard = sitting.filter(({ silent }) => !silent);
  const able = heard.length > 0 ? heard : sitting;
  const shares = new Map(able.map(({ name }) => [name, [] as number[]]));
  for (const { partition, member } of handle.offsets()) {
    if (member === undefined && able.length === 0) continue;
    const share = shares.get(member ?? '');
    if (share === undefined) diverge(`${partition} is with ${member}, not with one of ${able.join()}`);
    share.push(partition);
  }
  const sizes = [...shares.values()].map(({ length }) => length);
  if (sizes.length > 0 && Math.max(...sizes) - Math.min(...sizes) > 1)
    diverge(`${group.name} is shared out unevenly: ${JSON.stringify([...shares])}`);
  const { assignor = 'sticky' } = group.configuration;
  if (assignor === 'sticky') return;
  const names = able.map(({ name }) => name).sort();
  const count = group.letters.length;
  const [each, more] = [Math.floor(count / names.length), count % names.length];
  names.forEach((name, at) => {
    const from = at * each + Math.min(at, more);
    const expected = [...group.letters.keys()].filter((partition) => {
      if (assignor === 'round-robin') return partition % names.length === at;
      return partition >= from && partition < from + each + (at < more ? 1 : 0);
    });
    if (shares.get(name)!.join() !== [...expected].join())
      diverge(`${name} has ${shares.get(name)!.join()} by ${assignor}`);
  });
}

/** Nothing that `member` could take waits in a partition of his. */
function checkTaken(group: GroupModel, partition: number, member: MemberModel): void {
  const letters = group.kept(partition);
  const out = letters.filter(({ state }) => state === 'hand' || state === 'moving');
  if (out.some(({ hand, state }) => state === 'moving' || hand!.member !== member)) return;
  if (!member.canTake || [...member.hands].some(({ suspect }) => suspect)) return;
  const found = letters.find((letter) => isTakable(group, letter, letters));
  if (found !== undefined) diverge(`${found} waits, and ${member} of ${group.name} could take it`);
}

export function isTakable(group: GroupModel, letter: Letter, letters: readonly Letter[]): boolean {
  if (!letter.isReady(group.now) || letter.vague) return false;
  const related = letters.filter((other) => other !== letter && group.areOrdered(letter, other));
  return !related.some((other) => {
    if (other.entry.gone || !other.active) return false;
    // A batch may go on with it, or not.
    if (other.state === 'hand' || other.state === 'moving' || other.maybe !== undefined) return true;
    return other.entry.offset < letter.entry.offset || other.readyAt > group.now;
  });
}
