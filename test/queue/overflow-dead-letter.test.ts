import { expect, it } from 'vitest';
import { fill, onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A full queue that dead-letters the newcomer', (open) => {
  it('keeps what it has, and tells the sender where the message went', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'dead-letter' });
    await queue.send(1);
    const receipt = await queue.send(2);
    expect(receipt.destinations).toEqual(['orders.dlq']);
    expect(await waiting(queue)).toEqual([1]);
    const [dead] = await queue.deadLetters!.peek();
    expect(dead).toMatchObject({ id: receipt.id, body: 2 });
    expect(dead!.deaths).toMatchObject([{ source: 'orders', reason: 'overflow', count: 1, attempts: 0 }]);
  });

  it('counts the newcomer as accepted and dead-lettered', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'dead-letter' });
    const told: unknown[] = [];
    broker.on('deadLettered', ({ source, reason, to }) => told.push([source, reason, to]));
    await queue.send(1);
    await queue.send(2);
    expect(queue.stats()).toMatchObject({ accepted: 2, ready: 1, deadLettered: 1, dropped: 0 });
    expect(told).toEqual([['orders', 'overflow', 'orders.dlq']]);
  });

  it('drops it where dead letters go nowhere: the receipt names nothing', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'dead-letter', deadLetter: false });
    const told: unknown[] = [];
    broker.on('deadLettered', ({ reason, to }) => told.push([reason, to]));
    await queue.send(1);
    expect(await queue.send(2)).toMatchObject({ duplicate: false, destinations: [] });
    expect(queue.stats()).toMatchObject({ accepted: 2, ready: 1, deadLettered: 0, dropped: 1 });
    expect(told).toEqual([['overflow', null]]);
  });

  it('sends on the rest of many that do not all fit', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'dead-letter' });
    const receipts = await queue.sendMany([{ body: 1 }, { body: 2 }, { body: 3 }, { body: 4 }]);
    expect(receipts.map(({ destinations }) => destinations[0])).toEqual([
      'orders',
      'orders',
      'orders.dlq',
      'orders.dlq',
    ]);
    expect(await waiting(queue)).toEqual([1, 2]);
    expect(await waiting(queue.deadLetters!)).toEqual([3, 4]);
  });

  it('keeps id, key, headers and priority of the newcomer, and drops its ttl and delay', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'dead-letter', priorities: 3 });
    await queue.send(1);
    await queue.send(2, { id: 'x', key: 'k', headers: { h: 1 }, priority: 2, ttl: 10, delay: 5 });
    await clock.advance('1d');
    const dead = (await queue.deadLetters!.receive())!;
    expect(dead).toMatchObject({ id: 'x', key: 'k', headers: { h: 1 }, priority: 2, body: 2 });
  });

  it('passes it on where the dead-letter queue is full in turn', async () => {
    const { broker } = await open();
    broker.queue('next', { maxLength: 1, overflow: 'dead-letter', deadLetter: 'last' });
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'dead-letter', deadLetter: 'next' });
    const destinations = [];
    for (let n = 0; n < 4; n++) destinations.push((await queue.send(n)).destinations[0]);
    expect(destinations).toEqual(['orders', 'next', 'last', 'last']);
    const dead = await broker.queue('last').peek();
    expect(dead.map(({ deaths }) => deaths.map(({ source }) => source))).toEqual([
      ['next', 'orders'],
      ['next', 'orders'],
    ]);
  });

  it('never loses one to two full queues that dead-letter into each other', async () => {
    const { broker } = await open();
    const a = broker.queue<number>('a', { maxLength: 1, overflow: 'dead-letter', deadLetter: 'b' });
    const b = broker.queue<number>('b', { maxLength: 1, overflow: 'dead-letter', deadLetter: 'a' });
    for (let n = 0; n < 5; n++) expect((await a.send(n)).destinations).toHaveLength(1);
    const found = broker.stats().queues.reduce((sum, { ready }) => sum + ready, 0);
    expect(found).toBe(5);
    expect(await waiting(a)).toContain(0);
    expect(await waiting(b)).toContain(1);
  });

  it('lets a dead letter past the limit of a queue that rejects or blocks', async () => {
    const { broker } = await open();
    broker.queue('rejects', { maxLength: 0 });
    broker.queue('blocks', { maxLength: 0, overflow: 'block' });
    for (const to of ['rejects', 'blocks']) {
      const queue = broker.queue<number>(`to ${to}`, { maxLength: 1, overflow: 'dead-letter', deadLetter: to });
      await queue.send(1);
      await queue.send(2);
      expect(broker.queue(to).stats().ready).toBe(1);
    }
  });

  it('takes newcomers again when there is room', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2, overflow: 'dead-letter' });
    await fill(queue, 2);
    (await queue.receive())!.ack();
    expect((await queue.send(3)).destinations).toEqual(['orders']);
  });
});
