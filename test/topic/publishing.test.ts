import { describe, expect, it } from 'vitest';
import { json } from '../../src/index.js';
import { partitionOf } from '../../src/routing/partitioner.js';
import { onEachStorage } from '../fixtures.js';

onEachStorage('Publishing to a topic', (open) => {
  it('tells where each message is: offsets of a partition are dense', async () => {
    const { broker } = await open();
    const topic = broker.topic<number>('readings');
    const receipts = [await topic.publish(1), await topic.publish(2), ...(await topic.publishMany([{ body: 3 }]))];
    expect(receipts.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
    ]);
    expect(receipts[0]).toMatchObject({ duplicate: false, destinations: ['readings'] });
    expect(topic.stats()).toEqual({ name: 'readings', partitions: [{ first: 0, next: 3, bytes: 3 }], groups: [] });
  });

  it('shows everything that is published by who hears of what was published before', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const handled: number[] = [];
    topic.group('g').consume(({ body }) => void handled.push(body));
    broker.once('accepted', () => void topic.publish(3));
    await topic.publishMany([{ body: 1 }, { body: 2 }]);
    await quiet();
    expect(handled.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(topic.stats().partitions).toMatchObject([{ first: 0, next: 3 }]);
  });

  it('puts a key where Kafka puts it, and spreads what has none', async () => {
    const { broker } = await open();
    const topic = broker.topic<number>('readings', { partitions: 8 });
    for (const key of ['a', 'foobar', 'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', 'ü']) {
      expect(await topic.publish(1, { key })).toMatchObject({ partition: partitionOf(key, 8) });
    }
    const spread = await topic.publishMany(Array.from({ length: 16 }, (_, body) => ({ body })));
    expect(new Set(spread.slice(0, 8).map(({ partition }) => partition)).size).toBe(8);
    expect(await topic.publish(1, { key: 'a', partition: 5 })).toMatchObject({ partition: 5 });
  });

  it('refuses all of it in a topic that was deleted, even nothing', async () => {
    const { broker } = await open();
    const topic = broker.topic<number>('readings');
    await broker.delete('readings');
    for (const published of [topic.publish(1), topic.publishMany([{ body: 1 }]), topic.publishMany([])]) {
      await expect(published).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
    }
  });

  it('refuses what a topic cannot keep, and says why', async () => {
    const { broker } = await open({ codec: json });
    const topic = broker.topic<number>('readings', { partitions: 2 });
    for (const options of [{ delay: 5 }, { ttl: 5 }, { priority: 1 }, { deliverAt: new Date(1) }]) {
      await expect(topic.publish(1, options as never)).rejects.toThrow(/no priority, delay or ttl; got/);
      await expect(topic.publishMany([{ body: 1, ...options } as never])).rejects.toThrow(
        /no priority, delay or ttl; got/,
      );
    }
    await expect(topic.publish(1, { partition: 2 })).rejects.toThrow(RangeError);
    await expect(topic.publish(1, { partition: '1' } as never)).rejects.toThrow(TypeError);
    await expect(topic.publish(1, { colour: 1 } as never)).rejects.toThrow(/has no "colour"/);
    await expect(topic.publishMany('x' as never)).rejects.toThrow(TypeError);
    expect(topic.stats().partitions.map(({ next }) => next)).toEqual([0, 0]);
  });

  it('is a destination of exchanges', async () => {
    const { broker } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const queue = broker.queue<number>('alarms');
    const exchange = broker.exchange('sensors').bind(topic, '#').bind(queue, 'hot.*');
    const receipt = await exchange.publish('hot.kitchen', 40, { key: 'kitchen' });
    expect([...receipt.destinations].sort()).toEqual(['alarms', 'readings']);
    await exchange.publish('cold.hall', 3);
    const seen = [];
    for await (const { body, routingKey, source } of topic.read({ follow: false }))
      seen.push([body, routingKey, source]);
    expect(seen).toEqual([
      [40, 'hot.kitchen', 'readings'],
      [3, 'cold.hall', 'readings'],
    ]);
    await expect(exchange.publish('hot.hall', 1, { ttl: 5 })).rejects.toThrow(/topic "readings"/);
    expect(queue.stats().accepted).toBe(1);
  });
});

describe('A topic', () => {
  it('keeps its type through partitions', () => {
    expect(partitionOf('foobar', 1)).toBe(0);
  });
});
