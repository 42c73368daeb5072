import { expect, it } from 'vitest';
import { exponential, fixed, type QueueOptions } from '../../src/index.js';
import { onEachStorage, schemaOf } from '../fixtures.js';

onEachStorage('Declaring a queue', (open) => {
  it('gives the same object for the same name, with or without options', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { maxLength: 5 });
    expect(broker.queue('orders')).toBe(queue);
    expect(broker.queue('orders', { maxLength: 5 })).toBe(queue);
    expect(queue.name).toBe('orders');
  });

  it('adopts the options of the first declaration that has any', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    broker.queue('orders', { maxLength: 1 });
    await queue.send(1);
    await expect(queue.send(2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  });

  it.each<[QueueOptions, QueueOptions]>([
    [{ maxLength: 5 }, { maxLength: 6 }],
    [{ maxLength: 5 }, { maxBytes: 6 }],
    [{ retry: { attempts: 3 } }, { retry: { attempts: 4 } }],
    [{ deadLetter: 'a' }, { deadLetter: 'b' }],
    [{ deadLetter: 'a' }, { deadLetter: false }],
    [{ maxLength: 5 }, { deadLetter: 'somewhere' }],
    [{ ttl: '1s' }, { ttl: '2s' }],
    [{ overflow: 'block' }, { overflow: 'reject' }],
    [{ durable: false }, { durable: true }],
    [{ maxLength: 5 }, { durable: false }],
    [{ ordering: 'key' }, { ordering: 'none' }],
    [{ priorities: 2 }, { priorities: 3 }],
    [{ ackTimeout: '1m' }, { ackTimeout: false }],
    [{ singleActiveConsumer: true }, { singleActiveConsumer: false }],
    [{ autoDelete: true }, { autoDelete: false }],
  ])('refuses %j, and then %j, with ERR_DECLARATION_MISMATCH', async (first, second) => {
    const { broker } = await open();
    broker.queue('orders', first);
    const [option] = Object.keys(second);
    expect(() => broker.queue('orders', second)).toThrow(
      expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH', message: expect.stringContaining(option!) }),
    );
  });

  it.each<[QueueOptions, QueueOptions]>([
    [{ maxLength: 5, ttl: '1s' }, { ttl: '1s' }],
    [{ ttl: '1s' }, { ttl: 1000 }],
    [{ ackTimeout: '1m' }, { ackTimeout: '60s' }],
    [{ maxLength: 5 }, { maxLength: undefined }],
    [{ overflow: undefined }, { overflow: 'reject' }],
    [{ maxLength: 5 }, { overflow: 'reject', durable: true, priorities: 1 }],
    [{ maxLength: 5 }, { deadLetter: 'orders.dlq' }],
    [
      { retry: { attempts: 3, backoff: exponential({ base: 5 }) } },
      { retry: { attempts: 3, backoff: exponential({ base: 5 }) } },
    ],
    [{ retry: { backoff: fixed(1) } }, { retry: { backoff: fixed(2) } }],
    [{ schema: schemaOf((value) => value) }, { schema: schemaOf((value) => value) }],
  ])('takes %j, and then %j: the same where it was given', async (first, second) => {
    const { broker } = await open();
    const queue = broker.queue('orders', first);
    expect(broker.queue('orders', second)).toBe(queue);
  });

  it('compares a dead-letter handle and its name as one', async () => {
    const { broker } = await open();
    const graves = broker.queue('graves');
    const queue = broker.queue('orders', { deadLetter: graves });
    expect(broker.queue('orders', { deadLetter: 'graves' })).toBe(queue);
  });

  it('lets options come late to a queue that holds messages, but not another durability or fewer priorities', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    await queue.send(1);
    expect(() => broker.queue('orders', { durable: false })).toThrow(
      expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH' }),
    );
    broker.queue('orders', { priorities: 3, maxLength: 1 });
    await expect(queue.send(2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  });

  it('lets a ttl that comes late bind the messages that are there', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders');
    await queue.send(1);
    await clock.advance(5);
    broker.queue('orders', { ttl: 10 });
    await clock.advance(4);
    expect(queue.stats().ready).toBe(1);
    await clock.advance(1);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 1 });
  });

  it('refuses the name of an exchange', async () => {
    const { broker } = await open();
    broker.exchange('events');
    expect(() => broker.queue('events')).toThrow(expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH' }));
    broker.queue('orders');
    expect(() => broker.exchange('orders')).toThrow(expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH' }));
  });

  it('refuses a dead-letter handle of another broker', async () => {
    const { broker } = await open();
    const { broker: other } = await open();
    const foreign = other.queue('graves');
    expect(() => broker.queue('orders', { deadLetter: foreign })).toThrow(TypeError);
    expect(broker.stats().queues).toEqual([]);
  });

  it('says in the stats that somebody asked for it, unlike a dead-letter queue that was made by itself', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { retry: { attempts: 1 } });
    await queue.send(1);
    (await queue.receive())!.reject();
    await broker.idle();
    expect(broker.stats().queues.map(({ name, declared }) => [name, declared])).toEqual([
      ['orders', true],
      ['orders.dlq', false],
    ]);
    broker.queue('orders.dlq');
    expect(broker.queue('orders.dlq').stats().declared).toBe(true);
  });
});
