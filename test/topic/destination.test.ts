import { expect, it } from 'vitest';
import type { Topic } from '../../src/index.js';
import { onEachStorage, expectPairsInOrder } from '../fixtures.js';

async function contents(topic: Topic): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for await (const { body } of topic.read({ follow: false })) bodies.push(body);
  return bodies;
}

onEachStorage('A topic as a destination', (open) => {
  it('shows all of one turn in order, whichever way they come', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('history');
    const only = broker.exchange('only', { type: 'fanout' }).bind(topic);
    const both = broker.exchange('both', { type: 'fanout' }).bind(topic).bind(broker.queue('aside'));
    const ways = [
      (n: number) => topic.publish(n),
      (n: number) => topic.publishMany([{ body: n }]),
      (n: number) => only.publish('', n),
      (n: number) => both.publish('', n),
    ];
    const seen: number[] = [];
    topic.group('a').consume(({ body }) => void seen.push(body));
    await expectPairsInOrder(ways, seen, quiet);
  });

  it('gets a message with all others that match, or none does', async () => {
    const { broker } = await open();
    const topic = broker.topic('history', { partitions: 4 });
    const full = broker.queue('full', { maxLength: 1 });
    const exchange = broker.exchange('x').bind(topic, '#').bind(full, 'a');
    expect((await exchange.publish('a', 1, { key: 'k' })).destinations.toSorted()).toEqual(['full', 'history']);
    await expect(exchange.publish('a', 2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    await exchange.publish('b', 3);
    expect(await contents(topic)).toEqual([1, 3]);
  });

  it.each([{ delay: 5 }, { deliverAt: new Date(5) }, { ttl: 5 }, { priority: 1 }])(
    'refuses %j for all destinations of the message',
    async (options) => {
      const { broker } = await open();
      const topic = broker.topic('history');
      const queue = broker.queue('q', { priorities: 2 });
      const exchange = broker.exchange('x').bind(queue, '#').bind(topic, 'kept');
      await expect(exchange.publish('kept', 1, options)).rejects.toThrow(
        /topic "history" has no priority, delay or ttl/,
      );
      expect(queue.stats().accepted).toBe(0);
      expect(await contents(topic)).toEqual([]);
      expect((await exchange.publish('other', 1, options)).destinations).toEqual(['q']);
    },
  );

  it('puts messages by their key, through exchanges as without', async () => {
    const { broker } = await open();
    const topic = broker.topic('history', { partitions: 8 });
    const exchange = broker.exchange('x').bind(topic, '#');
    for (const key of ['a', 'b', 'c', 'd']) {
      const { partition } = await topic.publish('direct', { key });
      await exchange.publish('any', 'routed', { key });
      const kept: unknown[] = [];
      for await (const message of topic.read({ partition, follow: false })) {
        if (message.key === key) kept.push(message.body);
      }
      expect(kept).toEqual(['direct', 'routed']);
    }
  });

  it('takes what an exchange cannot route, and the dead letters of queues', async () => {
    const { broker, clock, quiet } = await open();
    const lost = broker.topic('lost');
    await broker.exchange('x', { alternate: lost }).publish('nobody.listens', 1);
    await broker.exchange('y', { alternate: 'lost' }).publish('nobody.listens', 2);
    const queue = broker.queue('q', { deadLetter: lost, ttl: 10 });
    await queue.send(3, { key: 'k', priority: 0 });
    await clock.advance(10);
    await quiet();
    expect(await contents(lost)).toEqual([1, 2, 3]);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 1 });
    expect(queue.deadLetters).toBeUndefined();
  });

  it('loses its bindings when it is deleted', async () => {
    const { broker } = await open();
    const topic = broker.topic('history');
    const exchange = broker.exchange('x').bind(topic, '#');
    await broker.delete('history');
    expect(exchange.bindings()).toEqual([]);
    expect((await exchange.publish('a', 1)).destinations).toEqual([]);
    await expect(topic.publish(1)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
    expect(() => topic.group('g')).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_DESTINATION' }));
  });
});
