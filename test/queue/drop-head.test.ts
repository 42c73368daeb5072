import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { fill, onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A full queue that drops its head', (open) => {
  it('is a ring buffer: the newest stay, the oldest are dropped', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 3, overflow: 'drop-head' });
    for (let n = 0; n < 10; n++) await queue.send(n);
    expect(await waiting(queue)).toEqual([7, 8, 9]);
    expect(queue.stats()).toMatchObject({ accepted: 10, dropped: 7, ready: 3, deadLettered: 0 });
    expect(broker.stats().queues).toHaveLength(1);
  });

  it('keeps the last of a burst that nobody waits for', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 3, overflow: 'drop-head' });
    await Promise.all(Array.from({ length: 50 }, (_, n) => queue.send(n)));
    await quiet();
    expect(await waiting(queue)).toEqual([47, 48, 49]);
  });

  it('keeps the last of many that are more than its limit', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'drop-head' });
    await fill(queue, 5);
    await quiet();
    expect(await waiting(queue)).toEqual([3, 4]);
  });

  it('says so by an event, with no place that it went to', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'drop-head' });
    const told: unknown[] = [];
    broker.on('deadLettered', (event) => told.push(event));
    const { id } = await queue.send(1);
    await queue.send(2);
    expect(told).toEqual([{ source: 'orders', id, reason: 'overflow', to: null, error: undefined }]);
  });

  it('dead-letters the oldest where a dead-letter queue was given', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'drop-head', deadLetter: 'graves' });
    await fill(queue, 3);
    await quiet();
    expect(await waiting(queue)).toEqual([2]);
    expect(queue.stats()).toMatchObject({ deadLettered: 2, dropped: 0 });
    const dead = await queue.deadLetters!.peek();
    expect(dead.map(({ body }) => body)).toEqual([0, 1]);
    expect(dead[0]!.deaths).toMatchObject([{ source: 'orders', reason: 'overflow', count: 1, attempts: 0 }]);
  });

  it('drops the oldest of the lowest level that has any', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { maxLength: 2, overflow: 'drop-head', priorities: 3 });
    await queue.send('high', { priority: 2 });
    await queue.send('low');
    await queue.send('middle', { priority: 1 });
    expect((await waiting(queue)).toSorted()).toEqual(['high', 'middle']);
    await queue.send('high, too', { priority: 2 });
    expect(await waiting(queue)).toEqual(['high', 'high, too']);
    await queue.send('low, too');
    expect(await waiting(queue)).toEqual(['high', 'high, too']);
  });

  it('never drops what is in hand, nor what backs off', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', {
      maxLength: 2,
      overflow: 'drop-head',
      retry: { backoff: fixed('1m') },
    });
    await queue.send('backs off');
    (await queue.receive())!.nack();
    await queue.send('in hand');
    const held = (await queue.receive())!;
    for (const body of ['a', 'b', 'c']) await queue.send(body);
    expect(await waiting(queue)).toEqual(['backs off', 'c']);
    expect(held.ack()).toBe(true);
    await clock.advance('1m');
    expect((await queue.receive())!.body).toBe('backs off');
  });

  it('drops the oldest delayed message where nothing is ready, and never one that backs off', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', {
      maxLength: 3,
      overflow: 'drop-head',
      retry: { backoff: fixed('1h') },
    });
    await queue.send('backs off');
    (await queue.receive())!.nack();
    for (const body of ['a', 'b', 'c', 'd']) await queue.send(body, { delay: '1h' });
    await quiet();
    expect(await waiting(queue)).toEqual(['backs off', 'c', 'd']);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 3, dropped: 2 });
    await clock.advance('1h');
    expect(queue.stats()).toMatchObject({ ready: 3, delayed: 0 });
  });

  it('drops as many as a large newcomer needs, by bytes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { maxBytes: 20, overflow: 'drop-head' });
    for (const body of ['aaa', 'bbb', 'ccc', 'ddd']) await queue.send(body);
    expect(queue.stats().bytes).toBe(20);
    await queue.send('12345678');
    await quiet();
    expect(await waiting(queue)).toEqual(['ccc', 'ddd', '12345678']);
    expect(queue.stats().bytes).toBe(20);
  });

  it('drops the oldest, whether it waits for its key or is ready', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { maxLength: 2, overflow: 'drop-head', ordering: 'key' });
    await queue.send('held', { key: 'k' });
    const held = (await queue.receive())!;
    await queue.send('waits', { key: 'k' });
    expect(await queue.receive()).toBeUndefined();
    await queue.send('ready');
    await queue.send('newest');
    held.ack();
    const bodies = [];
    for (let one = await queue.receive(); one !== undefined; one = await queue.receive()) {
      bodies.push(one.body);
      one.ack();
    }
    expect(bodies).toEqual(['ready', 'newest']);
  });

  it('drops what waits for its key as well, the oldest first', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'drop-head', ordering: 'key' });
    const handled: number[] = [];
    await queue.send(0, { key: 'k' });
    const first = (await queue.receive())!;
    for (let n = 1; n < 5; n++) await queue.send(n, { key: 'k' });
    await quiet();
    expect(await waiting(queue)).toEqual([3, 4]);
    first.ack();
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual([3, 4]);
  });

  it('holds no more than it may when a listener sends while several come in', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { maxLength: 3, overflow: 'drop-head' });
    broker.once('accepted', () => void queue.sendMany([{ body: 'x' }, { body: 'y' }]));
    await queue.sendMany([{ body: 'a' }, { body: 'b' }, { body: 'c' }]);
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 3, dropped: 2 });
  });

  it('lets messages go on to a dead-letter queue that drops its own head in turn', async () => {
    const { broker, quiet } = await open();
    const last = broker.queue<number>('last', { maxLength: 2, overflow: 'drop-head' });
    const next = broker.queue<number>('next', { maxLength: 2, overflow: 'drop-head', deadLetter: last });
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'drop-head', deadLetter: next });
    await fill(queue, 10);
    await quiet();
    expect(await waiting(queue)).toEqual([8, 9]);
    expect(await waiting(next)).toEqual([6, 7]);
    expect(await waiting(last)).toEqual([4, 5]);
    expect(last.stats().dropped).toBe(4);
  });

  it('ends in <name>.dlq where two full queues dead-letter into each other', async () => {
    const { broker, quiet } = await open();
    const a = broker.queue<number>('a', { maxLength: 1, overflow: 'drop-head', deadLetter: 'b' });
    const b = broker.queue<number>('b', { maxLength: 1, overflow: 'drop-head', deadLetter: 'a' });
    await fill(a, 4);
    await quiet();
    expect(await waiting(a)).toEqual([3]);
    expect(await waiting(b)).toEqual([2]);
    expect(await waiting(broker.queue<number>('b.dlq'))).toEqual([0, 1]);
  });

  it('drops 2,000 in a row without a deep stack', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'drop-head', deadLetter: 'graves' });
    await fill(queue, 2000);
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 1, deadLettered: 1999 });
    expect(broker.queue('graves').stats().ready).toBe(1999);
  });
});
