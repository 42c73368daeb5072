import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from '../../src/delivery/agenda.js';
import { Hand, NEVER } from '../../src/delivery/hand.js';
import type { Held } from '../../src/delivery/held.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

const EPOCH = 1_000_000;

/** Of a held message a hand knows its deadline and its slot only. */
const held = (deadline: number): Held => ({ deadline }) as Held;

function setUp(): { hand: Hand; clock: ManualClock; overdue: number[] } {
  const clock = new ManualClock(EPOCH);
  const overdue: number[] = [];
  const alarm = new Agenda(clock).alarm(() => {
    for (let next = hand.overdue(clock.now()); next !== undefined; next = hand.overdue(clock.now())) {
      overdue.push(next.deadline);
      hand.remove(next);
    }
  });
  const hand = new Hand(alarm, EPOCH);
  return { hand, clock, overdue };
}

const deadlines = (hand: Hand): number[] => [...hand].map(({ deadline }) => deadline);

describe('Hand', () => {
  it('lists what it holds by deadline, those without one last', () => {
    const { hand } = setUp();
    for (const deadline of [30, NEVER, 10, 20, NEVER, 10]) hand.add(held(deadline));
    expect(hand.size).toBe(6);
    expect(deadlines(hand)).toEqual([10, 10, 20, 30, NEVER, NEVER]);
  });

  it('keeps those of one deadline in the order in which they came', () => {
    const { hand } = setUp();
    const three = [held(10), held(10), held(10)];
    for (const one of three) hand.add(one);
    expect([...hand]).toEqual(three);
    expect([...hand].every((one, n) => one === three[n])).toBe(true);
  });

  it('gives out each when its deadline comes, and not before', async () => {
    const { hand, clock, overdue } = setUp();
    for (const deadline of [30, 10, 20]) hand.add(held(deadline));
    expect(hand.overdue(EPOCH + 9)).toBeUndefined();
    await clock.advance(10);
    expect(overdue).toEqual([10]);
    await clock.advance(19);
    expect(overdue).toEqual([10, 20]);
    await clock.advance(1);
    expect(overdue).toEqual([10, 20, 30]);
    expect(hand.size).toBe(0);
  });

  it('follows a deadline that is moved, either way', async () => {
    const { hand, clock, overdue } = setUp();
    const [a, b] = [held(10), held(20)];
    hand.add(a);
    hand.add(b);
    hand.move(a, 50);
    hand.move(b, 5);
    expect(deadlines(hand)).toEqual([5, 50]);
    await clock.advance(5);
    expect(overdue).toEqual([5]);
    hand.move(a, NEVER);
    await clock.advance(100);
    expect(overdue).toEqual([5]);
  });

  it('sets a timer only where something has a deadline', () => {
    const { hand, clock } = setUp();
    hand.add(held(NEVER));
    expect(clock.pending()).toBe(0);
    hand.add(held(10));
    hand.add(held(20));
    expect(clock.pending()).toBe(1);
  });

  it('may lose what it just listed', () => {
    const { hand } = setUp();
    for (const deadline of [1, 2, 3, 4]) hand.add(held(deadline));
    const listed: number[] = [];
    for (const one of hand) {
      listed.push(one.deadline);
      hand.remove(one);
    }
    expect(listed).toEqual([1, 2, 3, 4]);
    expect(hand.size).toBe(0);
    expect([...hand]).toEqual([]);
  });

  it('holds what a sorted list holds, and every deadline is met', async () => {
    const step = fc.record({
      what: fc.constantFrom('add', 'add', 'remove', 'move'),
      which: fc.nat(),
      deadline: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant(NEVER)),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { hand, clock, overdue } = setUp();
        const naive: Held[] = [];
        for (const { what, which, deadline } of steps) {
          const one = naive[which % naive.length];
          if (what === 'add' || one === undefined) {
            naive.push(held(deadline));
            hand.add(naive.at(-1)!);
          } else {
            if (what === 'remove') hand.remove(one);
            else hand.move(one, deadline);
            naive.splice(naive.indexOf(one), 1);
            if (what === 'move') naive.push(one);
          }
          expect(hand.size).toBe(naive.length);
          expect(deadlines(hand)).toEqual(naive.map((each) => each.deadline).toSorted(byDeadline));
        }
        await clock.advance(50);
        expect(overdue).toEqual(
          naive.flatMap((each) => (each.deadline === NEVER ? [] : each.deadline)).toSorted(byDeadline),
        );
        expect(deadlines(hand).every((deadline) => deadline === NEVER)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

function byDeadline(a: number, b: number): number {
  return (a === NEVER ? Infinity : a) - (b === NEVER ? Infinity : b) || 0;
}
