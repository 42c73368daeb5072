import type { Flaw } from './flaws.js';

/** What groups of a topic must not get wrong, one line at a time. */
export const groupFlaws: readonly Flaw[] = [
  {
    name: 'group: a seek leaves what is in hand where it is',
    file: 'delivery/topic/group-position.ts',
    find: '    fence(subscription, cursor, reason);\n',
    replace: '',
    tests: ['topic/group.test.ts'],
  },
  {
    name: 'group: a partition is handed over while something of it is in hand',
    file: 'delivery/topic/membership.ts',
    find: 'cursor.awaited = cursor.out > 0 && this.former[partition] !== target;',
    replace: 'cursor.awaited = false;',
    tests: ['topic/members.test.ts', 'topic/group-members.test.ts'],
  },
  {
    name: 'group: the committed offset runs ahead of what is settled',
    file: 'delivery/topic/group-position.ts',
    find: 'return Math.max(first, this.subscription.stock.cursors[number]?.settled.low ?? first);',
    replace: 'return Math.max(first, this.inbox.partitions[number]!.next);',
    tests: ['topic/members.test.ts', 'topic/retention.test.ts'],
  },
  {
    name: 'group: what was settled out of order is forgotten in a restart',
    file: 'delivery/cursor/cursor-log.ts',
    find: 'if (!cursor.fenced) for (const { from, to } of joined(ends)) s.push([cursor.number, from, to]);',
    replace:
      'for (const { from, to } of joined(ends)) if (from <= cursor.settled.low) s.push([cursor.number, from, to]);',
    tests: ['topic/recovery.test.ts'],
  },
  {
    name: 'group: a failing message does not hold its partition back',
    file: 'delivery/order/picker.ts',
    find: 'cursor.returned.backsOffBefore(cursor.offset)',
    replace: 'false',
    tests: ['topic/group.test.ts'],
  },
  {
    name: 'group: a silent member keeps its partitions',
    file: 'delivery/topic/membership.ts',
    find: '    this.silences++;\n    this.rebalance();',
    replace: '    this.silences++;',
    tests: ['topic/members.test.ts'],
  },
  {
    name: 'group: retention takes what is in hand',
    file: 'delivery/topic/retention.ts',
    find: 'this.blocked = entry.offset >= owner.inHand(partition);',
    replace: 'this.blocked = false;',
    tests: ['topic/retention.test.ts'],
  },
  {
    name: 'group: what was redriven is not written down',
    file: 'delivery/stock.ts',
    find: '    this.drops.revived(cursor, offset);\n',
    replace: '',
    tests: ['topic/recovery.test.ts', 'topic/group-restarts.test.ts'],
  },
  {
    name: 'group: nobody is told what retention took',
    file: 'delivery/topic/group-position.ts',
    find: 'if (missed === 0 || !events.heard.warning) return;',
    replace: 'return;',
    tests: ['topic/retention.test.ts'],
  },
  {
    name: 'group: consumed messages are deleted before the slowest group has passed them',
    file: 'topic.ts',
    find: 'for (const group of this.groups.values()) least = Math.min(least, of(group));',
    replace: 'for (const group of this.groups.values()) least = of(group);',
    tests: ['topic/retention.test.ts'],
  },
  {
    name: 'group: who left and is back is taken for gone',
    file: 'delivery/topic/membership.ts',
    find: 'this.seats.get(member) === seat',
    replace: 'this.seats.has(member)',
    tests: ['topic/group.test.ts'],
  },
  {
    name: 'group: what is declared while a seek is under way moves the group back',
    file: 'consumer-group.ts',
    find: '    this.begun = false;\n',
    replace: '',
    tests: ['topic/group.test.ts'],
  },
  {
    name: 'group: a topic that is deleted writes its sums once more',
    file: 'delivery/topic/topic-inbox.ts',
    find: '    if (this.deleted) return false;\n',
    replace: '',
    tests: ['topic/recovery.test.ts'],
  },
  {
    name: 'group: a loop that asks when all is over waits for ever',
    file: 'delivery/puller.ts',
    find: 'if (this.over !== undefined) return this.over.error',
    replace: 'if (this.over === null) return this.over',
    tests: ['consumer/iterating.test.ts'],
  },
];
