import { describe, expect, it } from 'vitest';
import { nextTurn } from '../../src/clock.js';
import { Slice } from '../../src/delivery/slice.js';

const turn = (): Promise<void> => new Promise(nextTurn);

/** Asks before each delivery, as a lane does, until it has to rest; how often it did not have to. */
function dispatch(slice: Slice): number {
  let delivered = 0;
  while (!slice.over()) delivered++;
  return delivered;
}

/** The most of ten slices: a busy machine may take any of them away. */
async function most(slice: Slice): Promise<number> {
  let best = 0;
  for (let n = 0; n < 10; n++) {
    best = Math.max(best, dispatch(slice));
    await slice.rest();
    await turn();
  }
  return best;
}

describe('Slice', () => {
  it('lets deliver for some milliseconds, thousands of trivial ones, before it asks for a rest', async () => {
    const slice = new Slice();
    expect(await most(slice)).toBeGreaterThan(1000);
    dispatch(slice);
    expect(slice.over()).toBe(true);
  });

  it('lets all lanes wait for one and the same turn of the event loop', async () => {
    const slice = new Slice();
    dispatch(slice);
    const log: string[] = [];
    nextTurn(() => log.push('somebody else'));
    const rest = slice.rest();
    expect(slice.rest()).toBe(rest);
    await rest;
    log.push('rested');
    expect(log).toEqual(['somebody else', 'rested']);
    expect(slice.over()).toBe(false);
  });

  it('starts its time anew after a turn that came by itself', async () => {
    const slice = new Slice();
    for (let n = 0; n < 50; n++) {
      expect(slice.over()).toBe(false);
      await turn();
    }
    expect(await most(slice)).toBeGreaterThan(1000);
  });

  it('asks for a rest soon where deliveries are slow', () => {
    const slice = new Slice();
    let delivered = 0;
    let sum = 0;
    for (; !slice.over(); delivered++) {
      for (let n = 0; n < 1_000_000; n++) sum += Math.sqrt(n);
    }
    expect(sum).toBeGreaterThan(0);
    expect(delivered).toBeLessThan(200);
  });
});
