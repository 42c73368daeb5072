import { describe, expect, it } from 'vitest';
import { Broker, reference } from '../../src/index.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { balanced } from '../fixtures.js';

describe('The reference codec', () => {
  it('passes bodies by reference, whatever they are', async () => {
    const broker = await Broker.open({ codec: reference });
    const queue = broker.queue<() => string>('orders');
    const body = (): string => 'called';
    await queue.send(body);
    expect((await queue.receive())!.body).toBe(body);
    balanced(broker);
    await broker.close();
  });

  it('is refused at open() with a storage that cannot keep objects', async () => {
    const opened = Broker.open({ codec: reference, storage: new JournalStorage() });
    await expect(opened).rejects.toThrow(TypeError);
  });

  it('is refused at the declaration of a queue with maxBytes, since its bodies have none', async () => {
    const broker = await Broker.open({ codec: reference });
    expect(() => broker.queue('orders', { maxBytes: 100 })).toThrow(TypeError);
    expect(broker.stats().queues).toEqual([]);
    await broker.queue('orders', { maxLength: 1 }).send(() => 1);
    expect(broker.queue('orders').stats().bytes).toBe(0);
    await broker.close();
  });

  it('is refused at the declaration of a topic that is to keep so many bytes', async () => {
    const broker = await Broker.open({ codec: reference });
    expect(() => broker.topic('readings', { retention: { bytes: 100 } })).toThrow(
      'retention.bytes needs bodies that have bytes; with the reference codec use retention.messages; got retention.bytes 100',
    );
    expect(broker.stats().topics).toEqual([]);
    const topic = broker.topic('readings', { retention: { messages: 1, bytes: Infinity } });
    await topic.publishMany([{ body: () => 1 }, { body: () => 2 }]);
    expect(topic.stats().partitions).toEqual([{ first: 1, next: 2, bytes: 0 }]);
    await broker.close();
  });
});
