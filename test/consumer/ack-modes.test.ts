import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { deferred, fill, onEachStorage } from '../fixtures.js';

onEachStorage('A consumer with ack `auto`', (open) => {
  it('acknowledges when the handler returns, or its promise resolves, and not before', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    queue.consume(({ body }) => (body === 0 ? undefined : gate.promise));
    await fill(queue, 2);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 1, unacked: 1 });
    gate.resolve();
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 2, unacked: 0 });
  });

  it.each<[string, () => unknown]>([
    ['false', () => false],
    ['an error, unthrown', () => new Error('just a value')],
    ['null', () => null],
  ])('acknowledges whatever is returned: %s', async (_, handler) => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(handler);
    await queue.send(1);
    await quiet();
    expect(queue.stats().acked).toBe(1);
  });

  it('leaves a message to the verb that the handler called', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders');
    queue.consume((message) => {
      if (message.attempt > 1 || message.deliveries > 1) return;
      if (message.body === 'requeue') message.requeue();
      if (message.body === 'nack') message.nack({ delay: 0 });
      if (message.body === 'reject') message.reject();
      if (message.body === 'ack') message.ack();
    });
    for (const body of ['requeue', 'nack', 'reject', 'ack']) await queue.send(body);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 3, deadLettered: 1, retried: 1, delivered: 6 });
  });

  it('does not nack what the handler settled before it threw', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume((message) => {
      message.ack();
      throw new Error('too late');
    });
    await queue.send(1);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 1, retried: 0, deadLettered: 0 });
  });
});

onEachStorage('A consumer with ack `manual`', (open) => {
  it('settles by the verbs alone: returning settles nothing', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const held: Delivery<number>[] = [];
    queue.consume((message) => void held.push(message), { ack: 'manual', prefetch: 10 });
    await fill(queue, 3);
    await quiet();
    expect(queue.stats()).toMatchObject({ unacked: 3, acked: 0 });
    expect(held[1]!.ack()).toBe(true);
    expect(held[0]!.reject()).toBe(true);
    expect(held[2]!.requeue({ delay: '1h' })).toBe(true);
    await quiet();
    expect(queue.stats()).toMatchObject({ unacked: 0, acked: 1, deadLettered: 1, delayed: 1 });
  });

  it('nacks what is unsettled when the handler throws', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { backoff: fixed('1h') } });
    queue.consume(() => Promise.reject(new Error('no')), { ack: 'manual' });
    await queue.send(1);
    await quiet();
    expect(queue.stats()).toMatchObject({ unacked: 0, delayed: 1, retried: 1 });
  });

  it('goes on with the next message when its handler returned, up to its prefetch', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const held: Delivery<number>[] = [];
    queue.consume((message) => void held.push(message), { ack: 'manual', concurrency: 1, prefetch: 4 });
    await fill(queue, 10);
    await quiet();
    expect(held.map(({ body }) => body)).toEqual([0, 1, 2, 3]);
    held[2]!.ack();
    await quiet();
    expect(held.map(({ body }) => body)).toEqual([0, 1, 2, 3, 4]);
  });

  it('may settle long after the handler returned, from anywhere', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    let held: Delivery<number> | undefined;
    queue.consume((message) => void (held = message), { ack: 'manual' });
    await queue.send(1);
    await quiet();
    await clock.advance('10m');
    expect(held!.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ acked: 1, unacked: 0 });
  });
});

onEachStorage('A consumer with ack `none`', (open) => {
  it('settles before the handler runs: at most once', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const acked: number[] = [];
    queue.consume(
      (message) => {
        acked.push(queue.stats().acked);
        expect(message.ack()).toBe(false);
        expect(message.nack()).toBe(false);
      },
      { ack: 'none' },
    );
    await fill(queue, 3);
    await quiet();
    expect(acked).toEqual([1, 2, 3]);
    expect(queue.stats()).toMatchObject({ acked: 3, unacked: 0 });
  });

  it('reports what the handler throws as an error, and does not deliver again', async () => {
    const { broker, clock, reported } = await open();
    const queue = broker.queue<number>('orders');
    let handled = 0;
    queue.consume(
      () => {
        handled++;
        return Promise.reject(new Error('no'));
      },
      { ack: 'none' },
    );
    await queue.send(1);
    await clock.advance('1h');
    expect(handled).toBe(1);
    expect(reported().map(({ message }) => message)).toEqual(['no']);
    expect(queue.stats()).toMatchObject({ acked: 1, retried: 0, deadLettered: 0 });
  });

  it('runs as many handlers at once as its concurrency allows', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    let running = 0;
    queue.consume(
      () => {
        running++;
        return gate.promise;
      },
      { ack: 'none', concurrency: 2 },
    );
    await fill(queue, 5);
    await quiet();
    expect(running).toBe(2);
    gate.resolve();
    await quiet();
    expect(running).toBe(5);
  });

  it('works with batches: all are settled before the handler runs', async () => {
    const { broker, quiet, reported } = await open();
    const queue = broker.queue<number>('orders');
    queue.consumeBatch(
      () => {
        expect(queue.stats()).toMatchObject({ acked: 3, unacked: 0 });
        throw new Error('no');
      },
      { ack: 'none' },
    );
    await fill(queue, 3);
    await quiet();
    expect(reported().map(({ message }) => message)).toEqual(['no']);
  });
});
