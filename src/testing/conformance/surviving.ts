import assert from 'node:assert/strict';
import type { LogRange } from '../../storage/storage.js';
import { assertEveryKind, writeEveryKind } from './entries.js';
import { assertEveryName, writeEveryName } from './names.js';
import { append, type Check, drop, numbers, remove, type Subject } from './subject.js';

function rangesOf({ ranges }: Subject): [string, LogRange][] {
  return [...ranges].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What the next process finds. `first` is the lowest offset that is left; where none is, `first` equals `next`. */
export function surviving(check: Check): void {
  check('reopen: an empty storage is still empty', async (subject) => {
    await subject.reopen();
    assert.deepEqual(rangesOf(subject), []);
    assert.deepEqual(await subject.append('log', 'x'), [0]);
  });

  check('reopen: entries and offsets are as they were, and appends go on', async (subject) => {
    await subject.fill('a', 1000);
    await subject.fill('b', 3);
    await subject.reopen();
    assert.deepEqual(rangesOf(subject), [
      ['a', { first: 0, next: 1000 }],
      ['b', { first: 0, next: 3 }],
    ]);
    assert.deepEqual(await subject.bodies('a'), numbers(1000).map(String));
    assert.deepEqual(await subject.append('b', 'x'), [3]);
    assert.deepEqual(await subject.offsets('b'), numbers(4));
  });

  check('reopen: heads and bodies of every kind', async (subject) => {
    await writeEveryKind(subject, 'log');
    await subject.reopen();
    await assertEveryKind(subject, 'log');
  });

  check('reopen: names of any characters', async (subject) => {
    await writeEveryName(subject);
    await subject.reopen();
    await assertEveryName(subject);
    assert.ok(!subject.ranges.has('removed'), 'a log that was removed is back');
    for (const range of subject.ranges.values()) assert.deepEqual(range, { first: 1, next: 3 });
  });

  check('reopen: trims and holes', async (subject) => {
    await subject.fill('trimmed', 10);
    await subject.fill('holes', 10);
    await subject.fill('both', 10);
    await subject.write(drop('trimmed', 0, 4), drop('holes', 3, 6), drop('holes', 9, 10));
    await subject.write(drop('both', 2, 5), drop('both', 0, 2), drop('both', 7, 8));
    await subject.reopen();
    assert.deepEqual(await subject.offsets('trimmed'), numbers(4, 10));
    assert.deepEqual(await subject.offsets('holes'), [0, 1, 2, 6, 7, 8]);
    assert.deepEqual(await subject.offsets('both'), [5, 6, 8, 9]);
    assert.deepEqual(rangesOf(subject), [
      ['both', { first: 5, next: 10 }],
      ['holes', { first: 0, next: 10 }],
      ['trimmed', { first: 4, next: 10 }],
    ]);
  });

  check('reopen: a log that was emptied keeps its next offset', async (subject) => {
    await subject.fill('trimmed', 5);
    await subject.fill('piecemeal', 5);
    await subject.write(drop('trimmed', 0, 5));
    for (const offset of [3, 0, 4, 1, 2]) await subject.write(drop('piecemeal', offset, offset + 1));
    for (const next of [5, 5, 5]) {
      await subject.reopen();
      assert.deepEqual(rangesOf(subject), [
        ['piecemeal', { first: next, next }],
        ['trimmed', { first: next, next }],
      ]);
    }
    assert.deepEqual(await subject.append('trimmed', 'x'), [5]);
    assert.deepEqual(await subject.append('piecemeal', 'x'), [5]);
  });

  check('reopen: a removed log does not come back, one made again begins at 0', async (subject) => {
    await subject.fill('removed', 5);
    await subject.fill('again', 5);
    await subject.write(drop('again', 0, 2), remove('removed'), remove('again'), append('again', 'new'));
    await subject.reopen();
    assert.deepEqual(rangesOf(subject), [['again', { first: 0, next: 1 }]]);
    assert.deepEqual(await subject.bodies('again'), ['new']);
    assert.deepEqual(await subject.append('removed', 'x'), [0]);
    await subject.reopen();
    assert.deepEqual(await subject.bodies('removed'), ['x']);
  });

  check('reopen: drops and removals of a former run stay', async (subject) => {
    await subject.fill('log', 10);
    await subject.fill('other', 2);
    await subject.reopen();
    await subject.write(drop('log', 0, 3), drop('log', 6, 8), remove('other'));
    await subject.reopen();
    assert.deepEqual(await subject.offsets('log'), [3, 4, 5, 8, 9]);
    await subject.write(drop('log', 0, 5));
    await subject.reopen();
    assert.deepEqual(await subject.offsets('log'), [5, 8, 9]);
    assert.deepEqual(rangesOf(subject), [['log', { first: 5, next: 10 }]]);
  });

  check('reopen: writes that nobody awaited before close()', async (subject) => {
    const writes = numbers(100).map(async (i) => subject.storage.write([append('log', String(i))]));
    await subject.reopen();
    await Promise.all(writes);
    assert.deepEqual(await subject.bodies('log'), numbers(100).map(String));
  });

  check('reopen: a batch over many logs is there as a whole', async (subject) => {
    const logs = numbers(300).map((i) => `log ${i}`);
    await subject.write(...logs.flatMap((log) => [append(log, 'a'), append(log, 'b'), drop(log, 0, 1)]));
    await subject.reopen();
    assert.equal(subject.ranges.size, 300);
    for (const log of logs) assert.deepEqual(await subject.offsets(log), [1]);
  });

  check('reopen: many times, with a little written each time', async (subject) => {
    for (const round of numbers(12)) {
      assert.deepEqual(await subject.append('log', `${round}`), [round]);
      await subject.reopen();
    }
    assert.deepEqual(await subject.bodies('log'), numbers(12).map(String));
  });
}
