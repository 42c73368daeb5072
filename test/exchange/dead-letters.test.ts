import { expect, it } from 'vitest';
import type { Broker, Queue } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

async function rejectAll(queue: Queue): Promise<void> {
  for (let message = await queue.receive(); message !== undefined; message = await queue.receive()) message.reject();
}

const queueNames = (broker: Broker): string[] => broker.stats().queues.map(({ name }) => name);

onEachStorage('Dead letters that an exchange forwards', (open) => {
  it('go by their headers, where it is a headers exchange', async () => {
    const { broker, quiet } = await open();
    const [urgent, rest] = [broker.queue('urgent'), broker.queue('rest')];
    const graves = broker.exchange('graves', { type: 'headers', alternate: rest });
    graves.bind(urgent, { headers: { urgent: true } });
    const queue = broker.queue('orders', { deadLetter: graves });
    await queue.send('a', { headers: { urgent: true } });
    await queue.send('b', { headers: { urgent: false } });
    await queue.send('c');
    await rejectAll(queue);
    await quiet();
    expect(await waiting(urgent)).toEqual(['a']);
    expect(await waiting(rest)).toEqual(['b', 'c']);
  });

  it('go on from exchange to exchange, once to each queue', async () => {
    const { broker, quiet } = await open();
    const graves = broker.queue('graves');
    const inner = broker.exchange('inner', { internal: true }).bind(graves, 'dead.#').bind(graves, '#');
    broker.exchange('outer', { type: 'fanout' }).bind(inner).bind(graves);
    const queue = broker.queue('orders', { deadLetter: 'outer', deadLetterRoutingKey: 'dead.orders' });
    await queue.send('a');
    await rejectAll(queue);
    await quiet();
    expect(await waiting(graves)).toEqual(['a']);
    expect((await graves.receive())!).toMatchObject({ routingKey: 'dead.orders', deaths: [{ source: 'orders' }] });
  });

  it('end in <name>.dlq where its alternate is a name that nothing has', async () => {
    const { broker, quiet } = await open();
    broker.exchange('graves', { alternate: 'lost' });
    const queue = broker.queue('orders', { deadLetter: 'graves' });
    const warnings: string[] = [];
    broker.on('warning', ({ message }) => warnings.push(message));
    await queue.send('a');
    await rejectAll(queue);
    await quiet();
    expect(queueNames(broker)).toEqual(['orders', 'orders.dlq']);
    expect(await waiting(broker.queue('orders.dlq'))).toEqual(['a']);
    expect(warnings).toHaveLength(1);
  });

  it('find the queues that are bound when they die, not when their queue was declared', async () => {
    const { broker, quiet } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const graves = broker.exchange('graves', { type: 'fanout' }).bind(a);
    const queue = broker.queue('orders', { deadLetter: 'graves' });
    await queue.send(1);
    await rejectAll(queue);
    graves.bind(b).unbind(a);
    await queue.send(2);
    await rejectAll(queue);
    await broker.delete('graves');
    await queue.send(3);
    await rejectAll(queue);
    await quiet();
    expect(await waiting(a)).toEqual([1]);
    expect(await waiting(b)).toEqual([2]);
    // The name is nobody's any more: it becomes a queue.
    expect(await waiting(broker.queue('graves'))).toEqual([3]);
  });

  it('do not count as published', async () => {
    const { broker, quiet } = await open();
    broker.exchange('graves', { type: 'fanout' }).bind(broker.queue('all'));
    const queue = broker.queue('orders', { deadLetter: 'graves' });
    await queue.send(1);
    await rejectAll(queue);
    await quiet();
    expect(broker.stats().exchanges).toMatchObject([{ published: 0, unroutable: 0 }]);
  });
});

onEachStorage('redrive() to an exchange', (open) => {
  it.each(['by name', 'by handle'])('given %s routes each message by its key; what has no way stays', async (how) => {
    const { broker, quiet } = await open();
    const fixed = broker.queue('fixed');
    const queue = broker.queue('orders');
    const entry = broker.exchange('entry').bind(queue, '#');
    const repair = broker.exchange('repair').bind(fixed, 'order.*');
    await entry.publish('order.created', 1);
    await entry.publish('user.created', 2);
    await queue.send(3);
    await rejectAll(queue);
    await quiet();
    const dead = queue.deadLetters!;
    expect(await dead.redrive({ to: how === 'by name' ? 'repair' : repair })).toBe(1);
    expect(await waiting(fixed)).toEqual([1]);
    expect(await waiting(dead)).toEqual([2, 3]);
  });
});
