import { expect, it } from 'vitest';
import { fixed, type QueueOptions } from '../../src/index.js';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

onEachStorage('A queue with maxLength', (open) => {
  it('rejects what does not fit with ERR_QUEUE_FULL by default, naming queue and limit', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2 });
    await fill(queue, 2);
    await expect(queue.send(3)).rejects.toMatchObject({
      code: 'ERR_QUEUE_FULL',
      details: { queue: 'orders', maxLength: 2 },
    });
    expect(queue.stats()).toMatchObject({ ready: 2, accepted: 2 });
  });

  it('has room again for each message that is taken, since what is in hand does not count', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2 });
    await fill(queue, 2);
    const first = (await queue.receive())!;
    await queue.send(3);
    await expect(queue.send(4)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    first.ack();
    await expect(queue.send(4)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  });

  it('counts what is delayed or backs off', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, retry: { backoff: fixed('1h') } });
    await queue.send(1);
    await queue.send(2, { delay: '1h' });
    const first = (await queue.receive())!;
    first.nack();
    await expect(queue.send(3)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 2 });
  });

  it('always lets a message back that it gave out', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, retry: { backoff: fixed(10) } });
    await queue.send(1);
    const first = (await queue.receive())!;
    await queue.send(2);
    first.nack();
    await clock.advance(10);
    expect(queue.stats()).toMatchObject({ ready: 2, accepted: 2 });
    expect(await waiting(queue)).toEqual([1, 2]);
  });

  it('counts sends that are under way, so that no burst gets past it', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 3 });
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => queue.send(n)));
    expect(results.map(({ status }) => status)).toEqual([
      ...Array.from({ length: 3 }, () => 'fulfilled'),
      ...Array.from({ length: 7 }, () => 'rejected'),
    ]);
    expect(await waiting(queue)).toEqual([0, 1, 2]);
  });

  it('takes many at once only where all fit', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 3 });
    await fill(queue, 2);
    await expect(queue.sendMany([{ body: 7 }, { body: 8 }])).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(queue.stats().accepted).toBe(2);
    await queue.sendMany([{ body: 7 }]);
  });

  it('has room again after a purge, and after messages expired', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    await queue.purge();
    await queue.send(2, { ttl: 10 });
    await clock.advance(10);
    await queue.send(3);
    expect(await waiting(queue)).toEqual([3]);
  });
});

onEachStorage('A queue with maxLength 0', (open) => {
  it('takes nothing while nobody waits for it', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0 });
    await expect(queue.send(1)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(queue.stats().accepted).toBe(0);
  });

  it('hands over to a consumer that waits, one message per free slot', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0 });
    const held: number[] = [];
    queue.consume(
      ({ body }) => {
        held.push(body);
        return new Promise(() => undefined);
      },
      { concurrency: 2 },
    );
    await quiet();
    await queue.send(1);
    await quiet();
    await queue.send(2);
    await quiet();
    await expect(queue.send(3)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(held).toEqual([1, 2]);
  });

  it('hands over to a receive() that waits', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0 });
    const received = queue.receive({ wait: '1m' });
    await quiet();
    await queue.send(1);
    expect((await received)!.body).toBe(1);
    await expect(queue.send(2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  });

  it('hands over what its consumer has room for, not more', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'block' });
    queue.consume(() => undefined, { ack: 'manual', concurrency: 2, prefetch: 3 });
    for (const body of [1, 2]) await queue.send(body);
    await quiet();
    const sent = [watch(queue.send(3)), watch(queue.send(4))];
    await quiet();
    expect(sent.map(({ state }) => state)).toEqual(['resolved', 'pending']);
    expect(queue.stats()).toMatchObject({ unacked: 3, ready: 0 });
  });

  it('hands over nothing of a key of which another one is there', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'block', ordering: 'key' });
    const source = broker.queue('source', { deadLetter: queue, retry: { attempts: 1 } });
    queue.pause();
    queue.consume(() => undefined, { ack: 'manual', concurrency: 3 });
    await source.send(1, { key: 'k' });
    (await source.receive())!.nack();
    await quiet();
    const sent = watch(queue.send(2, { key: 'k' }));
    await quiet();
    queue.resume();
    await quiet();
    expect(sent.state).toBe('pending');
    expect(queue.stats()).toMatchObject({ unacked: 1, ready: 0 });
  });

  it('hands over the last of several to who waits, and drops the others, where it is a ring', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'drop-head' });
    const received = queue.receive({ wait: '1m' });
    await quiet();
    await fill(queue, 3);
    expect((await received)!.body).toBe(2);
    await quiet();
    expect(queue.stats()).toMatchObject({ accepted: 3, dropped: 2, ready: 0 });
  });

  it('refuses a delayed message, which cannot be handed over', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0 });
    queue.consume(() => undefined);
    await quiet();
    await expect(queue.send(1, { delay: 10 })).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(queue.stats().accepted).toBe(0);
  });

  it.each<QueueOptions['overflow']>(['drop-head', 'dead-letter'])(
    'with overflow %s hands over to who waits, and keeps nothing otherwise',
    async (overflow) => {
      const { broker, quiet } = await open();
      const queue = broker.queue<number>('orders', { maxLength: 0, overflow: overflow! });
      await queue.send(1);
      await quiet();
      expect(queue.stats()).toMatchObject({ ready: 0, accepted: 1 });
      const handled: number[] = [];
      queue.consume(({ body }) => void handled.push(body));
      await quiet();
      await queue.send(2);
      await quiet();
      expect(handled).toEqual([2]);
    },
  );
});

onEachStorage('A queue with maxBytes', (open) => {
  it('counts the encoded bytes of what is ready or delayed', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { maxBytes: 10 });
    await queue.send('abc');
    await queue.send('é', { delay: '1h' });
    expect(queue.stats().bytes).toBe(9);
    await expect(queue.send('')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    const first = (await queue.receive())!;
    expect(queue.stats().bytes).toBe(4);
    await queue.send('abcd');
    first.requeue();
    expect(queue.stats().bytes).toBe(15);
  });

  it('takes a message of exactly as many bytes', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { maxBytes: 5 });
    await queue.send('abc');
    expect(queue.stats()).toMatchObject({ bytes: 5, ready: 1 });
  });

  it.each<QueueOptions['overflow']>(['block', 'reject', 'drop-head', 'dead-letter'])(
    'refuses a message that is larger by itself, under the policy %s',
    async (overflow) => {
      const { broker } = await open();
      const queue = broker.queue<string>('orders', { maxBytes: 10, overflow: overflow! });
      await queue.send('small');
      await expect(queue.send('much too large')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
      await expect(queue.sendMany([{ body: 'a' }, { body: 'much too large' }])).rejects.toMatchObject({
        code: 'ERR_QUEUE_FULL',
      });
      expect(await waiting(queue)).toEqual(['small']);
      expect(broker.stats().queues).toHaveLength(1);
    },
  );
});

onEachStorage('A queue of priorities with a limit', (open) => {
  it('counts all levels together', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { priorities: 3, maxLength: 2 });
    await queue.send('low');
    await queue.send('high', { priority: 2 });
    await expect(queue.send('middle', { priority: 1 })).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  });

  it('hands over as many as its consumer’s rate allows', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'block' });
    const sent = [1, 2, 3, 4].map((body) => watch(queue.send(body)));
    queue.consume(() => undefined, { concurrency: 3, rateLimit: { max: 2, per: 20 } });
    await quiet();
    expect(sent.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'pending', 'pending']);
    await clock.advance(10);
    expect(sent.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved', 'pending']);
    expect(queue.stats().ready).toBe(0);
  });
});
