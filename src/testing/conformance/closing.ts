import assert from 'node:assert/strict';
import { append, type Check, drop, numbers, rejectsAsClosed } from './subject.js';

export function closing(check: Check): void {
  check('durability is memory, os or disk', async ({ storage }) => {
    assert.match(storage.durability, /^(memory|os|disk)$/);
  });

  check('close: any number of times, at once and one after another', async (subject) => {
    await subject.fill('log', 3);
    const { storage } = subject;
    await Promise.all([storage.close(), storage.close()]);
    await storage.close();
  });

  check('close: waits for writes under way', async ({ storage }) => {
    let done = 0;
    const ops = numbers(50).map((i) => append('log', String(i)));
    const writes = ops.map(async (op) => {
      await storage.write([op]);
      done++;
    });
    await storage.close();
    await Promise.all(writes);
    assert.equal(done, 50);
    assert.deepEqual(
      ops.map(({ offset }) => offset),
      numbers(50),
    );
  });

  check('close: afterwards, writes and reads reject with ERR_CLOSED', async (subject) => {
    await subject.fill('log', 3);
    const { storage } = subject;
    await storage.close();
    const late = append('log', 'late');
    await rejectsAsClosed(() => storage.write([late]));
    await rejectsAsClosed(() => storage.write([drop('log', 0, 1)], 'memory'));
    await rejectsAsClosed(() => storage.read('log', 0, { entries: 1, bytes: 1 }));
    assert.equal(late.offset, undefined);
  });
}
