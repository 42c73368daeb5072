import assert from 'node:assert/strict';
import { SluiceError } from '../../errors.js';
import { append, type Check, drop, numbers, remove, type Subject } from './subject.js';

/** Room of the storages that these tests are given, and what they fill it with. */
export const ROOM = 4 << 20;
const piece = 'x'.repeat(ROOM / 16);

/** Appends pieces to `log` until one is refused; returns how many were not. */
async function fillUp(subject: Subject, log: string): Promise<number> {
  for (let written = 0; written <= 32; written++) {
    const late = append(log, piece);
    try {
      await subject.write(late);
    } catch (error) {
      assert.ok(SluiceError.is(error, 'ERR_STORAGE_FULL'), `it refuses with ${String(error)}`);
      assert.equal(late.offset, undefined);
      return written;
    }
  }
  return assert.fail(`32 times ${piece.length} bytes went into ${ROOM}`);
}

/** A storage that is full. */
export function filling(check: Check): void {
  check('full: refuses with ERR_STORAGE_FULL, and keeps what it has', async (subject) => {
    const written = await fillUp(subject, 'log');
    assert.ok(written >= 8, `only ${written} times ${piece.length} bytes went into ${ROOM}`);
    assert.deepEqual(await subject.offsets('log'), numbers(written));
  });

  check('full: a refused batch changes nothing', async (subject) => {
    await subject.fill('kept', 3);
    await fillUp(subject, 'log');
    const batch = [append('new', 'small'), drop('kept', 0, 2), remove('kept'), append('log', piece.repeat(4))];
    await assert.rejects(
      async () => subject.write(...batch),
      (error) => SluiceError.is(error, 'ERR_STORAGE_FULL'),
    );
    assert.deepEqual(await subject.offsets('kept'), [0, 1, 2]);
    assert.deepEqual(await subject.offsets('new'), []);
  });

  check('full: a refused batch takes no offsets', async (subject) => {
    const written = await fillUp(subject, 'log');
    await subject.write(drop('log', 0, written));
    const cursor = append('log');
    await subject.write(cursor);
    assert.equal(cursor.offset, written);
  });

  check('full: what carries no body goes on', async (subject) => {
    await subject.fill('removed', 3);
    const written = await fillUp(subject, 'log');
    for (const offset of numbers(100)) {
      const delta = append('cursor', undefined, { settled: offset });
      await subject.write(delta, drop('cursor', 0, offset));
      assert.equal(delta.offset, offset);
    }
    await subject.write(drop('log', 0, 1), remove('removed'));
    assert.deepEqual(await subject.offsets('cursor'), [99]);
    assert.deepEqual(await subject.offsets('log'), numbers(1, written));
  });
}
