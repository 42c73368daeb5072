import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { fill, onEachStorage, schemaOf } from '../fixtures.js';

onEachStorage('Looking into a queue with peek', (open) => {
  it('shows ready and delayed messages, oldest first, and leaves them where they are', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a');
    await queue.send('b', { delay: '1h' });
    await queue.send('c', { id: 'x', key: 'k', headers: { h: 1 } });
    const before = queue.stats();
    const messages = await queue.peek();
    expect(messages.map(({ body }) => body)).toEqual(['a', 'b', 'c']);
    expect(messages[2]).toMatchObject({
      id: 'x',
      key: 'k',
      headers: { h: 1 },
      source: 'orders',
      attempt: 1,
      deliveries: 0,
    });
    expect(queue.stats()).toEqual(before);
    expect((await queue.receive())!.body).toBe('a');
  });

  it('shows the oldest first, across levels and within a millisecond', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { priorities: 3 });
    for (let n = 0; n < 6; n++) await queue.send(n, { priority: n % 3 });
    expect((await queue.peek()).map(({ body }) => body)).toEqual([0, 1, 2, 3, 4, 5]);
    expect((await queue.peek(2)).map(({ body }) => body)).toEqual([0, 1]);
  });

  it('shows 100 messages by default, and as many as asked for', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 700);
    expect(await queue.peek()).toHaveLength(100);
    expect(await queue.peek(0)).toEqual([]);
    expect((await queue.peek(3)).map(({ body }) => body)).toEqual([0, 1, 2]);
    const all = await queue.peek(10_000);
    expect(all.map(({ body }) => body)).toEqual(Array.from({ length: 700 }, (_, n) => n));
  });

  it('does not show what is in hand or settled', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 5);
    await queue.receive();
    (await queue.receive())!.ack();
    expect((await queue.peek()).map(({ body }) => body)).toEqual([2, 3, 4]);
  });

  it('tells how often a message was tried', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { retry: { backoff: fixed('1h') } });
    await queue.send('failed');
    await queue.send('given back');
    (await queue.receive())!.nack();
    (await queue.receive())!.requeue();
    const messages = await queue.peek();
    expect(messages.map(({ body, attempt, deliveries }) => [body, attempt, deliveries])).toEqual([
      ['failed', 2, 1],
      ['given back', 1, 1],
    ]);
  });

  it('shows what waits for the turn of its key', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { ordering: 'key' });
    for (let n = 0; n < 4; n++) await queue.send(n, { key: 'k' });
    await queue.receive();
    expect(await queue.receive()).toBeUndefined();
    expect((await queue.peek()).map(({ body }) => body)).toEqual([1, 2, 3]);
  });

  it('tells how often one was tried that waits for the turn of its key', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    queue.consumeBatch((batch) => void batch[1]!.requeue(), { ack: 'manual', size: 2 });
    await queue.sendMany([
      { body: 'first', key: 'k' },
      { body: 'second', key: 'k' },
    ]);
    await quiet();
    expect(await queue.receive()).toBeUndefined();
    expect(await queue.peek()).toMatchObject([{ body: 'second', deliveries: 1 }]);
  });

  it('shows the body as it was stored, without asking the schema', async () => {
    const { broker } = await open();
    const schema = schemaOf((total: number) => ({ total }));
    const queue = broker.queue('orders', { schema });
    await queue.send(5);
    expect((await queue.peek())[0]!.body).toBe(5);
  });

  it('finds nothing in an empty queue', async () => {
    const { broker } = await open();
    expect(await broker.queue('orders').peek()).toEqual([]);
  });

  it('gives messages without verbs: JSON of one shows what it is', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const { id } = await queue.send(1);
    const [message] = await queue.peek();
    expect(message).not.toHaveProperty('ack');
    expect(JSON.parse(JSON.stringify(message))).toEqual({
      id,
      body: 1,
      headers: {},
      priority: 0,
      timestamp: new Date(clock.now()).toJSON(),
      source: 'orders',
      attempt: 1,
      deliveries: 0,
      deaths: [],
    });
  });
});
