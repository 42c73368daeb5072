import { expect, it } from 'vitest';
import { Begun } from '../../../src/delivery/crash/begun.js';
import type { Cursor } from '../../../src/delivery/cursor/cursor.js';
import type { Held } from '../../../src/delivery/held.js';
import type { Journal } from '../../../src/delivery/journal.js';
import { KeyLane } from '../../../src/delivery/order/key-lanes.js';
import { Marks } from '../../../src/delivery/crash/marks.js';

/** Offsets 0 to 9 are marked ahead; writes are done one after the other, when they are told to. */
async function markedAhead() {
  const cursor = { end: 10 } as Cursor;
  const writes: (() => void)[] = [];
  let last = Promise.resolve();
  const tidy = (): Promise<void> => {
    const written = new Promise<void>((resolve) => writes.push(resolve));
    return (last = last.then(() => written));
  };
  const marks = new Marks();
  marks.addAhead(cursor, 0, 10, Promise.resolve());
  await turn();
  const begun = new Begun({ tidy } as unknown as Journal, marks, () => undefined);
  const started: number[] = [];
  /** As a consumer does, for one that is settled first (`ack: 'none'`), or in hand. */
  const start = (offset: number, key: KeyLane | undefined, inHand: boolean): void => {
    const held = { cursor, offset, deliveries: 1, inHand, turn: key, suspicion: 0, head: { rare: undefined } };
    const noted = begun.begins(held as unknown as Held);
    if (noted === undefined) started.push(offset);
    else void noted.then(() => started.push(offset));
  };
  return { writes, started, start };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('what is marked ahead begins at once', async () => {
  const { started, start } = await markedAhead();
  start(1, new KeyLane('a'), true);
  start(2, undefined, true);
  expect(started).toEqual([1, 2]);
});

it('the next of a key does not begin before the one that was settled first, and waits for that to be written', async () => {
  const { writes, started, start } = await markedAhead();
  const key = new KeyLane('a');
  start(1, key, false);
  start(2, key, true);
  await turn();
  start(3, key, true);
  await turn();
  expect(started).toEqual([]);
  writes[0]!();
  await turn();
  expect(started).toEqual([1, 2]);
  writes[1]!();
  await turn();
  expect(started).toEqual([1, 2, 3]);
  start(4, key, true);
  expect(started).toEqual([1, 2, 3, 4]);
});

it('what has no order waits for nobody', async () => {
  const { started, start } = await markedAhead();
  start(1, undefined, false);
  start(2, undefined, true);
  expect(started).toEqual([2]);
});
