import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SettledSet, type Range } from '../../../src/delivery/cursor/settled-set.js';

const END = 2560;
const BLOCK = 512;

/** What a naive set says, with a byte per offset. */
class Naive {
  readonly settled = new Uint8Array(END + 1);
  low: number;

  constructor(start: number) {
    this.settled.fill(1, 0, start);
    this.low = start;
  }

  /** How many were new. */
  add(from: number, to = from + 1): number {
    let added = 0;
    for (let offset = from; offset < to; offset++) {
      added += 1 - this.settled[offset]!;
      this.settled[offset] = 1;
    }
    while (this.settled[this.low] === 1) this.low++;
    return added;
  }
  get above(): number {
    return this.settled.subarray(this.low).reduce((sum, one) => sum + one, 0);
  }
  get ranges(): Range[] {
    const ranges: { from: number; to: number }[] = [];
    for (let offset = this.low; offset < END; offset++) {
      if (this.settled[offset] === 0) continue;
      if (ranges.at(-1)?.to === offset) ranges.at(-1)!.to++;
      else ranges.push({ from: offset, to: offset + 1 });
    }
    return ranges;
  }
  /** What may be dropped: everything below the watermark, and whole blocks above it. */
  get droppable(): Uint8Array {
    const droppable = new Uint8Array(END + 1).fill(1, 0, this.low);
    for (let block = 0; block + BLOCK <= END; block += BLOCK) {
      if (this.settled.subarray(block, block + BLOCK).every((one) => one === 1))
        droppable.fill(1, block, block + BLOCK);
    }
    return droppable;
  }
}

const offset = fc.oneof(fc.integer({ min: 0, max: END - 1 }), fc.integer({ min: 0, max: 40 }));
const steps = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: fc.record({ add: offset }) },
    { weight: 3, arbitrary: fc.record({ from: offset, length: fc.integer({ min: 0, max: 1300 }) }) },
    { weight: 1, arbitrary: fc.record({ below: offset }) },
    { weight: 2, arbitrary: fc.constant('take' as const) },
    { weight: 1, arbitrary: fc.constant('forget' as const) },
  ),
  { maxLength: 50 },
);

type Step = (typeof steps extends fc.Arbitrary<infer L extends readonly unknown[]> ? L : never)[number];

describe('SettledSet', () => {
  it('says what a naive set says, and lets drop what is settled: all of it in time, and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1500 }), steps, (start, list) => {
        const set = new SettledSet(start);
        const naive = new Naive(start);
        const dropped = new Uint8Array(END + 1).fill(1, 0, start);
        /** What the set answers, and what it should. */
        const take = (step: Step): [unknown, unknown] => {
          if (step === 'take') {
            for (const { from, to } of set.takeDrops()) dropped.fill(1, from, to);
            return [dropped, naive.droppable];
          }
          if (step === 'forget') {
            dropped.fill(0, start);
            return [set.forgetDrops(), undefined];
          }
          if ('add' in step) return [set.add(step.add), naive.add(step.add) === 1];
          if ('below' in step) {
            naive.add(start, step.below);
            set.addRange(set.low, step.below);
            return [undefined, undefined];
          }
          const to = Math.min(END, step.from + step.length);
          return [set.addRange(step.from, to), naive.add(step.from, to)];
        };
        for (const step of list) {
          const [answer, right] = take(step);
          expect(answer).toEqual(right);
          expect([set.low, set.above]).toEqual([naive.low, naive.above]);
        }
        expect([...set.ranges()]).toEqual(naive.ranges);
        expect(Uint8Array.from({ length: END }, (_, n) => Number(set.has(n)))).toEqual(naive.settled.subarray(0, END));
      }),
      { numRuns: 50 },
    );
  });

  it('moves its watermark over what was settled out of order', () => {
    const set = new SettledSet();
    for (const offset of [3, 1, 2]) set.add(offset);
    expect([set.low, set.above]).toEqual([0, 3]);
    set.add(0);
    expect([set.low, set.above]).toEqual([4, 0]);
    expect(set.takeDrops()).toEqual([{ from: 0, to: 4 }]);
    expect(set.takeDrops()).toEqual([]);
  });

  it('reports neighbouring full blocks in the middle as one range, once', () => {
    const set = new SettledSet();
    set.addRange(BLOCK, 3 * BLOCK);
    expect(set.takeDrops()).toEqual([{ from: BLOCK, to: 3 * BLOCK }]);
    expect(set.takeDrops()).toEqual([]);
    set.forgetDrops();
    expect(set.takeDrops()).toEqual([{ from: BLOCK, to: 3 * BLOCK }]);
  });

  it('costs a slot per block where one stuck message holds the watermark', () => {
    const set = new SettledSet();
    set.addRange(1, 1_000_000);
    expect([set.low, set.above]).toEqual([0, 999_999]);
    expect([...set.ranges()]).toEqual([{ from: 1, to: 1_000_000 }]);
    set.add(0);
    expect([set.low, set.above]).toEqual([1_000_000, 0]);
  });

  it('starts anywhere, far from 0 as well', () => {
    const start = 2 ** 40 + 7;
    const set = new SettledSet(start);
    expect(set.has(start - 1)).toBe(true);
    expect(set.add(start - 1)).toBe(false);
    expect(set.add(start + 1)).toBe(true);
    expect(set.add(start)).toBe(true);
    expect(set.low).toBe(start + 2);
  });
});
