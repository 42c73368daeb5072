import { expect, it } from 'vitest';
import { deferred, fill, onEachStorage } from '../fixtures.js';

onEachStorage('A batch consumer', (open) => {
  it('gets what is there in one array, oldest first, and acknowledges all when it returns', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 5);
    const batches: number[][] = [];
    queue.consumeBatch((batch) => void batches.push(batch.map(({ body }) => body)));
    await quiet();
    expect(batches).toEqual([[0, 1, 2, 3, 4]]);
    expect(queue.stats()).toMatchObject({ acked: 5, unacked: 0 });
  });

  it('gets at most `size` at once, 100 by default', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 250);
    const sizes: number[] = [];
    const consumer = queue.consumeBatch((batch) => void sizes.push(batch.length));
    await quiet();
    expect(sizes).toEqual([100, 100, 50]);
    await consumer.close();
    await fill(queue, 7);
    sizes.length = 0;
    queue.consumeBatch((batch) => void sizes.push(batch.length), { size: 3 });
    await quiet();
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('is never called with an empty batch', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const sizes: number[] = [];
    queue.consumeBatch((batch) => void sizes.push(batch.length), { wait: 10 });
    await clock.advance(100);
    await queue.send(1);
    await clock.advance(100);
    expect(sizes).toEqual([1]);
  });

  it('waits with `wait` for a full batch, from its first message', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const batches: number[][] = [];
    queue.consumeBatch((batch) => void batches.push(batch.map(({ body }) => body)), { size: 3, wait: '1s' });
    await queue.send(0);
    await clock.advance(600);
    await queue.send(1);
    await clock.advance(399);
    expect(batches).toEqual([]);
    await clock.advance(1);
    expect(batches).toEqual([[0, 1]]);
    await fill(queue, 3);
    await quiet();
    expect(batches).toEqual([
      [0, 1],
      [0, 1, 2],
    ]);
  });

  it('waits anew for each batch', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const sizes: [number, number][] = [];
    const start = clock.now();
    queue.consumeBatch((batch) => void sizes.push([clock.now() - start, batch.length]), { size: 10, wait: 100 });
    for (let n = 0; n < 12; n++) {
      await queue.send(n);
      await clock.advance(30);
    }
    await clock.advance(200);
    expect(sizes).toEqual([
      [100, 4],
      [220, 4],
      [340, 4],
    ]);
  });

  it('does not wait any more when it is closed: what it holds is handled', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const batches: number[][] = [];
    const consumer = queue.consumeBatch((batch) => void batches.push(batch.map(({ body }) => body)), {
      size: 3,
      wait: '1h',
    });
    await fill(queue, 2);
    await quiet();
    expect(batches).toEqual([]);
    await consumer.close();
    expect(batches).toEqual([[0, 1]]);
    expect(queue.stats()).toMatchObject({ acked: 2, unacked: 0 });
  });

  it('handles as many batches at once as its concurrency says', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    const sizes: number[] = [];
    queue.consumeBatch(
      (batch) => {
        sizes.push(batch.length);
        return gate.promise;
      },
      { size: 2, concurrency: 2 },
    );
    await fill(queue, 10);
    await quiet();
    expect(sizes).toEqual([2, 2]);
    expect(queue.stats().unacked).toBe(4);
    gate.resolve();
    await quiet();
    expect(sizes).toEqual([2, 2, 2, 2, 2]);
  });

  it('settles by verbs first, and the rest when it returns', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consumeBatch((batch) => {
      batch[0]!.reject();
      batch[1]!.requeue({ delay: '1h' });
    });
    await fill(queue, 4);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 2, deadLettered: 1, delayed: 1, unacked: 0 });
  });

  it('settles nothing by returning with ack `manual`', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consumeBatch((batch) => void batch[0]!.ack(), { ack: 'manual' });
    await fill(queue, 3);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 1, unacked: 2 });
  });

  it('gets an array of its own: changing it settles nothing less', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consumeBatch((batch) => void (batch as unknown[]).splice(0));
    await fill(queue, 3);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 3, unacked: 0 });
  });

  it('gives every message of the batch its own attempt, id and body', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(0);
    (await queue.receive())!.nack({ delay: 0 });
    await queue.send(1);
    const seen: unknown[] = [];
    queue.consumeBatch((batch) => void seen.push(batch.map(({ body, attempt, source }) => [body, attempt, source])));
    await quiet();
    expect(seen).toEqual([
      [
        [0, 2, 'orders'],
        [1, 1, 'orders'],
      ],
    ]);
  });

  it('takes only what its prefetch allows, counted in messages', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const handler = (): void => undefined;
    expect(() => queue.consumeBatch(handler, { size: 10, prefetch: 9 })).toThrow(RangeError);
    expect(() => queue.consumeBatch(handler, { size: 5, concurrency: 2, prefetch: 9 })).toThrow(RangeError);
    expect(() => queue.consumeBatch(handler, { prefetch: 99 })).toThrow(RangeError);
    await queue.consumeBatch(handler, { size: 5, concurrency: 2, prefetch: 10 }).close();
  });
});
