import { expect, it } from 'vitest';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

const GONE = { code: 'ERR_UNKNOWN_DESTINATION' };

onEachStorage('A deleted queue', (open) => {
  it('is gone with all that it held', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 3);
    await broker.delete('orders');
    expect(broker.stats().queues).toEqual([]);
    const again = broker.queue<number>('orders');
    expect(again).not.toBe(queue);
    expect(again.stats()).toMatchObject({ ready: 0, accepted: 0 });
    await again.send(7);
    expect(await waiting(again)).toEqual([7]);
  });

  it('is no failure where a message of it is being read', async () => {
    const { broker, clock, quiet, reported } = await open();
    for (let n = 0; n < 20; n++) {
      const queue = broker.queue<string>(`orders-${n}`);
      await queue.send('later', { delay: 10 });
      await clock.advance(10);
      const received = queue.receive({ wait: 5 });
      await Promise.allSettled([broker.delete(queue.name), received]);
      await quiet();
    }
    expect(reported()).toEqual([]);
  });

  it('refuses everything through its old handle, even if the name is made again', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await broker.delete('orders');
    broker.queue('orders');
    await expect(queue.send(1)).rejects.toMatchObject(GONE);
    await expect(queue.sendMany([{ body: 1 }])).rejects.toMatchObject(GONE);
    await expect(queue.receive()).rejects.toMatchObject(GONE);
    await expect(queue.peek()).rejects.toMatchObject(GONE);
    await expect(queue.purge()).rejects.toMatchObject(GONE);
    await expect(queue.redrive()).rejects.toMatchObject(GONE);
    await expect(queue.idle()).rejects.toMatchObject(GONE);
    await expect(queue[Symbol.asyncIterator]().next()).rejects.toMatchObject(GONE);
    expect(() => queue.consume(() => undefined)).toThrow(expect.objectContaining(GONE));
    expect(() => queue.pause()).toThrow(expect.objectContaining(GONE));
    expect(() => queue.resume()).toThrow(expect.objectContaining(GONE));
    expect(() => broker.queue('other', { deadLetter: queue })).toThrow(expect.objectContaining(GONE));
  });

  it('rejects what waits on it: receive(), iterators, idle()', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(() => new Promise(() => undefined));
    await queue.send(1);
    await quiet();
    const waits = [
      watch(queue.receive({ wait: '1h' })),
      watch(queue[Symbol.asyncIterator]().next()),
      watch(queue.idle()),
    ];
    await broker.delete('orders');
    await quiet();
    expect(waits).toMatchObject(waits.map(() => ({ state: 'rejected', error: GONE })));
  });

  it('fences what is in hand: signals abort, verbs return false', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    const message = (await queue.receive())!;
    const { signal } = message;
    await broker.delete('orders');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject(GONE);
    expect([message.ack(), message.nack(), message.reject(), message.requeue(), message.extend()]).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(broker.stats().queues).toEqual([]);
  });

  it('takes its consumers with it: they end, and can be closed', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    const consumer = queue.consume(({ body }) => void handled.push(body));
    await broker.delete('orders');
    await broker.queue<number>('orders').send(1);
    await quiet();
    expect(handled).toEqual([]);
    await consumer.close();
  });

  it('does not disturb a handler that is still running', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const told: string[] = [];
    broker.on('acked', ({ id }) => told.push(id));
    queue.consume(async () => {
      await broker.delete('orders');
    });
    await queue.send(1);
    await quiet();
    expect(broker.stats().queues).toEqual([]);
    expect(told).toEqual([]);
  });

  it('loses its bindings', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const exchange = broker.exchange('events').bind(queue, '#');
    await broker.delete('orders');
    expect(exchange.bindings()).toEqual([]);
    expect((await exchange.publish('order.created', 1)).destinations).toEqual([]);
  });

  it('may be deleted while sends are under way: each resolves or rejects', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const sends = Array.from({ length: 20 }, (_, n) => watch(queue.send(n)));
    await broker.delete('orders');
    await quiet();
    expect(sends.filter(({ state }) => state === 'pending')).toEqual([]);
    expect(broker.stats().queues).toEqual([]);
  });

  it('leaves dead letters that are on their way where they went', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 5);
    for (let n = 0; n < 5; n++) (await queue.receive())!.reject();
    await broker.delete('orders');
    await quiet();
    expect(broker.stats().queues).toMatchObject([{ name: 'orders.dlq', ready: 5, unacked: 0 }]);
  });

  it('tells nothing any more of sends that were under way', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const told: boolean[] = [];
    let deleted = false;
    broker.on('accepted', () => told.push(deleted));
    const sends = Array.from({ length: 20 }, (_, n) =>
      watch<unknown>(n % 2 === 0 ? queue.send(n) : queue.sendMany([{ body: n }, { body: n }])),
    );
    deleted = true;
    await broker.delete('orders');
    await quiet();
    expect(sends.filter(({ state }) => state === 'pending')).toEqual([]);
    expect(told.filter((after) => after)).toEqual([]);
  });

  it('cannot be deleted twice, nor under a name that nothing has', async () => {
    const { broker } = await open();
    broker.queue('orders');
    await broker.delete('orders');
    await expect(broker.delete('orders')).rejects.toMatchObject(GONE);
  });

  it('forgets what was delayed: nothing falls due later', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(1, { delay: 10 });
    await queue.send(2, { ttl: 10 });
    await broker.delete('orders');
    await clock.advance(100);
    expect(broker.stats().queues).toEqual([]);
  });
});
