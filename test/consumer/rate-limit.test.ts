import { expect, it } from 'vitest';
import { fill, onEachStorage } from '../fixtures.js';

onEachStorage('A consumer with a rate limit', (open) => {
  it('starts with a full bucket, then gets a token every per/max', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const start = clock.now();
    const handled: number[] = [];
    queue.consume(() => void handled.push(clock.now() - start), { rateLimit: { max: 4, per: '1s' } });
    await fill(queue, 10);
    await clock.advance('10s');
    expect(handled).toEqual([0, 0, 0, 0, 250, 500, 750, 1000, 1250, 1500]);
  });

  it('fills its bucket while it has nothing to do, and no more than that', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    let handled = 0;
    queue.consume(() => void handled++, { rateLimit: { max: 3, per: '3s' } });
    await fill(queue, 3);
    await clock.advance('1h');
    handled = 0;
    await fill(queue, 10);
    await clock.advance(0);
    expect(handled).toBe(3);
    await clock.advance('2s');
    expect(handled).toBe(5);
  });

  it('counts messages, not batches', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const sizes: number[] = [];
    await fill(queue, 20);
    queue.consumeBatch((batch) => void sizes.push(batch.length), { size: 4, rateLimit: { max: 6, per: '1m' } });
    await quiet();
    expect(sizes).toEqual([4, 2]);
    await clock.advance('1m');
    expect(sizes.reduce((sum, size) => sum + size)).toBe(12);
  });

  it('is of its own for each consumer', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const handled = { slow: 0, fast: 0 };
    queue.consume(() => void handled.slow++, { rateLimit: { max: 1, per: '1s' } });
    queue.consume(() => void handled.fast++);
    await fill(queue, 20);
    await clock.advance(0);
    expect(handled).toEqual({ slow: 1, fast: 19 });
  });

  it('spends no token on what expires', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    const handled: string[] = [];
    queue.consume(({ body }) => void handled.push(body), { rateLimit: { max: 1, per: '1s' } });
    await queue.send('first');
    await queue.send('expires', { ttl: 500 });
    await queue.send('second');
    await clock.advance('1s');
    expect(handled).toEqual(['first', 'second']);
  });

  it('sets no timer while there is nothing to take', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: false });
    queue.consume(() => undefined, { rateLimit: { max: 1, per: '1s' } });
    await queue.send(1);
    await clock.advance('10s');
    expect(clock.pending()).toBe(0);
  });

  it('makes progress at odd rates without drifting', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    let handled = 0;
    queue.consume(() => void handled++, { rateLimit: { max: 7, per: '1s' } });
    await fill(queue, 100);
    await clock.advance('10s');
    expect(handled).toBeGreaterThanOrEqual(7 + 69);
    expect(handled).toBeLessThanOrEqual(7 + 70);
  });

  it('loses no message when it is closed while it waits for a token', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const consumer = queue.consume(() => undefined, { rateLimit: { max: 1, per: '1h' } });
    await fill(queue, 3);
    await quiet();
    await consumer.close();
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 2, unacked: 0 });
  });
});
