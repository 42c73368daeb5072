import { describe, expect, it } from 'vitest';
import {
  type Assignor,
  assign,
  type Owners,
  partitionsByMember,
} from '../../../../src/delivery/topic/assignment/assign.js';

type Shares = Readonly<Record<string, readonly number[]>>;

function shares(assignor: Assignor, members: readonly string[], partitions: number, previous: Owners = []): Shares {
  return partitionsByMember(members, assign(assignor, members, partitions, previous));
}

interface Example {
  /** Where Kafka says so: the class, and the test where it is one. */
  readonly source: string;
  readonly partitions: number;
  readonly expected: Shares;
}

/**
 * Kafka 4.0, org.apache.kafka.clients.consumer. Range shares out each topic for itself. Round robin lays out the partitions of all
 * topics, one topic after the other: where all members subscribe to both, two topics of three partitions stand for one of six.
 */
const range: readonly Example[] = [
  { source: 'RangeAssignor, its docs', partitions: 3, expected: { C0: [0, 1], C1: [2] } },
  { source: 'testOneConsumerOneTopic', partitions: 3, expected: { consumer1: [0, 1, 2] } },
  { source: 'testTwoConsumersOneTopicOnePartition', partitions: 1, expected: { consumer1: [0], consumer2: [] } },
  { source: 'testTwoConsumersOneTopicTwoPartitions', partitions: 2, expected: { consumer1: [0], consumer2: [1] } },
  {
    source: 'testMultipleConsumersMixedTopics, topic1',
    partitions: 3,
    expected: { consumer1: [0], consumer2: [1], consumer3: [2] },
  },
  {
    source: 'testStaticMemberRangeAssignmentPersistent, topic1',
    partitions: 5,
    expected: { consumer1: [0, 1], consumer2: [2], consumer3: [3], consumer4: [4] },
  },
  {
    source: 'testStaticMemberRangeAssignmentPersistent, topic2',
    partitions: 4,
    expected: { consumer1: [0], consumer2: [1], consumer3: [2], consumer4: [3] },
  },
  {
    source: 'testStaticMemberRangeAssignmentPersistentAfterMemberIdChanges',
    partitions: 5,
    expected: { instance1: [0, 1], instance2: [2, 3], instance3: [4] },
  },
];

const roundRobin: readonly Example[] = [
  { source: 'RoundRobinAssignor, its docs', partitions: 6, expected: { C0: [0, 2, 4], C1: [1, 3, 5] } },
  {
    source: 'RoundRobinAssignor, its docs, three members',
    partitions: 6,
    expected: { C0: [0, 3], C1: [1, 4], C2: [2, 5] },
  },
  {
    source: 'StickyAssignor, its docs, example 1',
    partitions: 8,
    expected: { C0: [0, 3, 6], C1: [1, 4, 7], C2: [2, 5] },
  },
  {
    source: 'StickyAssignor, its docs, example 1 without C1',
    partitions: 8,
    expected: { C0: [0, 2, 4, 6], C2: [1, 3, 5, 7] },
  },
  { source: 'testOneConsumerOneTopic', partitions: 3, expected: { consumer: [0, 1, 2] } },
  { source: 'testTwoConsumersOneTopicOnePartition', partitions: 1, expected: { consumer1: [0], consumer2: [] } },
  { source: 'testTwoConsumersOneTopicTwoPartitions', partitions: 2, expected: { consumer1: [0], consumer2: [1] } },
  {
    source: 'testTwoDynamicConsumersTwoTopicsSixPartitions',
    partitions: 6,
    expected: { consumer1: [0, 2, 4], consumer2: [1, 3, 5] },
  },
];

describe('range, as Kafka documents it', () => {
  it.each(range)('$source', ({ partitions, expected }) => {
    expect(shares('range', Object.keys(expected), partitions)).toEqual(expected);
  });
});

describe('round robin, as Kafka documents it', () => {
  it.each(roundRobin)('$source', ({ partitions, expected }) => {
    expect(shares('round-robin', Object.keys(expected), partitions)).toEqual(expected);
  });
});

describe.each(['range', 'round-robin', 'sticky'] as const)('%s', (assignor) => {
  it('gives nobody anything where nobody is', () => {
    expect(assign(assignor, [], 3, ['a', 'a', 'a'])).toEqual([undefined, undefined, undefined]);
    expect(shares(assignor, [], 3, ['a'])).toEqual({});
  });

  it('leaves members with nothing when they are more than the partitions', () => {
    expect(shares(assignor, ['d', 'c', 'b', 'a'], 2)).toEqual({ a: [0], b: [1], c: [], d: [] });
  });

  it('does not care in what order members joined', () => {
    const joined = assign(assignor, ['c', 'a', 'b'], 7, ['b', 'c', 'c', 'gone', 'c', 'c']);
    expect(assign(assignor, ['a', 'b', 'c'], 7, ['b', 'c', 'c', 'gone', 'c', 'c'])).toEqual(joined);
  });

  it('sorts names by code units, as Java does', () => {
    expect(shares(assignor, ['b', 'C', 'a10', 'a9', 'ä', '\uff5e', '😀'], 7)).toEqual({
      C: [0],
      a10: [1],
      a9: [2],
      b: [3],
      ä: [4],
      '😀': [5],
      '\uff5e': [6],
    });
  });

  it('leaves its arguments as they are', () => {
    const members = Object.freeze(['b', 'a']);
    const previous = Object.freeze(['b', 'b', 'b']);
    expect(assign(assignor, members, 4, previous)).toHaveLength(4);
  });
});

describe('partitionsByMember', () => {
  it('takes any name for a name', () => {
    const found = partitionsByMember(
      ['__proto__', 'constructor'],
      ['__proto__', 'constructor', '__proto__', undefined],
    );
    expect(Object.entries(found)).toEqual([
      ['__proto__', [0, 2]],
      ['constructor', [1]],
    ]);
  });
});
