import { expect, it } from 'vitest';
import { deferred, fill, onEachStorage, watch } from '../fixtures.js';

const CLOSED = { code: 'ERR_CLOSED' };

onEachStorage('A queue whose broker closes', (open) => {
  it('takes nothing more in: every call rejects or throws ERR_CLOSED, stats() still tells', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    const closing = broker.close();
    await expect(queue.send(1)).rejects.toMatchObject(CLOSED);
    await closing;
    await expect(queue.send(1)).rejects.toMatchObject(CLOSED);
    await expect(queue.sendMany([])).rejects.toMatchObject(CLOSED);
    await expect(queue.peek()).rejects.toMatchObject(CLOSED);
    await expect(queue.purge()).rejects.toMatchObject(CLOSED);
    await expect(queue.redrive()).rejects.toMatchObject(CLOSED);
    await expect(queue.idle()).rejects.toMatchObject(CLOSED);
    await expect(queue[Symbol.asyncIterator]().next()).rejects.toMatchObject(CLOSED);
    await expect(broker.delete('orders')).rejects.toMatchObject(CLOSED);
    expect(() => queue.pause()).toThrow(expect.objectContaining(CLOSED));
    expect(() => broker.queue('orders')).toThrow(expect.objectContaining(CLOSED));
    expect(queue.stats()).toMatchObject({ ready: 2, accepted: 2 });
  });

  it('finishes the sends that were made before', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const sends = Array.from({ length: 20 }, (_, n) => watch(queue.send(n)));
    await broker.close();
    expect(sends.map(({ state }) => state)).toEqual(sends.map(() => 'resolved'));
    expect(queue.stats().accepted).toBe(20);
  });

  it('moves nothing more out of it: what a redrive has not reached stays', async () => {
    const { broker, quiet } = await open();
    const [queue, other] = [broker.queue<number>('orders'), broker.queue<number>('others')];
    await fill(queue, 3000);
    const redriven = watch(queue.redrive({ to: other }));
    await broker.close();
    await quiet();
    const { ready } = other.stats();
    expect(redriven).toEqual({ state: 'resolved', value: ready });
    expect(queue.stats()).toMatchObject({ ready: 3000 - ready, removed: ready });
  });

  it('waits for its running handlers, and starts no others', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    queue.consume(() => gate.promise, { concurrency: 2 });
    await fill(queue, 5);
    await quiet();
    const closed = watch(broker.close());
    await quiet();
    expect(closed.state).toBe('pending');
    gate.resolve();
    await quiet();
    expect(closed.state).toBe('resolved');
    expect(queue.stats()).toMatchObject({ acked: 2, ready: 3, unacked: 0 });
  });

  it('gives up after 10 s: aborts signals, gives messages back without an attempt, and names them', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
    const told: unknown[] = [];
    broker.on('closed', (event) => told.push(event));
    const signals: AbortSignal[] = [];
    queue.consume((message) => {
      signals.push(message.signal);
      return new Promise(() => undefined);
    });
    const { id } = await queue.send(1);
    await quiet();
    const closed = watch(broker.close());
    await clock.advance(9999);
    expect([closed.state, signals[0]!.aborted]).toEqual(['pending', false]);
    await clock.advance(1);
    expect(closed.state).toBe('resolved');
    expect(signals[0]!.reason).toMatchObject(CLOSED);
    expect(queue.stats()).toMatchObject({ ready: 1, unacked: 0, deadLettered: 0, retried: 0 });
    expect(told).toEqual([{ abandoned: [{ source: 'orders', id }] }]);
  });

  it('gives back what receive() and manual handlers hold, and says so', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const told: number[] = [];
    broker.on('closed', ({ abandoned }) => told.push(abandoned.length));
    await fill(queue, 3);
    const received = (await queue.receive())!;
    queue.consume(() => undefined, { ack: 'manual' });
    await quiet();
    await broker.close();
    expect(received.ack()).toBe(false);
    expect(queue.stats()).toMatchObject({ ready: 3, unacked: 0 });
    expect(told).toEqual([2]);
  });

  it('lets handlers settle, and dead letters arrive, while it closes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 1 } });
    const gate = deferred();
    queue.consume(
      async ({ body }) => {
        await gate.promise;
        if (body === 'bad') throw new Error('no');
      },
      { concurrency: 2 },
    );
    await queue.sendMany([{ body: 'good' }, { body: 'bad' }]);
    await quiet();
    const closed = broker.close();
    gate.resolve();
    await closed;
    expect(queue.stats()).toMatchObject({ acked: 1, deadLettered: 1, unacked: 0 });
    expect(broker.stats().queues.find(({ name }) => name === 'orders.dlq')!.ready).toBe(1);
  });

  it('finishes the moves of dead letters that are on their way', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 5);
    for (let n = 0; n < 5; n++) (await queue.receive())!.reject();
    await broker.close();
    expect(queue.stats()).toMatchObject({ unacked: 0, deadLettered: 5 });
    expect(broker.stats().queues.find(({ name }) => name === 'orders.dlq')!.ready).toBe(5);
  });

  it('is closed once: every close() resolves, and `closed` is told once', async () => {
    const { broker } = await open();
    let told = 0;
    broker.on('closed', () => void told++);
    broker.queue('orders');
    await Promise.all([broker.close(), broker.close(), broker[Symbol.asyncDispose]()]);
    await broker.close({ timeout: 0 });
    expect(told).toBe(1);
  });

  it('rejects close() with a wrong timeout, and stays open', async () => {
    const { broker } = await open();
    await expect(broker.close({ timeout: -1 })).rejects.toThrow(RangeError);
    await expect(broker.close({ now: true } as object)).rejects.toThrow(TypeError);
    await broker.queue('orders').send(1);
  });

  it('fires nothing any more that was due later', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    let handled = 0;
    queue.consume(() => void handled++);
    await queue.send(1, { delay: '1m' });
    await queue.send(2, { delay: '1m', ttl: '1m' });
    await broker.close();
    await clock.advance('1h');
    expect(handled).toBe(0);
    expect(queue.stats()).toMatchObject({ delayed: 2 });
  });
});
