import assert from 'node:assert/strict';
import { append, type Check, drop, numbers, remove } from './subject.js';

/** Drops: trims and holes, in any order, as often and as late as one likes; and removing a log as a whole. */
export function dropping(check: Check): void {
  check('drop: from 0 trims the log', async (subject) => {
    await subject.fill('log', 10);
    await subject.write(drop('log', 0, 4));
    assert.deepEqual(await subject.offsets('log'), numbers(4, 10));
    assert.deepEqual(await subject.offsets('log', 2), numbers(4, 10));
    assert.deepEqual(await subject.append('log', 'x'), [10]);
  });

  check('drop: in the middle makes a hole, which reads step over', async (subject) => {
    await subject.fill('log', 10);
    await subject.write(drop('log', 3, 6));
    assert.deepEqual(await subject.offsets('log'), [0, 1, 2, 6, 7, 8, 9]);
    assert.deepEqual(await subject.offsets('log', 3), [6, 7, 8, 9]);
    assert.deepEqual(await subject.offsets('log', 5), [6, 7, 8, 9]);
    assert.deepEqual(await subject.bodies('log', 5), ['6', '7', '8', '9']);
  });

  check('drop: a hole at the end does not move the next offset', async (subject) => {
    await subject.fill('log', 5);
    await subject.write(drop('log', 3, 5));
    assert.deepEqual(await subject.offsets('log'), [0, 1, 2]);
    assert.deepEqual(await subject.append('log', 'x'), [5]);
    assert.deepEqual(await subject.offsets('log'), [0, 1, 2, 5]);
  });

  check('drop: holes may touch, overlap and repeat', async (subject) => {
    await subject.fill('log', 20);
    for (const [from, to] of [
      [5, 8],
      [8, 10],
      [4, 6],
      [5, 8],
      [15, 16],
      [14, 17],
    ] as const) {
      await subject.write(drop('log', from, to));
    }
    assert.deepEqual(await subject.offsets('log'), [0, 1, 2, 3, 10, 11, 12, 13, 17, 18, 19]);
  });

  check('drop: a trim swallows holes, and a later trim may lie below it', async (subject) => {
    await subject.fill('log', 20);
    await subject.write(drop('log', 5, 8));
    await subject.write(drop('log', 0, 6), drop('log', 0, 3));
    assert.deepEqual(await subject.offsets('log'), numbers(8, 20));
  });

  check('drop: beyond the end it ends at the end', async (subject) => {
    await subject.fill('log', 5);
    await subject.write(drop('log', 3, 1_000_000));
    await subject.write(drop('log', 50, 60));
    assert.deepEqual(await subject.append('log', 'a', 'b'), [5, 6]);
    assert.deepEqual(await subject.offsets('log'), [0, 1, 2, 5, 6]);
  });

  check('drop: what comes later is not dropped in advance', async (subject) => {
    await subject.write(drop('log', 0, 100));
    assert.deepEqual(await subject.append('log', 'a'), [0]);
    await subject.write(drop('log', 1, 100));
    assert.deepEqual(await subject.append('log', 'b'), [1]);
    assert.deepEqual(await subject.bodies('log'), ['a', 'b']);
  });

  check('drop: an empty range drops nothing', async (subject) => {
    await subject.fill('log', 3);
    await subject.write(drop('log', 0, 0), drop('log', 1, 1), drop('log', 3, 3));
    assert.deepEqual(await subject.offsets('log'), [0, 1, 2]);
  });

  check('drop: one by one, an emptied log goes on at its next offset', async (subject) => {
    await subject.fill('log', 12);
    for (const offset of numbers(12)) await subject.write(drop('log', offset, offset + 1));
    assert.deepEqual(await subject.offsets('log'), []);
    assert.deepEqual(await subject.append('log', 'x'), [12]);
    assert.deepEqual(await subject.offsets('log'), [12]);
  });

  check('drop: in blocks and out of order', async (subject) => {
    await subject.fill('log', 4000);
    const blocks = [3, 0, 2, 7, 5, 1, 6, 4].map((block) => drop('log', block * 500, block * 500 + 499));
    for (const block of blocks) await subject.write(block);
    assert.deepEqual(
      await subject.offsets('log'),
      numbers(8).map((block) => block * 500 + 499),
    );
    await subject.write(...numbers(8).map((block) => drop('log', block * 500 + 499, block * 500 + 500)));
    assert.deepEqual(await subject.offsets('log'), []);
    assert.deepEqual(await subject.append('log', 'x'), [4000]);
  });

  check('drop: one entry may survive among thousands', async (subject) => {
    for (const round of numbers(5)) {
      await subject.fill('log', 1000);
      await subject.write(drop('log', Math.max(round * 1000, 6), round * 1000 + 1000));
    }
    await subject.write(drop('log', 0, 5));
    assert.deepEqual(await subject.offsets('log'), [5]);
    assert.deepEqual(await subject.offsets('log', 6), []);
    await subject.append('log', 'x');
    assert.deepEqual(await subject.offsets('log'), [5, 5000]);
  });

  check('drop: ops of a batch apply in their order', async (subject) => {
    await subject.fill('log', 3);
    await subject.write(append('log', 'a'), drop('log', 2, 100), append('log', 'b'));
    assert.deepEqual(await subject.offsets('log'), [0, 1, 4]);
    await subject.write(drop('log', 0, 100), append('log', 'c'), append('log', 'd'), drop('log', 5, 6));
    assert.deepEqual(await subject.bodies('log'), ['d']);
    assert.deepEqual(await subject.offsets('log'), [6]);
  });

  check('drop: touches no other log', async (subject) => {
    await subject.fill('a', 5);
    await subject.fill('b', 5);
    await subject.write(drop('a', 0, 5));
    assert.deepEqual(await subject.offsets('b'), numbers(5));
  });

  check('remove: the log is gone, and begins at 0 when it is written to again', async (subject) => {
    await subject.fill('log', 5);
    await subject.fill('other', 2);
    await subject.write(remove('log'));
    assert.deepEqual(await subject.offsets('log'), []);
    assert.deepEqual(await subject.append('log', 'new'), [0]);
    assert.deepEqual(await subject.bodies('log'), ['new']);
    assert.deepEqual(await subject.offsets('other'), [0, 1]);
  });

  check('remove: in one batch with appends before and after it', async (subject) => {
    await subject.fill('log', 3);
    const batch = [append('log', 'old'), remove('log'), append('log', 'new'), append('log', 'newer')] as const;
    await subject.write(...batch);
    assert.deepEqual([batch[0].offset, batch[2].offset, batch[3].offset], [3, 0, 1]);
    assert.deepEqual(await subject.bodies('log'), ['new', 'newer']);
    await subject.write(append('log', 'x'), remove('log'));
    assert.deepEqual(await subject.offsets('log'), []);
  });

  check('remove: of what is not there, and drops that come after it, are harmless', async (subject) => {
    await subject.write(remove('log'), drop('log', 0, 5));
    await subject.fill('log', 3);
    await subject.write(remove('log'));
    await subject.write(drop('log', 0, 3), remove('log'));
    assert.deepEqual(await subject.append('log', 'x'), [0]);
    assert.deepEqual(await subject.bodies('log'), ['x']);
  });

  check('remove: a log made again has none of the holes of the former', async (subject) => {
    await subject.fill('log', 10);
    await subject.write(drop('log', 0, 3), drop('log', 5, 8));
    await subject.write(remove('log'));
    await subject.fill('log', 10);
    assert.deepEqual(await subject.offsets('log'), numbers(10));
  });

  check('batch: appends, drops and removals in many logs are one write', async (subject) => {
    const logs = numbers(100).map((i) => `log ${i}`);
    await subject.write(...logs.map((log) => append(log, 'old')));
    await subject.write(...logs.flatMap((log, i) => [append(log, 'new'), i % 2 === 0 ? drop(log, 0, 1) : remove(log)]));
    for (const [i, log] of logs.entries()) assert.deepEqual(await subject.bodies(log), i % 2 === 0 ? ['new'] : []);
  });
}
