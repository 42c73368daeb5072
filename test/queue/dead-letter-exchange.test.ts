import { expect, it } from 'vitest';
import type { Broker, QueueOptions, Queue } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

/** A topic exchange `graves` bound to the queue `all`. */
function graves(broker: Broker): Queue<string> {
  const all = broker.queue<string>('all');
  broker.exchange('graves').bind(all, '#');
  return all;
}

async function die(queue: Queue<string>, body: string): Promise<void> {
  await queue.send(body);
  (await queue.receive())!.reject();
}

onEachStorage('A dead letter that goes to an exchange', (open) => {
  it.each<[string, QueueOptions, string]>([
    ['the name of its queue, where it has none', {}, 'orders'],
    ['deadLetterRoutingKey, where that is given', { deadLetterRoutingKey: 'dead.orders' }, 'dead.orders'],
  ])('is routed by %s', async (_, options, routingKey) => {
    const { broker, quiet } = await open();
    const all = graves(broker);
    await die(broker.queue<string>('orders', { deadLetter: 'graves', ...options }), 'a');
    await quiet();
    expect((await all.receive())!).toMatchObject({ body: 'a', routingKey });
  });

  it.each<[string, QueueOptions, string]>([
    ['its own routing key', {}, 'order.created'],
    ['deadLetterRoutingKey, and remembers its own', { deadLetterRoutingKey: 'dead' }, 'dead'],
  ])('which came through an exchange is routed by %s', async (_, options, routingKey) => {
    const { broker, quiet } = await open();
    const all = graves(broker);
    const queue = broker.queue<string>('orders', { deadLetter: 'graves', ...options });
    const events = broker.exchange('events').bind(queue, 'order.*');
    await events.publish('order.created', 'a');
    (await queue.receive())!.reject();
    await quiet();
    const dead = (await all.receive())!;
    expect(dead.routingKey).toBe(routingKey);
    expect(dead.deaths[0]!.routingKey).toBe('order.created');
  });

  it('goes to every queue that the exchange routes it to, and counts once', async () => {
    const { broker, quiet } = await open();
    const [a, b] = [broker.queue<string>('a'), broker.queue<string>('b')];
    broker.exchange('graves', { type: 'fanout' }).bind(a).bind(b);
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    await die(queue, 'x');
    await quiet();
    expect([await waiting(a), await waiting(b)]).toEqual([['x'], ['x']]);
    expect(queue.stats().deadLettered).toBe(1);
  });

  it('ends in <name>.dlq where the exchange routes it nowhere, and `unroutable` says so', async () => {
    const { broker, quiet } = await open();
    broker.exchange('graves');
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    const told: unknown[] = [];
    broker.on('unroutable', (event) => told.push(event));
    await die(queue, 'a');
    await quiet();
    const [dead] = await broker.queue<string>('orders.dlq').peek();
    expect(dead!.body).toBe('a');
    expect(told).toEqual([{ exchange: 'graves', routingKey: 'orders', id: dead!.id }]);
  });

  it('goes to the alternate of the exchange before that', async () => {
    const { broker, quiet } = await open();
    const lost = broker.queue<string>('lost');
    broker.exchange('graves', { alternate: lost });
    await die(broker.queue<string>('orders', { deadLetter: 'graves' }), 'a');
    await quiet();
    expect(await waiting(lost)).toEqual(['a']);
  });

  it('finds an exchange that was declared after the queue', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    const all = graves(broker);
    await die(queue, 'a');
    await quiet();
    expect(await waiting(all)).toEqual(['a']);
  });
});
