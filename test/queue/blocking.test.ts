import { expect, it } from 'vitest';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

onEachStorage('Sending to a full queue that blocks', (open) => {
  it('waits until a message is taken', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { maxLength: 1, overflow: 'block' });
    await queue.send('first');
    const second = watch(queue.send('second'));
    await quiet();
    expect(second.state).toBe('pending');
    expect(queue.stats()).toMatchObject({ accepted: 1, ready: 1 });
    const first = (await queue.receive())!;
    await quiet();
    expect(second).toMatchObject({ state: 'resolved', value: { destinations: ['orders'] } });
    first.ack();
    expect(await waiting(queue)).toEqual(['second']);
  });

  it('goes on in the order of the sends', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    const handled: number[] = [];
    const sends = Promise.all(Array.from({ length: 50 }, (_, n) => queue.send(n)));
    await quiet();
    queue.consume(({ body }) => void handled.push(body));
    await sends;
    await quiet();
    expect(handled).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  it('lets nobody overtake who would fit where the first in line does not', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 3, overflow: 'block' });
    await fill(queue, 3);
    const three = watch(queue.sendMany([{ body: 10 }, { body: 11 }, { body: 12 }]));
    const one = watch(queue.send(13));
    await queue.receive();
    await quiet();
    expect([three.state, one.state]).toEqual(['pending', 'pending']);
    await queue.receive();
    await queue.receive();
    await quiet();
    expect([three.state, one.state]).toEqual(['resolved', 'pending']);
    expect(await waiting(queue)).toEqual([10, 11, 12]);
  });

  it('holds back no send to another queue', async () => {
    const { broker } = await open();
    const full = broker.queue<number>('full', { maxLength: 1, overflow: 'block' });
    const other = broker.queue<number>('other', { maxLength: 1, overflow: 'block' });
    await full.send(1);
    watch(full.send(2));
    await other.send(1);
    expect(other.stats().ready).toBe(1);
  });

  it('goes on when the queue is purged', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'block' });
    await fill(queue, 2);
    const sent = watch(queue.send(7));
    await queue.purge();
    await quiet();
    expect(sent.state).toBe('resolved');
  });

  it('goes on when a message expires', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block', ttl: '1s' });
    await queue.send(1);
    const sent = watch(queue.send(2));
    await clock.advance('1s');
    await quiet();
    expect(sent.state).toBe('resolved');
    expect(await waiting(queue)).toEqual([2]);
  });

  it('goes on when messages are redriven out of the queue', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    broker.queue('elsewhere');
    await queue.send(1);
    const sent = watch(queue.send(2));
    await queue.redrive({ to: 'elsewhere', limit: 1 });
    await quiet();
    expect(sent.state).toBe('resolved');
  });

  it('gives up with ERR_ABORTED when its signal aborts, and nothing is stored', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    await queue.send(1);
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    const sent = watch(queue.send(2, { signal: controller.signal }));
    const behind = watch(queue.send(3));
    await quiet();
    controller.abort(reason);
    await quiet();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_ABORTED', cause: reason } });
    await queue.receive();
    await quiet();
    expect(behind.state).toBe('resolved');
    expect(await waiting(queue)).toEqual([3]);
  });

  it('does not begin with a signal that is aborted already', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    const signal = AbortSignal.abort('no');
    await expect(queue.send(1, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: 'no' });
    expect(queue.stats().accepted).toBe(0);
  });

  it('lets those behind an aborted one go on, where they fit', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'block' });
    await queue.send(1);
    const controller = new AbortController();
    watch(queue.sendMany([{ body: 2, signal: controller.signal }, { body: 3 }]));
    const behind = watch(queue.send(4));
    await quiet();
    expect(behind.state).toBe('pending');
    controller.abort();
    await quiet();
    expect(behind.state).toBe('resolved');
  });

  it('rejects with ERR_CLOSED when the broker closes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    await queue.send(1);
    const sent = watch(queue.send(2));
    await quiet();
    await broker.close();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_CLOSED' } });
  });

  it('rejects with ERR_UNKNOWN_DESTINATION when the queue is deleted', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    await queue.send(1);
    const sent = watch(queue.send(2));
    await quiet();
    await broker.delete('orders');
    await quiet();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_UNKNOWN_DESTINATION' } });
  });

  it('rejects more at once than the limit right away', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'block' });
    await expect(fill(queue, 3)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    const bytes = broker.queue<string>('bytes', { maxBytes: 10, overflow: 'block' });
    await expect(bytes.sendMany([{ body: 'abcd' }, { body: 'abcd' }])).rejects.toMatchObject({
      code: 'ERR_QUEUE_FULL',
    });
  });

  it('waits for a consumer where maxLength is 0', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'block' });
    const sent = [watch(queue.send(1)), watch(queue.send(2))];
    await quiet();
    expect(sent.map(({ state }) => state)).toEqual(['pending', 'pending']);
    const first = await queue.receive({ wait: '1s' });
    expect(first!.body).toBe(1);
    await quiet();
    expect(sent.map(({ state }) => state)).toEqual(['resolved', 'pending']);
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual([2]);
  });

  it('rejects at once what maxLength 0 can never hand over', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'block' });
    const sent = [watch(fill(queue, 2)), watch(queue.send(3, { delay: 10 })), watch(queue.send(4))];
    await quiet();
    expect(sent).toMatchObject([
      { state: 'rejected', error: { code: 'ERR_QUEUE_FULL' } },
      { state: 'rejected', error: { code: 'ERR_QUEUE_FULL' } },
      { state: 'pending' },
    ]);
    expect((await queue.receive({ wait: '1s' }))!.body).toBe(4);
  });

  it('hands one message after the other to consumers where maxLength is 0', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 0, overflow: 'block' });
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body), { concurrency: 3 });
    const sends = Array.from({ length: 20 }, (_, n) => watch(queue.send(n)));
    await quiet();
    expect(sends.map(({ state }) => state)).toEqual(sends.map(() => 'resolved'));
    expect(handled).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('tells by events when the first begins to wait, and when nobody does any more', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    const told: string[] = [];
    broker.on('blocked', ({ source }) => told.push(`blocked ${source}`));
    broker.on('unblocked', ({ source }) => told.push(`unblocked ${source}`));
    await queue.send(1);
    watch(queue.send(2));
    watch(queue.send(3));
    await quiet();
    expect(told).toEqual(['blocked orders']);
    await queue.receive();
    await quiet();
    expect(told).toEqual(['blocked orders']);
    await queue.receive();
    await quiet();
    expect(told).toEqual(['blocked orders', 'unblocked orders']);
  });

  it('is not overtaken by who sends when he hears that nobody waits any more', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { maxLength: 1, overflow: 'block' });
    await queue.send('first');
    const second = queue.send('second');
    broker.once('unblocked', () => void queue.send('third'));
    await quiet();
    for (const body of ['first', 'second', 'third']) {
      expect(queue.stats().ready).toBe(1);
      expect((await queue.receive())!.body).toBe(body);
      await quiet();
    }
    await second;
  });

  it('goes on where another of its queues got a limit, and was full, meanwhile', async () => {
    const { broker, quiet } = await open();
    const full = broker.queue<number>('full', { maxLength: 1, overflow: 'block' });
    const late = broker.queue<number>('late');
    const exchange = broker.exchange('all', { type: 'fanout' }).bind(full).bind(late);
    await exchange.publish('', 1);
    const published = watch(exchange.publish('', 2));
    broker.queue('late', { maxLength: 1, overflow: 'block' });
    await full.receive();
    await late.receive();
    await quiet();
    expect(published.state).toBe('resolved');
  });

  it('counts nobody who waited before the queue had a limit', async () => {
    const { broker, quiet } = await open();
    const full = broker.queue<number>('full', { maxLength: 1, overflow: 'block' });
    const late = broker.queue<number>('late');
    const told: string[] = [];
    broker.on('blocked', ({ source }) => told.push(`blocked ${source}`));
    broker.on('unblocked', ({ source }) => told.push(`unblocked ${source}`));
    const exchange = broker.exchange('all', { type: 'fanout' }).bind(full).bind(late);
    await full.send(1);
    const published = exchange.publish('', 2);
    broker.queue('late', { maxLength: 1, overflow: 'block' });
    await full.receive();
    await published;
    const sent = late.send(3);
    await quiet();
    await late.receive();
    await sent;
    await quiet();
    expect(told).toEqual(['blocked full', 'unblocked full', 'blocked late', 'unblocked late']);
  });

  it('does not lose its place to a storage that is slow', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'block' });
    const handled: number[] = [];
    let most = 0;
    broker.on('accepted', () => (most = Math.max(most, queue.stats().ready)));
    const sends = Promise.all(Array.from({ length: 200 }, (_, n) => queue.send(n)));
    queue.consume(({ body }) => void handled.push(body), { prefetch: 3 });
    await sends;
    await quiet();
    expect(handled).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(most).toBeLessThanOrEqual(2);
  });
});
