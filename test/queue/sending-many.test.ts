import { expect, it } from 'vitest';
import { FaultyStorage } from '../../src/testing/index.js';
import { MemoryStorage } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('Sending many messages at once', (open) => {
  it('stores all of them in order, and resolves with a receipt for each', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    const receipts = await queue.sendMany([{ body: 'a', id: 'first' }, { body: 'b' }, { body: 'c', id: 'third' }]);
    expect(receipts.map(({ destinations }) => destinations)).toEqual([['orders'], ['orders'], ['orders']]);
    expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, false, false]);
    expect([receipts[0]!.id, receipts[2]!.id]).toEqual(['first', 'third']);
    const stored = await queue.peek();
    expect(stored.map(({ body }) => body)).toEqual(['a', 'b', 'c']);
    expect(stored.map(({ id }) => id)).toEqual(receipts.map(({ id }) => id));
  });

  it('stores them in one write', async () => {
    const batches: number[] = [];
    const storage = new MemoryStorage();
    const write = storage.write.bind(storage);
    storage.write = (batch) => {
      batches.push(batch.length);
      return write(batch);
    };
    const { broker } = await open({ storage });
    await broker.queue<number>('orders').sendMany([{ body: 1 }, { body: 2 }, { body: 3 }]);
    expect(batches).toEqual([3]);
  });

  it('takes options for each message', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.sendMany([
      { body: 'now', headers: { n: 1 }, key: 'k', priority: 2 },
      { body: 'later', delay: '1s' },
    ]);
    expect(queue.stats()).toMatchObject({ ready: 1, delayed: 1 });
    const message = (await queue.receive())!;
    expect(message).toMatchObject({ body: 'now', headers: { n: 1 }, key: 'k', priority: 2 });
  });

  it('resolves with nothing for nothing', async () => {
    const { broker } = await open();
    expect(await broker.queue('orders').sendMany([])).toEqual([]);
  });

  it.each([
    ['a body that cannot be encoded', { body: 1n }, { code: 'ERR_NOT_SERIALIZABLE' }],
    ['a body that is too large', { body: 'x'.repeat(100) }, { code: 'ERR_MESSAGE_TOO_LARGE' }],
    ['a wrong option', { body: 1, delay: -1 }, { name: 'RangeError' }],
    ['no body', {}, { code: 'ERR_NOT_SERIALIZABLE' }],
    ['something that is no message', null, { name: 'TypeError' }],
  ])('stores none of them where one has %s', async (_, bad, expected) => {
    const { broker } = await open({ maxMessageBytes: 50 });
    const queue = broker.queue('orders');
    await expect(queue.sendMany([{ body: 'good' }, bad as { body: unknown }, { body: 'good' }])).rejects.toMatchObject(
      expected,
    );
    expect(queue.stats().accepted).toBe(0);
    expect(await waiting(queue)).toEqual([]);
  });

  it('names which of them is wrong', async () => {
    const { broker } = await open();
    const wrong = [{ body: 1 }, { body: 2, colour: 'red' }];
    await expect(broker.queue('orders').sendMany(wrong)).rejects.toThrow(/sendMany\(\)\[1\].*"colour"/);
  });

  it('stores none of them where the storage fails, and all of them at the next try', async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const { broker } = await open({ storage });
    const queue = broker.queue<string>('orders');
    storage.failNext('write');
    const messages = [{ body: 'a' }, { body: 'b' }];
    await expect(queue.sendMany(messages)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    expect(queue.stats()).toMatchObject({ accepted: 0, ready: 0, bytes: 0 });
    await queue.sendMany(messages);
    expect(await waiting(queue)).toEqual(['a', 'b']);
  });
});
