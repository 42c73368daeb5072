import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { fill, onEachStorage } from '../fixtures.js';

onEachStorage('The stats of a queue', (open) => {
  it('are all there, and 0, for a new queue', async () => {
    const { broker } = await open();
    expect(broker.queue('orders').stats()).toEqual({
      name: 'orders',
      ready: 0,
      delayed: 0,
      unacked: 0,
      bytes: 0,
      consumers: 0,
      accepted: 0,
      delivered: 0,
      acked: 0,
      retried: 0,
      deadLettered: 0,
      dropped: 0,
      removed: 0,
      deduplicated: 0,
      lost: 0,
      declared: true,
    });
  });

  it('follow a message through every state', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders', { retry: { attempts: 2, backoff: fixed(10) } });
    await queue.send('a', { delay: 10 });
    expect(queue.stats()).toMatchObject({ accepted: 1, delayed: 1, ready: 0, bytes: 3 });
    await clock.advance(10);
    expect(queue.stats()).toMatchObject({ delayed: 0, ready: 1, bytes: 3 });
    const first = (await queue.receive())!;
    expect(queue.stats()).toMatchObject({ ready: 0, unacked: 1, delivered: 1, bytes: 0 });
    first.requeue();
    expect(queue.stats()).toMatchObject({ ready: 1, unacked: 0, retried: 0, bytes: 3 });
    (await queue.receive())!.nack();
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 1, retried: 1, delivered: 2 });
    await clock.advance(10);
    (await queue.receive())!.reject();
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ ready: 0, unacked: 0, deadLettered: 1, retried: 1, delivered: 3, bytes: 0 });
    expect(queue.deadLetters!.stats()).toMatchObject({ accepted: 1, ready: 1, bytes: 3 });
  });

  it('count consumers from consume() to the end of close()', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const first = queue.consume(() => undefined);
    queue.consume(() => undefined);
    expect(queue.stats().consumers).toBe(2);
    await first.close();
    expect(queue.stats().consumers).toBe(1);
  });

  it('name the time of the oldest message that is ready', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders');
    const start = clock.now();
    expect(queue.stats().oldest).toBeUndefined();
    await queue.send('a');
    await clock.advance(5);
    await queue.send('b');
    expect(queue.stats().oldest).toEqual(new Date(start));
    (await queue.receive())!.ack();
    expect(queue.stats().oldest).toEqual(new Date(start + 5));
  });

  it('are a snapshot: they do not change afterwards', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const before = queue.stats();
    await queue.send('a');
    expect(before.accepted).toBe(0);
    expect(broker.stats().queues).toEqual([queue.stats()]);
  });

  it('count encoded bodies in bytes, and none when the queue is empty, whatever was read back', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders', { retry: { attempts: 2, backoff: fixed(10) } });
    await queue.sendMany(Array.from({ length: 1200 }, () => ({ body: 'a', headers: { h: 1 } })));
    expect(queue.stats().bytes).toBe(1200 * '"a"'.length);
    queue.consume(({ attempt }) => {
      if (attempt === 1) throw new Error('no');
    });
    await clock.advance(20);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, bytes: 0, acked: 1200 });
  });

  it('are plain JSON but for dates', async () => {
    const { broker } = await open();
    await fill(broker.queue<number>('orders'), 3);
    const stats = broker.stats();
    const copy = JSON.parse(JSON.stringify(stats)) as typeof stats;
    expect(copy.queues[0]).toEqual({ ...stats.queues[0], oldest: stats.queues[0]!.oldest!.toJSON() });
    expect(copy.storage).toEqual(stats.storage);
  });
});
