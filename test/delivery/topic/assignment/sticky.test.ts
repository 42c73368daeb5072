import { describe, expect, it, test } from 'vitest';
import { assign, type Owners, partitionsByMember } from '../../../../src/delivery/topic/assignment/assign.js';
import { seededRandom } from '../../../../src/testing/seeded-random.js';

type Shares = Readonly<Record<string, readonly number[]>>;

const none: Shares = {};

/** Owners by partition, of as many partitions as are shared out. */
function ownersOf(shares: Shares): Owners {
  const owners: (string | undefined)[] = [];
  for (const [member, partitions] of Object.entries(shares))
    for (const partition of partitions) owners[partition] = member;
  return [...owners];
}

/**
 * Kafka 4.0, org.apache.kafka.clients.consumer. Several topics to which all members subscribe stand for one that has the partitions
 * of all, one topic after the other.
 */
describe('sticky, as Kafka documents it', () => {
  test.each<{ source: string; partitions: number; previous: Shares; expected: Shares }>([
    {
      source: 'StickyAssignor, its docs, example 1, at first',
      partitions: 8,
      previous: none,
      expected: { C0: [0, 3, 6], C1: [1, 4, 7], C2: [2, 5] },
    },
    {
      source: 'StickyAssignor, its docs, example 1, C1 is removed',
      partitions: 8,
      previous: { C0: [0, 3, 6], C1: [1, 4, 7], C2: [2, 5] },
      expected: { C0: [0, 3, 4, 6], C2: [1, 2, 5, 7] },
    },
    {
      source: 'AbstractStickyAssignorTest.testAddRemoveConsumerOneTopic, one more',
      partitions: 3,
      previous: { consumer1: [0, 1, 2] },
      expected: { consumer1: [0, 1], consumer2: [2] },
    },
    {
      source: 'AbstractStickyAssignorTest.testAddRemoveConsumerOneTopic, one less',
      partitions: 3,
      previous: { consumer1: [0, 1], consumer2: [2] },
      expected: { consumer2: [0, 1, 2] },
    },
    {
      source: 'AbstractStickyAssignorTest.testConsumerOwningMinQuotaExpectedMaxQuota',
      partitions: 5,
      previous: { consumer1: [0, 3], consumer2: [1, 4] },
      expected: { consumer1: [0, 2, 3], consumer2: [1, 4] },
    },
    {
      source: 'AbstractStickyAssignorTest.testAllConsumersAreUnderMinQuota',
      partitions: 5,
      previous: { consumer1: [0], consumer2: [1] },
      expected: { consumer1: [0, 3], consumer2: [1, 4], consumer3: [2] },
    },
    {
      source: 'AbstractStickyAssignorTest.testAllConsumersReachExpectedQuotaAndAreConsideredFilled',
      partitions: 4,
      previous: { consumer1: [0, 1], consumer2: [2] },
      expected: { consumer1: [0, 1], consumer2: [2], consumer3: [3] },
    },
    {
      source: 'AbstractStickyAssignorTest.testNoReassignmentOnCurrentMembers',
      partitions: 12,
      previous: { consumer2: [0, 3, 6], consumer3: [4, 8, 11], consumer4: [1, 2, 10] },
      expected: { consumer1: [5, 7, 9], consumer2: [0, 3, 6], consumer3: [4, 8, 11], consumer4: [1, 2, 10] },
    },
  ])('$source', ({ partitions, previous, expected }) => {
    const members = Object.keys(expected);
    expect(partitionsByMember(members, assign('sticky', members, partitions, ownersOf(previous)))).toEqual(expected);
  });
});

function sizes(members: readonly string[], owners: Owners): number[] {
  return members.map((member) => owners.filter((owner) => owner === member).length);
}

function isBalanced(members: readonly string[], owners: Owners): boolean {
  const loads = sizes(members, owners);
  return Math.max(...loads) - Math.min(...loads) <= 1 && loads.reduce((sum, load) => sum + load) === owners.length;
}

/** Partitions taken from a member that is still there. */
function moved(members: readonly string[], previous: Owners, owners: Owners): number[] {
  return [...owners.keys()].filter(
    (partition) => members.includes(previous[partition]!) && previous[partition] !== owners[partition],
  );
}

/**
 * The fewest moves that balance allows: nobody may have more than the ceiling, so what is over it moves; and if more members would then
 * be at the ceiling than there are odd partitions, each of these gives up one more.
 */
function fewestMoves(members: readonly string[], partitions: number, previous: Owners): number {
  const ceiling = Math.ceil(partitions / members.length);
  const had = sizes(members, previous);
  const overCeiling = had.reduce((sum, size) => sum + Math.max(0, size - ceiling), 0);
  const odd = partitions % members.length || members.length;
  const atCeiling = had.filter((size) => size >= ceiling).length;
  return overCeiling + Math.max(0, atCeiling - odd);
}

/** All assignments of so many partitions to these owners. */
function* everyAssignment<T>(owners: readonly T[], partitions: number): Generator<T[]> {
  if (partitions === 0) return yield [];
  for (const rest of everyAssignment(owners, partitions - 1)) for (const owner of owners) yield [...rest, owner];
}

describe('sticky', () => {
  it.each([
    { members: ['a'], partitions: 3 },
    { members: ['a', 'b'], partitions: 6 },
    { members: ['a', 'b', 'c'], partitions: 4 },
    { members: ['a', 'b', 'c', 'd'], partitions: 3 },
  ])(
    'is the best of all assignments of $partitions partitions to $members, whatever was before',
    ({ members, partitions }) => {
      const balanced = [...everyAssignment(members, partitions)].filter((owners) => isBalanced(members, owners));
      const flaws: unknown[] = [];
      for (const previous of everyAssignment([...members, undefined], partitions)) {
        const owners = assign('sticky', members, partitions, previous);
        const best = Math.min(...balanced.map((other) => moved(members, previous, other).length));
        const found = moved(members, previous, owners).length;
        const formula = fewestMoves(members, partitions, previous);
        if (!isBalanced(members, owners) || found !== best || formula !== best)
          flaws.push({ previous, owners, best, formula });
      }
      expect(flaws).toEqual([]);
    },
  );

  it('stays balanced and moves no partition that need not move, over 100,000 joins, leaves and growths', () => {
    const flaws: unknown[] = [];
    const count = { joins: 0, leaves: 0, growths: 0, moves: 0, deserted: 0 };
    for (let seed = 1; seed <= 500; seed++) {
      const random = seededRandom(seed);
      const below = (limit: number): number => Math.floor(random() * limit);
      const pool = Array.from({ length: 1 + below(24) }, (_, n) => `member-${n}`);
      let members: string[] = [];
      let partitions = 1 + below(16);
      let owners: Owners = [];
      for (let step = 0; step < 200; step++) {
        const previous = owners;
        const free = pool.filter((name) => !members.includes(name));
        const dice = below(20);
        let joined: string | undefined;
        if (dice === 0 && partitions < 64) {
          count.growths++;
          partitions += 1 + below(4);
        } else if (members.length === 0 || (free.length > 0 && dice < 11)) {
          count.joins++;
          joined = free[below(free.length)]!;
          members = [...members, joined];
        } else {
          count.leaves++;
          members = members.toSpliced(below(members.length), 1);
        }
        owners = assign('sticky', members, partitions, previous);
        if (members.length === 0) {
          count.deserted++;
          continue;
        }
        const moves = moved(members, previous, owners);
        count.moves += moves.length;
        const balanced = isBalanced(members, owners);
        const needed = fewestMoves(members, partitions, previous);
        // Where all was in balance, only who joins takes from others.
        const toJoined = moves.every((partition) => owners[partition] === joined);
        if (!balanced || moves.length !== needed || !toJoined) {
          flaws.push({ seed, step, joined, members, partitions, previous, owners, balanced, needed, moves });
        }
      }
    }
    expect(flaws.slice(0, 3)).toEqual([]);
    expect(count.joins + count.leaves + count.growths).toBe(100_000);
    for (const times of Object.values(count)) expect(times).toBeGreaterThan(1000);
  });
});
