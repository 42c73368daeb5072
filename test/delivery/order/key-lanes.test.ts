import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACK, KeyLanes, type KeyLane } from '../../../src/delivery/order/key-lanes.js';

const ONCE = { failures: 1, deliveries: 1, alone: false };
const NEVER = { failures: 0, deliveries: 0, alone: false };

describe('KeyLanes', () => {
  it('gives a key to one owner at a time; the others wait in order, whenever they come', () => {
    const lanes = new KeyLanes();
    const lane = lanes.admit('k', 3, {})!;
    for (const offset of [5, 9, 4]) {
      expect(lanes.admit('k', offset, {})).toBeUndefined();
      lanes.wait('k', offset, NEVER);
    }
    expect(lanes.waiting).toBe(3);
    expect(lanes.admit('other', 6, {})).toBeDefined();
    expect(lanes.settled(lane)).toBe(4);
    expect(lanes.admit('k', 5, {})).toBeUndefined();
    expect(lanes.settled(lanes.admit('k', 4, {})!)).toBe(5);
    expect(lanes.settled(lanes.admit('k', 5, {})!)).toBe(9);
    expect(lanes.settled(lanes.admit('k', 9, {})!)).toBe(-1);
    expect(lanes.waiting).toBe(0);
  });

  it('keeps the turn of one that was given back', () => {
    const lanes = new KeyLanes();
    const lane = lanes.admit('k', 1, {})!;
    expect(lanes.admit('k', 2, {})).toBeUndefined();
    lanes.wait('k', 2, NEVER);
    lanes.givenBack(lane, 1);
    expect(lanes.admit('k', 2, {})).toBeUndefined();
    expect(lanes.settled(lanes.admit('k', 1, {})!)).toBe(2);
  });

  it('lets a batch hold several of a key, and passes on when all are settled', () => {
    const lanes = new KeyLanes();
    const batch = {};
    const lane = lanes.admit('k', 1, batch)!;
    expect(lanes.admit('k', 2, batch)).toBe(lane);
    expect(lanes.admit('k', 3, {})).toBeUndefined();
    lanes.wait('k', 3, NEVER);
    expect(lanes.settled(lane)).toBe(-1);
    expect(lanes.settled(lane)).toBe(3);
  });

  it('keeps the turn for the earliest of several that a batch gives back', () => {
    const lanes = new KeyLanes();
    const batch = {};
    const lane = lanes.admit('k', 1, batch)!;
    lanes.admit('k', 2, batch);
    lanes.admit('k', 3, batch);
    lanes.settled(lane);
    lanes.givenBack(lane, 3);
    lanes.givenBack(lane, 2);
    expect(lanes.admit('k', 3, {})).toBeUndefined();
    expect(lanes.admit('k', 2, {})).toBeDefined();
  });

  it('passes the turn of one that died on its way back', () => {
    const lanes = new KeyLanes();
    const lane = lanes.admit('k', 1, {})!;
    lanes.admit('k', 2, {});
    lanes.wait('k', 2, NEVER);
    lanes.givenBack(lane, 1);
    expect(lanes.gone('k', 7)).toBe(-1);
    expect(lanes.gone('k', 1)).toBe(2);
    expect(lanes.gone('nobody', 1)).toBe(-1);
  });

  it('remembers how often one that waits was tried', () => {
    const lanes = new KeyLanes();
    lanes.admit('k', 1, {});
    lanes.wait('k', 2, ONCE);
    lanes.wait('k', 3, NEVER);
    expect(lanes.triesOf(3)).toEqual(NEVER);
    expect(lanes.triesOf(2)).toMatchObject(ONCE);
  });

  it('gives out the oldest that waits, of any key, below an offset', () => {
    const lanes = new KeyLanes();
    for (const key of ['a', 'b', 'c']) lanes.admit(key, 0, {});
    lanes.wait('a', 5, NEVER);
    lanes.wait('b', 4, NEVER);
    lanes.wait('c', 6, NEVER);
    expect(lanes.takeOldest(4)).toBe(-1);
    expect([lanes.takeOldest(7), lanes.takeOldest(7), lanes.takeOldest(7), lanes.takeOldest(7)]).toEqual([4, 5, 6, -1]);
    expect(lanes.waiting).toBe(0);
  });

  it('forgets those that wait, and keeps turns that are taken', () => {
    const lanes = new KeyLanes();
    const lane = lanes.admit('k', 1, {})!;
    lanes.wait('k', 2, ONCE);
    lanes.forgetWaiting();
    expect(lanes.waiting).toBe(0);
    expect(lanes.triesOf(2)).toMatchObject(NEVER);
    expect(lanes.admit('k', 3, {})).toBeUndefined();
    lanes.wait('k', 3, NEVER);
    expect(lanes.settled(lane)).toBe(3);
  });

  it('calls the next of a key for its owner, who need not take it: the turn passes in order all the same', () => {
    const lanes = new KeyLanes();
    const lane = lanes.admit('k', 1, {})!;
    for (const offset of [2, 3]) lanes.wait('k', offset, NEVER);
    expect(lanes.next(lane)).toBe(2);
    expect(lanes.next(lane)).toBe(-1);
    expect(lanes.settled(lane)).toBe(BACK);
    expect(lanes.admit('k', 3, {})).toBeUndefined();
    lanes.settled(lanes.admit('k', 2, {})!);
    expect(lanes.admit('k', 3, {})).toBeDefined();
  });

  it('lets an owner take none before an older one that waits, and calls that one instead', () => {
    const lanes = new KeyLanes();
    const batch = {};
    lanes.admit('k', 1, batch);
    lanes.wait('k', 2, NEVER);
    expect(lanes.admit('k', 3, batch)).toBeUndefined();
    expect(lanes.wait('k', 3, NEVER, batch)).toBe(2);
    expect(lanes.admit('k', 2, batch)).toBeDefined();
  });

  it('passes the turn to each of those that were given back, before all others', () => {
    const lanes = new KeyLanes();
    const batch = {};
    const lane = lanes.admit('k', 1, batch)!;
    lanes.admit('k', 2, batch);
    lanes.wait('k', 3, NEVER);
    lanes.givenBack(lane, 2);
    lanes.givenBack(lane, 1);
    expect(lanes.settled(lanes.admit('k', 1, {})!)).toBe(BACK);
    expect(lanes.admit('k', 3, {})).toBeUndefined();
    expect(lanes.settled(lanes.admit('k', 2, {})!)).toBe(3);
  });

  it('ends every key in order, whatever happens in between', () => {
    const plan = fc.array(
      fc.record({ key: fc.constantFrom('a', 'b', 'c'), dice: fc.array(fc.nat(9), { minLength: 1 }) }),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(plan, (messages) => {
        const lanes = new KeyLanes();
        const ended: Record<string, number[]> = {};
        const held = new Map<number, KeyLane>();
        const offer = (offset: number): void => {
          const { key } = messages[offset]!;
          const lane = lanes.admit(key, offset, {});
          if (lane === undefined) lanes.wait(key, offset, NEVER);
          else held.set(offset, lane);
        };
        const end = (offset: number, lane: KeyLane): void => {
          held.delete(offset);
          (ended[lane.key] ??= []).push(offset);
          const next = lanes.settled(lane);
          if (next >= 0) offer(next);
        };
        messages.forEach(({ dice }, offset) => {
          offer(offset);
          for (const one of dice) {
            const [first] = held;
            if (first === undefined) continue;
            if (one < 4) end(...first);
            else if (one < 6) {
              lanes.givenBack(first[1], first[0]);
              held.delete(first[0]);
              offer(first[0]);
            }
            const keys = [...held.keys()].map((at) => messages[at]!.key);
            expect(new Set(keys).size).toBe(keys.length);
          }
        });
        for (let next = [...held][0]; next !== undefined; next = [...held][0]) end(...next);
        expect(lanes.waiting).toBe(0);
        for (const key of Object.keys(ended)) {
          expect(ended[key]).toEqual(messages.flatMap((message, offset) => (message.key === key ? offset : [])));
        }
        expect(Object.values(ended).flat()).toHaveLength(messages.length);
      }),
    );
  });
});
