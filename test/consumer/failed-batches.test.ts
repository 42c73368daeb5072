import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { fill, onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A batch that fails', (open) => {
  it('comes back one by one, so that a bad message takes no neighbour to the dead letters', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 2, backoff: fixed(10) } });
    const batches: number[][] = [];
    queue.consumeBatch((batch) => {
      batches.push(batch.map(({ body }) => body));
      if (batch.some(({ body }) => body === 2)) throw new Error('two');
    });
    await fill(queue, 5);
    await clock.advance(100);
    expect(batches).toEqual([[0, 1, 2, 3, 4], [0], [1], [2], [3], [4], [2]]);
    expect(queue.stats()).toMatchObject({ acked: 4, deadLettered: 1, ready: 0 });
    expect(await waiting(queue.deadLetters!)).toEqual([2]);
  });

  it('counts a delivery, but no attempt, for those that were in it', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
    const seen: { body: number; attempt: number; deliveries: number }[] = [];
    queue.consumeBatch((batch) => {
      for (const { body, attempt, deliveries } of batch) seen.push({ body, attempt, deliveries });
      throw new Error('no');
    });
    await fill(queue, 2);
    await quiet();
    expect(seen).toEqual([
      { body: 0, attempt: 1, deliveries: 1 },
      { body: 1, attempt: 1, deliveries: 1 },
      { body: 0, attempt: 1, deliveries: 2 },
      { body: 1, attempt: 1, deliveries: 2 },
    ]);
    expect(queue.stats()).toMatchObject({ retried: 0, deadLettered: 2 });
  });

  it('of one message counts an attempt', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 3, backoff: fixed(10) } });
    const attempts: number[] = [];
    queue.consumeBatch((batch) => {
      attempts.push(batch[0]!.attempt);
      throw new Error('no');
    });
    await queue.send(1);
    await clock.advance(100);
    expect(attempts).toEqual([1, 2, 3]);
    expect(queue.stats().deadLettered).toBe(1);
  });

  it('leaves those alone that it settled before it threw', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
    const batches: number[][] = [];
    queue.consumeBatch((batch) => {
      batches.push(batch.map(({ body }) => body));
      for (const message of batch) if (message.body < 2) message.ack();
      if (batch.length > 1) throw new Error('no');
    });
    await fill(queue, 4);
    await clock.advance(10);
    expect(batches).toEqual([[0, 1, 2, 3], [2], [3]]);
    expect(queue.stats()).toMatchObject({ acked: 4, deadLettered: 0 });
  });

  it('comes back one by one with ack `manual` as well', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const batches: number[][] = [];
    queue.consumeBatch(
      (batch) => {
        batches.push(batch.map(({ body }) => body));
        if (batch.length > 1) throw new Error('no');
        batch[0]!.ack();
      },
      { ack: 'manual' },
    );
    await fill(queue, 3);
    await clock.advance(10);
    expect(batches).toEqual([[0, 1, 2], [0], [1], [2]]);
    expect(queue.stats()).toMatchObject({ acked: 3, unacked: 0 });
  });

  it('is followed by full batches again', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const sizes: number[] = [];
    let fails = true;
    queue.consumeBatch((batch) => {
      sizes.push(batch.length);
      if (fails) {
        fails = false;
        throw new Error('once');
      }
    });
    await fill(queue, 3);
    await quiet();
    await fill(queue, 4);
    await quiet();
    expect(sizes).toEqual([3, 1, 1, 1, 4]);
  });

  it('keeps those that come one by one before those that wait behind them', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const batches: number[][] = [];
    queue.consumeBatch(
      (batch) => {
        batches.push(batch.map(({ body }) => body));
        if (batches.length === 1) throw new Error('once');
      },
      { size: 3 },
    );
    await fill(queue, 6);
    await quiet();
    expect(batches).toEqual([[0, 1, 2], [0], [1], [2], [3, 4, 5]]);
  });

  it('may be taken over one by one by a consumer of single messages', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const batch = queue.consumeBatch(() => {
      queue.pause();
      throw new Error('no');
    });
    await fill(queue, 3);
    await quiet();
    await batch.close();
    const handled: [number, number][] = [];
    queue.consume(({ body, attempt }) => void handled.push([body, attempt]));
    queue.resume();
    await quiet();
    expect(handled).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });
});
