import { describe, expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { testBroker } from '../../src/testing/index.js';

describe('testBroker()', () => {
  it('stands still until settle(), which runs retries and delays to their end', async () => {
    const broker = await testBroker({ retry: { attempts: 3, backoff: fixed('1m') } });
    const queue = broker.queue<number>('orders');
    const attempts: number[] = [];
    queue.consume(({ body, attempt }) => {
      attempts.push(attempt);
      if (body === 1) throw new Error('no');
    });
    await queue.send(1);
    await queue.send(2, { delay: '1h' });
    const began = broker.clock.now();
    await broker.settle();
    expect(attempts).toEqual([1, 2, 3, 1]);
    expect(broker.clock.now() - began).toBe(3_600_000);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, unacked: 0, acked: 1, deadLettered: 1 });
    await broker.close();
  });

  it('records what was sent to queues and exchanges, and what became of it', async () => {
    const broker = await testBroker();
    const queue = broker.queue<number>('orders');
    const exchange = broker.exchange('events');
    exchange.bind(queue, 'order.*');
    await exchange.publish('order.created', 1, { headers: { tenant: 'a' } });
    await queue.send(2);
    await queue.send(3);
    const outcomes = (name: string) => broker.sent(name).map(({ body, outcome }) => [body, outcome]);
    expect(outcomes('orders')).toEqual([
      [1, 'waiting'],
      [2, 'waiting'],
      [3, 'waiting'],
    ]);
    queue.consume(({ body }) => body === 3 && Promise.reject(new Error('no')), { ack: 'auto' });
    await broker.settle();
    expect(outcomes('orders')).toEqual([
      [1, 'acked'],
      [2, 'acked'],
      [3, 'dead'],
    ]);
    expect(outcomes('orders.dlq')).toEqual([[3, 'waiting']]);
    expect(broker.sent('events')).toMatchObject([
      { body: 1, headers: { tenant: 'a' }, routingKey: 'order.created', outcome: 'acked' },
    ]);
    expect(broker.sent('nothing')).toEqual([]);
    await broker.close();
  });

  it('runs groups until they have all, retries and rates included, and says what became of it in all of them', async () => {
    const broker = await testBroker({ retry: { attempts: 2 } });
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const outcomes = () => broker.sent('readings').map(({ body, outcome }) => [body, outcome]);
    for (const body of [1, 2, 3]) await topic.publish(body, { partition: body % 2 });
    await broker.settle();
    expect(outcomes()).toEqual([1, 2, 3].map((body) => [body, 'waiting']));
    const failing = topic.group('failing');
    failing.consume(({ body }) => body === 3 && Promise.reject(new Error('no')), { ack: 'auto' });
    const limited = topic.group('limited');
    limited.consume(() => undefined, { rateLimit: { max: 1, per: '1m' } });
    await broker.settle();
    expect(outcomes()).toEqual([
      [1, 'acked'],
      [2, 'acked'],
      [3, 'dead'],
    ]);
    expect(failing.stats()).toMatchObject({ lag: 0, delayed: 0, retried: 1, deadLettered: 1 });
    expect(limited.stats()).toMatchObject({ lag: 0, acked: 3 });
    await broker.close();
  });

  it('lets no retention fall due for a group that is paused', async () => {
    const broker = await testBroker();
    const topic = broker.topic<number>('readings');
    const group = topic.group('paused');
    group.consume(() => undefined).pause();
    await topic.publish(1);
    const before = broker.clock.now();
    await broker.settle();
    expect(broker.clock.now()).toBe(before);
    expect(group.stats()).toMatchObject({ members: 1, lag: 1 });
    expect(broker.sent('readings')).toMatchObject([{ body: 1, outcome: 'waiting' }]);
    await broker.close();
  });

  it('says what keeps running', async () => {
    const broker = await testBroker();
    const queue = broker.queue('loop');
    queue.consume((message) => void message.requeue());
    await queue.send('again');
    await expect(broker.settle({ limit: 50 })).rejects.toThrow('more than 50 deliveries, and it goes on: "loop" 51');
    await broker.close({ timeout: 0 });
  });

  it('says what does not move', async () => {
    const broker = await testBroker();
    const queue = broker.queue('orders', { ackTimeout: false });
    queue.consume(() => new Promise(() => undefined));
    await queue.send('stuck');
    await expect(broker.settle()).rejects.toThrow('nothing moves any more: "orders" has 0 ready, 0 delayed, 1 unacked');
    await queue.send('far', { delay: '31d' });
    await expect(broker.settle({ advance: '1h' })).rejects.toThrow('nothing moves for 2678400000 ms');
    await broker.close({ timeout: 0 });
  });

  it('leaves alone what waits for a consumer', async () => {
    const broker = await testBroker();
    const queue = broker.queue('orders');
    await queue.send(1);
    await broker.settle();
    const paused = broker.queue('paused');
    paused.consume(() => undefined).pause();
    await paused.send(1);
    await broker.settle();
    expect(broker.stats().queues.map(({ name, ready }) => [name, ready])).toEqual([
      ['orders', 1],
      ['paused', 1],
    ]);
    await broker.close();
  });

  it('refuses unknown options', async () => {
    await expect(testBroker({ chaos: {} } as never)).rejects.toThrow('broker options has no "chaos"');
    const broker = await testBroker();
    await expect(broker.settle({ times: 3 } as never)).rejects.toThrow('settle() has no "times"');
    await broker.close();
  });
});
