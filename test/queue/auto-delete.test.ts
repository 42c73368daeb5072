import { expect, it } from 'vitest';
import { onEachStorage } from '../fixtures.js';

onEachStorage('A queue that deletes itself', (open) => {
  it('goes when its last consumer has closed, and its bindings with it', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('mine', { autoDelete: true });
    const exchange = broker.exchange('events').bind(queue, '#');
    const first = queue.consume(() => undefined);
    const second = queue.consume(() => undefined);
    await first.close();
    expect(broker.stats().queues).toHaveLength(1);
    await second.close();
    expect(broker.stats().queues).toEqual([]);
    expect(exchange.bindings()).toEqual([]);
    await expect(queue.send(1)).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
  });

  it('stays before its first consumer has come', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('mine', { autoDelete: true });
    await queue.send(1);
    (await queue.receive())!.ack();
    await quiet();
    expect(broker.stats().queues).toHaveLength(1);
  });

  it('stays where a new consumer comes before the last one has closed', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('mine', { autoDelete: true });
    const closing = queue.consume(() => undefined).close();
    const next = queue.consume(() => undefined);
    await closing;
    expect(broker.stats().queues).toHaveLength(1);
    await next.close();
    expect(broker.stats().queues).toEqual([]);
  });

  it('waits for the handler that is still running', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('mine', { autoDelete: true });
    let finish!: () => void;
    const consumer = queue.consume(() => new Promise<void>((resolve) => (finish = resolve)));
    await queue.send(1);
    await quiet();
    const closed = consumer.close();
    await quiet();
    expect(queue.stats()).toMatchObject({ unacked: 1 });
    expect(broker.stats().queues).toHaveLength(1);
    finish();
    await closed;
    expect(queue.stats()).toMatchObject({ acked: 1 });
    expect(broker.stats().queues).toEqual([]);
  });

  it('is never written to the storage: its receipts say memory', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('mine', { autoDelete: true });
    expect((await queue.send(1)).durability).toBe('memory');
    const volatile = broker.queue<number>('volatile', { durable: false });
    expect((await volatile.send(1)).durability).toBe('memory');
  });

  it('may be made again, and is new then', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('mine', { autoDelete: true });
    await queue.send(1);
    queue.pause();
    await queue.consume(() => undefined).close();
    const again = broker.queue<number>('mine', { autoDelete: true });
    expect(again).not.toBe(queue);
    expect(again.stats().accepted).toBe(0);
  });
});
