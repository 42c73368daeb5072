import { diverge } from '../divergence.js';
import type { Ledger } from './ledger.js';

type Assignment = Readonly<Record<string, readonly number[]>>;

/** Partitions are shared out anew: all of them, each to one member; and where members keep what they can, nothing moves that need not. */
export function checkMoves(ledger: Ledger, assignment: Assignment): void {
  const { assignment: before, configuration, entries, name } = ledger;
  const all = Object.values(assignment)
    .flat()
    .sort((a, b) => a - b);
  const expected = Object.keys(assignment).length === 0 ? [] : [...entries.partitions.keys()];
  if (all.join() !== expected.join()) diverge(`${name} is shared out as ${JSON.stringify(assignment)}`);
  if ((configuration.assignor ?? 'sticky') !== 'sticky') return;
  for (const [member, had] of Object.entries(before)) {
    const has = assignment[member];
    if (has === undefined) continue;
    const kept = had.filter((partition) => has.includes(partition));
    if (kept.length < Math.min(had.length, has.length))
      diverge(`${member} had ${had.join()} and has ${has.join()}: more moved than had to`);
  }
}

/** At rest: who has what is what was told, is even, and is as the assignor has it. */
export function checkShares(ledger: Ledger): void {
  const { handle, assignment, members, name, entries } = ledger;
  checkSeats(ledger);
  const shares = new Map(Object.keys(assignment).map((member) => [member, [] as number[]]));
  for (const { partition, member } of handle.offsets()) {
    if (member === undefined && shares.size === 0) continue;
    const share =
      shares.get(member ?? '') ??
      diverge(`${partition} is with ${member}, not with one of ${[...shares.keys()].join()}`);
    share.push(partition);
    if (!assignment[member!]!.includes(partition)) diverge(`${partition} is with ${member}, and that was not told`);
  }
  const heard = [...shares.keys()].some((member) => members.get(member)!.silent === false);
  const mute = [...shares].find(([member, { length }]) => length > 0 && members.get(member)!.mute);
  if (heard && mute !== undefined) diverge(`${mute[0]} is silent, and has ${mute[1].join()}`);
  // Who is silent gets nothing, unless all are.
  const able = [...shares].filter(([member, { length }]) => length > 0 || members.get(member)?.silent !== true);
  const sizes = able.map(([, { length }]) => length);
  if (Math.max(...sizes) - Math.min(...sizes) > 1)
    diverge(`${name} is shared out unevenly: ${JSON.stringify([...shares])}`);
  checkAssignor(ledger, new Map(able), entries.partitions.length);
}

/** Who takes, or may, is a member, and nobody else. */
function checkSeats({ assignment, members, name, handle }: Ledger): void {
  for (const { name: member, options, closesAt, waiting, hands } of members.values()) {
    const sits = options.kind === 'pull' ? waiting > 0 || hands.size > 0 : closesAt === undefined;
    const unsure = options.kind === 'pull' && waiting === 0 && [...hands].some(({ doubtful }) => doubtful);
    if (!unsure && sits !== member in assignment) diverge(`${member} is ${sits ? 'not ' : ''}a member of ${name}`);
  }
  const seats = Object.keys(assignment);
  const stranger = seats.find((member) => !members.has(member));
  if (stranger !== undefined) diverge(`${stranger} is a member of ${name}, and nobody knows him`);
  if (handle.stats().members !== seats.length)
    diverge(`${name} has ${handle.stats().members} members, not ${seats.length}`);
}

/** Kafka's results. */
function checkAssignor({ configuration }: Ledger, shares: ReadonlyMap<string, readonly number[]>, count: number): void {
  const { assignor = 'sticky' } = configuration;
  if (assignor === 'sticky') return;
  const names = [...shares.keys()].sort();
  const [each, more] = [Math.floor(count / names.length), count % names.length];
  names.forEach((name, at) => {
    const from = at * each + Math.min(at, more);
    const to = from + each + (at < more ? 1 : 0);
    const expected = Array.from({ length: count }, (_, partition) => partition).filter((partition) => {
      return assignor === 'round-robin' ? partition % names.length === at : partition >= from && partition < to;
    });
    if (shares.get(name)!.join() !== expected.join()) diverge(`${name} has ${shares.get(name)!.join()} by ${assignor}`);
  });
}
