import { sticky } from './sticky.js';

export const assignors = ['range', 'round-robin', 'sticky'] as const;
export type Assignor = (typeof assignors)[number];

/** Who has each partition, by its number; undefined: nobody, for there are no members. */
export type Owners = readonly (string | undefined)[];

/**
 * Shares partitions 0 to `partitions` - 1 out among the members of a group, whose names are distinct and come in any order: only the
 * names count. `previous`, which may be shorter after a growth and may name members that are gone, is what `sticky` starts from.
 *
 *                   range                round-robin          sticky, when c leaves: a (0 3 6)  b (1 4 7)  c (2 5)
 *     8 partitions  a: 0 1 2  b: 3 4 5   a: 0 3 6  b: 1 4 7   a: 0 2 3 6
 *     3 members     c: 6 7               c: 2 5               b: 1 4 5 7
 *
 * Pure: the same arguments give the same answer.
 */
export function assign(assignor: Assignor, members: readonly string[], partitions: number, previous: Owners): Owners {
  if (members.length === 0) return new Array<undefined>(partitions).fill(undefined);
  // By UTF-16 code units, as Java's compareTo sorts them.
  const sorted = members.toSorted();
  switch (assignor) {
    case 'range':
      return range(sorted, partitions);
    case 'round-robin':
      return roundRobin(sorted, partitions);
    case 'sticky':
      return sticky(sorted, partitions, previous);
  }
}

/** Kafka's `RangeAssignor` on one topic: neighbours together, and one more for the first few members where it does not come out even. */
function range(members: readonly string[], partitions: number): string[] {
  const share = Math.floor(partitions / members.length);
  const larger = partitions % members.length;
  return members.flatMap((member, i) => new Array<string>(i < larger ? share + 1 : share).fill(member));
}

/** Kafka's `RoundRobinAssignor` on one topic: one each in turn. */
function roundRobin(members: readonly string[], partitions: number): string[] {
  return Array.from({ length: partitions }, (_, partition) => members[partition % members.length]!);
}

/** Who has what: the partitions of each member, ascending; none for one that came away empty. */
export function partitionsByMember(members: readonly string[], owners: Owners): Record<string, readonly number[]> {
  const shares = new Map(members.map((member) => [member, [] as number[]]));
  owners.forEach((owner, partition) => {
    if (owner !== undefined) shares.get(owner)?.push(partition);
  });
  // A member may be called __proto__: fromEntries makes it an ordinary key.
  return Object.fromEntries(shares);
}
