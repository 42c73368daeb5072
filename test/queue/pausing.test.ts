import { expect, it } from 'vitest';
import { deferred, fill, onEachStorage, watch } from '../fixtures.js';

onEachStorage('A paused queue', (open) => {
  it('accepts messages and delivers none, until it is resumed', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    queue.pause();
    await fill(queue, 3);
    await quiet();
    expect(handled).toEqual([]);
    expect(queue.stats()).toMatchObject({ ready: 3 });
    queue.resume();
    await quiet();
    expect(handled).toEqual([0, 1, 2]);
  });

  it('lets running handlers finish', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    queue.consume(() => gate.promise);
    await fill(queue, 2);
    await quiet();
    queue.pause();
    gate.resolve();
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 1, unacked: 0 });
  });

  it('gives nothing to receive() either', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.pause();
    await queue.send(1);
    expect(await queue.receive()).toBeUndefined();
    const waits = watch(queue.receive({ wait: '1h' }));
    await quiet();
    expect(waits.state).toBe('pending');
    queue.resume();
    await quiet();
    expect(waits.value!.body).toBe(1);
  });

  it('stays paused when it is paused twice, and runs when it is resumed once', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.pause();
    queue.pause();
    queue.resume();
    await queue.send(1);
    queue.consume(() => undefined);
    await quiet();
    expect(queue.stats().acked).toBe(1);
    queue.resume();
  });

  it('keeps what becomes due meanwhile, and delivers it in order afterwards', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const handled: string[] = [];
    queue.consume(({ body }) => void handled.push(body));
    queue.pause();
    await queue.send('a', { delay: 20 });
    await queue.send('b', { delay: 10 });
    await queue.send('c');
    await clock.advance(30);
    queue.resume();
    await quiet();
    expect(handled).toEqual(['a', 'b', 'c']);
  });

  it('can be peeked into, purged and redriven', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const to = broker.queue<number>('elsewhere');
    await fill(queue, 3);
    queue.pause();
    expect(await queue.peek()).toHaveLength(3);
    expect(await queue.redrive({ to, limit: 1 })).toBe(1);
    expect(await queue.purge()).toBe(2);
  });
});

onEachStorage('A paused consumer', (open) => {
  it('takes nothing, while others go on', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: Record<string, number[]> = { a: [], b: [] };
    const a = queue.consume(({ body }) => void handled['a']!.push(body));
    queue.consume(({ body }) => void handled['b']!.push(body));
    a.pause();
    await fill(queue, 4);
    await quiet();
    expect(handled).toEqual({ a: [], b: [0, 1, 2, 3] });
  });

  it('goes on where it was when it is resumed', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    const consumer = queue.consume(({ body }) => {
      handled.push(body);
      if (body === 1) consumer.pause();
    });
    await quiet();
    await fill(queue, 4);
    await quiet();
    expect(handled).toEqual([0, 1]);
    consumer.resume();
    await quiet();
    expect(handled).toEqual([0, 1, 2, 3]);
  });

  it('leaves to another what it was just called for', async () => {
    const { broker, quiet } = await open();
    for (let n = 0; n < 20; n++) {
      const queue = broker.queue<number>(`orders ${n}`);
      const pausing = queue.consume(() => undefined);
      queue.consume(() => undefined);
      await quiet();
      const sent = queue.send(n);
      pausing.pause();
      await sent;
      await quiet();
      expect(queue.stats()).toMatchObject({ ready: 0, acked: 1 });
    }
  });

  it('can be closed', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const consumer = queue.consume(() => undefined);
    consumer.pause();
    await queue.send(1);
    await consumer.close();
    consumer.resume();
    expect(queue.stats()).toMatchObject({ ready: 1, consumers: 0 });
  });
});
