import { expect, it } from 'vitest';
import { Begun } from '../../../src/delivery/crash/begun.js';
import type { Cursor } from '../../../src/delivery/cursor/cursor.js';
import type { Held } from '../../../src/delivery/held.js';
import type { Journal } from '../../../src/delivery/journal.js';
import { Marks } from '../../../src/delivery/crash/marks.js';

/** Offsets 0 to 9 are marked ahead; writes are done one after the other, when they are told to. */
async function markedAhead() {
  const cursor = { end: 20 } as Cursor;
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
  const start = (offset: number, more: Partial<Held> = {}): void => {
    const held = { cursor, offset, deliveries: 1, inHand: true, suspicion: 0, head: { rare: undefined }, ...more };
    const noted = begun.begins(held as unknown as Held);
    if (noted === undefined) started.push(offset);
    else void noted.then(() => started.push(offset));
  };
  return { marks, cursor, writes, started, start };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('what is marked ahead begins at once', async () => {
  const { started, start } = await markedAhead();
  start(1);
  start(2);
  expect(started).toEqual([1, 2]);
});

it('whoever has nothing to wait for begins behind those who wait', async () => {
  const { writes, started, start } = await markedAhead();
  // Settled first, and written; then one that is in hand, one delivered once more, and another in hand.
  start(1, { inHand: false });
  start(2);
  await turn();
  start(3, { deliveries: 2 });
  start(4);
  await turn();
  expect(started).toEqual([]);
  writes[0]!();
  await turn();
  expect(started).toEqual([1, 2]);
  writes[1]!();
  await turn();
  expect(started).toEqual([1, 2, 3, 4]);
  start(5);
  expect(started).toEqual([1, 2, 3, 4, 5]);
});

it('whoever is told of a write that is done already is not overtaken by the next', async () => {
  const { marks, cursor, started, start } = await markedAhead();
  marks.addAhead(cursor, 10, 20, Promise.resolve());
  queueMicrotask(() => start(11));
  start(10);
  expect(started).toEqual([]);
  await turn();
  expect(started).toEqual([10, 11]);
});
