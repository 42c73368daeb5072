import { expect, it } from 'vitest';
import type { Broker } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

const names = (broker: Broker): string[] => broker.stats().exchanges.map(({ name }) => name);

onEachStorage('An exchange with autoDelete', (open) => {
  it('stays before its first binding, and goes with its last', async () => {
    const { broker } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const exchange = broker.exchange('events', { autoDelete: true });
    await exchange.publish('x', 1);
    exchange.unbind(a, 'x');
    expect(names(broker)).toEqual(['events']);
    exchange.bind(a, 'x').bind(b, 'x').unbind(a, 'x');
    expect(names(broker)).toEqual(['events']);
    exchange.unbind(b, 'x');
    expect(names(broker)).toEqual([]);
    await expect(exchange.publish('x', 1)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
  });

  it('goes in the same tick as the queue that was bound to it last', async () => {
    const { broker } = await open();
    broker.exchange('events', { autoDelete: true }).bind(broker.queue('orders'), '#');
    const deleted = broker.delete('orders');
    expect(names(broker)).toEqual([]);
    await deleted;
  });

  it('goes with an exchange that was bound to it, and takes its bindings from others along', async () => {
    const { broker } = await open();
    const inner = broker.exchange('inner');
    const middle = broker.exchange('middle', { autoDelete: true }).bind(inner, '#');
    const outer = broker.exchange('outer', { autoDelete: true }).bind(middle, '#');
    await broker.delete('inner');
    expect(names(broker)).toEqual([]);
    expect(() => outer.bindings()).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_DESTINATION' }));
  });

  it('goes with a queue that deletes itself', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue('orders', { autoDelete: true });
    broker.exchange('events', { autoDelete: true }).bind(queue, '#');
    const consumer = queue.consume(() => undefined);
    await quiet();
    expect(names(broker)).toEqual(['events']);
    await consumer.close();
    expect(broker.stats()).toMatchObject({ queues: [], exchanges: [] });
  });

  it('can be declared again under its name', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const first = broker.exchange('events', { autoDelete: true }).bind(queue, '#').unbind(queue, '#');
    const second = broker.exchange('events');
    expect(second).not.toBe(first);
    second.bind(queue, '#').unbind(queue, '#');
    expect(names(broker)).toEqual(['events']);
  });

  it('stays when the broker closes', async () => {
    const { broker } = await open();
    broker.exchange('events', { autoDelete: true }).bind(broker.queue('orders', { autoDelete: true }), '#');
    await broker.close();
    expect(names(broker)).toEqual(['events']);
  });
});
