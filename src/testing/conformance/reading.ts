import assert from 'node:assert/strict';
import { append, type Check, drop, numbers } from './subject.js';

const everything = { entries: 1000, bytes: 1 << 24 };

/** Reads: in order, within limits, and never in need of a second question to find what there is. */
export function reading(check: Check): void {
  check('read: begins at the offset asked for', async (subject) => {
    await subject.fill('log', 10);
    assert.deepEqual(await subject.offsets('log', 0), numbers(10));
    assert.deepEqual(await subject.offsets('log', 4), numbers(4, 10));
    assert.deepEqual(await subject.offsets('log', 9), [9]);
  });

  check('read: at the end, behind it, and in a log that nobody wrote to, there is nothing', async ({ storage }) => {
    await storage.write([append('log', 'x')]);
    assert.deepEqual(await storage.read('log', 1, everything), []);
    assert.deepEqual(await storage.read('log', 1_000_000, everything), []);
    assert.deepEqual(await storage.read('other', 0, everything), []);
  });

  check('read: reading makes no log', async (subject) => {
    await subject.storage.read('log', 5, everything);
    assert.deepEqual(await subject.append('log', 'x'), [0]);
  });

  check('read: gives at most limit.entries', async (subject) => {
    await subject.fill('log', 50);
    for (const entries of [1, 2, 7, 49]) {
      const page = await subject.storage.read('log', 3, { entries, bytes: everything.bytes });
      assert.ok(page.length >= 1 && page.length <= entries, `${page.length} entries for a limit of ${entries}`);
      assert.equal(page[0]?.offset, 3);
    }
  });

  check('read: gives about limit.bytes', async (subject) => {
    for (const i of numbers(20)) await subject.append('log', `${i}`.padEnd(100_000));
    const page = await subject.storage.read('log', 0, { entries: 100, bytes: 250_000 });
    assert.ok(page.length >= 1 && page.length <= 10, `${page.length} entries of 100,000 bytes for a limit of 250,000`);
  });

  check('read: gives an entry however large it is, if there is one', async (subject) => {
    await subject.append('log', 'x'.repeat(500_000), new Uint8Array(500_000));
    for (const from of [0, 1]) {
      const page = await subject.storage.read('log', from, { entries: 1, bytes: 1 });
      assert.deepEqual(
        page.map(({ offset }) => offset),
        [from],
      );
    }
  });

  check('read: reading on from the last offset finds every entry once', async (subject) => {
    for (const batch of numbers(30)) await subject.append('log', ...numbers(batch % 7).map((i) => `${batch} ${i}`));
    const written = numbers(30).flatMap((batch) => numbers(batch % 7).map((i) => `${batch} ${i}`));
    const limits = [
      { entries: 1, bytes: 1 << 20 },
      { entries: 3, bytes: 1 << 20 },
      { entries: 1000, bytes: 1 << 20 },
      { entries: 1000, bytes: 100 },
    ];
    for (const limit of limits) {
      const found: unknown[] = [];
      for (let from = 0; ;) {
        const page = await subject.storage.read('log', from, limit);
        if (page.length === 0) break;
        for (const { offset, entry } of page) {
          assert.equal(offset, found.length);
          found.push(entry.body);
        }
        from = found.length;
      }
      assert.deepEqual(found, written);
    }
  });

  check('read: takes nothing away', async (subject) => {
    await subject.fill('log', 5);
    const first = await subject.bodies('log');
    assert.deepEqual(await subject.bodies('log'), first);
    assert.equal(first.length, 5);
  });

  check('read: many at once do not disturb each other', async (subject) => {
    await subject.fill('a', 100);
    await subject.fill('b', 100);
    const reads = numbers(100).map(async (from) => {
      const log = from % 2 === 0 ? 'a' : 'b';
      const page = await subject.storage.read(log, from, { entries: 3, bytes: 1 << 20 });
      assert.deepEqual([page[0]?.offset, page[0]?.entry.body], [from, String(from)]);
    });
    await Promise.all(reads);
  });

  check('read: a limit counts entries, not the holes between them', async (subject) => {
    await subject.fill('log', 3000);
    await subject.write(drop('log', 1, 2999));
    const first = await subject.storage.read('log', 0, { entries: 1, bytes: 1 });
    assert.equal(first[0]?.offset, 0);
    const second = await subject.storage.read('log', 1, { entries: 1, bytes: 1 });
    assert.equal(second[0]?.offset, 2999);
  });

  check('read: sees no half of a batch', async (subject) => {
    const { storage } = subject;
    const reads: Promise<void>[] = [];
    const writes: unknown[] = [];
    for (const round of numbers(20)) {
      writes.push(storage.write([append('a', `${round}`), append('a', `${round}`), append('b', `${round}`)]));
      reads.push(
        (async () => {
          const a = await storage.read('a', 0, everything);
          const b = await storage.read('b', 0, everything);
          assert.equal(a.length % 2, 0, `${a.length} entries of batches that append two`);
          assert.ok(b.length * 2 >= a.length, 'one log shows a batch that the other does not');
        })(),
      );
    }
    await Promise.all([...writes, ...reads]);
    assert.deepEqual(await subject.offsets('a'), numbers(40));
  });
}
