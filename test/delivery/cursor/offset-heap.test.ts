import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OffsetHeap } from '../../../src/delivery/cursor/offset-heap.js';

interface Item {
  readonly rank: number;
  readonly offset: number;
  readonly failures: number;
  readonly deliveries: number;
  readonly alone: boolean;
}

const item = fc.record({
  rank: fc.integer({ min: 0, max: 20 }),
  failures: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  deliveries: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  alone: fc.boolean(),
});
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: item },
    { weight: 5, arbitrary: fc.constant('pop' as const) },
    { weight: 1, arbitrary: fc.constant('remove' as const) },
  ),
  { maxLength: 300 },
);

const first = (heap: OffsetHeap): Item => {
  const { rank, offset, failures, deliveries, alone } = heap;
  return { rank, offset, failures, deliveries, alone };
};
const before = (a: Item, b: Item): number => a.rank - b.rank || a.offset - b.offset;

/** A sorted list that does what a heap does. */
class Naive {
  items: Item[] = [];
  push(added: Item): void {
    this.items = [...this.items, added].toSorted(before);
  }
  pop(): void {
    this.items = this.items.slice(1);
  }
  removeOldestUntried(): number {
    const untried = this.items.filter(({ deliveries, alone }) => deliveries === 0 && !alone);
    if (untried.length === 0) return -1;
    const oldest = Math.min(...untried.map(({ offset }) => offset));
    this.items = this.items.filter(({ offset }) => offset !== oldest);
    return oldest;
  }
}

describe('OffsetHeap', () => {
  it('gives what a sorted list would give: lowest rank first, among equals the lowest offset', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const heap = new OffsetHeap();
        const naive = new Naive();
        list.forEach((step, n) => {
          // Offsets do not come in order.
          const offset = (n * 7919) % 1009;
          const removed = step === 'remove' ? [heap.removeOldestUntried(), naive.removeOldestUntried()] : [0, 0];
          expect(removed[0]).toBe(removed[1]);
          if (step === 'remove') return;
          if (step !== 'pop') {
            heap.push(step.rank, offset, step.failures, step.deliveries, step.alone);
            naive.push({ ...step, offset });
          } else if (heap.size > 0) {
            heap.pop();
            naive.pop();
          }
          expect(heap.size).toBe(naive.items.length);
          expect(heap.size === 0 ? undefined : first(heap)).toEqual(naive.items[0]);
        });
        expect([...heap.entries()].toSorted(before)).toEqual(naive.items);
        const rest: Item[] = [];
        for (; heap.size > 0; heap.pop()) rest.push(first(heap));
        expect(rest).toEqual(naive.items);
      }),
    );
  });

  it('holds thousands, gives them in order, and is empty after clear()', () => {
    const heap = new OffsetHeap();
    for (let n = 0; n < 5000; n++) heap.push((n * 7919) % 5000, n, n % 5, n % 7, n % 2 === 0);
    const ranks: number[] = [];
    for (; heap.size > 2500; heap.pop()) ranks.push(heap.rank);
    expect(ranks).toEqual(Array.from({ length: 2500 }, (_, n) => n));
    heap.clear();
    expect(heap.size).toBe(0);
    expect([...heap.entries()]).toEqual([]);
    heap.push(1, 2, 3, 4, true);
    expect(first(heap)).toEqual({ rank: 1, offset: 2, failures: 3, deliveries: 4, alone: true });
  });

  it('takes times and offsets far beyond 32 bits', () => {
    const heap = new OffsetHeap();
    heap.push(Date.UTC(2100, 0), 2 ** 50 + 1, 0, 0, false);
    heap.push(Date.UTC(2100, 0), 2 ** 50, 0, 0, false);
    expect([heap.rank, heap.offset]).toEqual([Date.UTC(2100, 0), 2 ** 50]);
  });
});
