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
});
