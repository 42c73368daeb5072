import assert from 'node:assert/strict';
import { append, type AppendOp, type Check, numbers } from './subject.js';

/** Offsets: dense, per log, in call order, and told to who appends. */
export function appending(check: Check): void {
  check('append: a new storage holds no logs', async ({ storage, ranges }) => {
    assert.deepEqual([...ranges], []);
    assert.deepEqual(await storage.read('log', 0, { entries: 10, bytes: 1000 }), []);
  });

  check('append: offsets are 0, 1, 2, …', async (subject) => {
    for (const offset of numbers(20)) assert.deepEqual(await subject.append('log', `body ${offset}`), [offset]);
    assert.deepEqual(await subject.offsets('log'), numbers(20));
  });

  check('append: each log counts its own offsets', async (subject) => {
    await subject.append('a', 'x', 'y');
    assert.deepEqual(await subject.append('b', 'x'), [0]);
    assert.deepEqual(await subject.append('a', 'z'), [2]);
    assert.deepEqual(await subject.append('b', 'y'), [1]);
  });

  check('append: the offset is filled in when the write is done', async ({ storage }) => {
    const op = append('log', 'x');
    await storage.write([op]);
    assert.equal(op.offset, 0);
    const bare: AppendOp = { type: 'append', log: 'log', entry: { head: {}, body: 'x' } };
    await storage.write([bare]);
    assert.equal(bare.offset, 1);
  });

  check('append: an offset that is there already is overwritten', async ({ storage }) => {
    const op = append('log', 'x');
    for (const offset of numbers(3)) {
      await storage.write([op]);
      assert.equal(op.offset, offset);
    }
  });

  check('append: a batch takes offsets in its order, log by log', async ({ storage }) => {
    const batch = ['a', 'b', 'a', 'c', 'b', 'a'].map((log) => append(log, log));
    await storage.write(batch);
    assert.deepEqual(
      batch.map(({ offset }) => offset),
      [0, 0, 1, 0, 1, 2],
    );
  });

  check('append: ten thousand entries in one batch', async (subject) => {
    const offsets = await subject.append('log', ...numbers(10_000).map(String));
    assert.deepEqual(offsets, numbers(10_000));
    assert.deepEqual(await subject.bodies('log'), numbers(10_000).map(String));
  });

  check('append: batches take effect in call order, awaited or not', async (subject) => {
    const { storage } = subject;
    const ops = numbers(200).map((i) => append('log', String(i)));
    await Promise.all(ops.map(async (op) => storage.write([op])));
    assert.deepEqual(
      ops.map(({ offset }) => offset),
      numbers(200),
    );
    assert.deepEqual(await subject.bodies('log'), numbers(200).map(String));
  });

  check('append: a write is done when those before it are', async ({ storage }) => {
    const done: number[] = [];
    const writes = numbers(50).map(async (i) => {
      await storage.write([append(`log ${i % 3}`, 'x')]);
      done.push(i);
    });
    await Promise.all(writes);
    assert.deepEqual(done, numbers(50));
  });

  check('append: what was written is read, whatever reach was asked for', async (subject) => {
    for (const reach of ['memory', 'os', 'disk'] as const) await subject.storage.write([append('log', reach)], reach);
    assert.deepEqual(await subject.bodies('log'), ['memory', 'os', 'disk']);
  });

  check('append: an empty batch is done at once and changes nothing', async (subject) => {
    await subject.write();
    await subject.fill('log', 2);
    await subject.write();
    assert.deepEqual(await subject.offsets('log'), [0, 1]);
  });
}
