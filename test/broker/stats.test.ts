import { expect, it } from 'vitest';
import { Broker, MemoryStorage, type StorageOp } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/index.js';
import { fill, onEachStorage } from '../fixtures.js';

/** Whether JSON loses anything but dates, which it writes as text. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  if (Array.isArray(value)) return value.every(isPlain);
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value as object).every(isPlain);
}

onEachStorage('stats()', (open) => {
  async function lively(): Promise<{ broker: Broker; quiet: () => Promise<void> }> {
    const bench = await open();
    const { broker } = bench;
    const queue = broker.queue<number>('a', { maxLength: 100, retry: { attempts: Infinity } });
    broker.exchange('x', { type: 'fanout' }).bind(queue).bind(broker.queue('b'));
    await broker.exchange('x').publish('k', 1);
    await fill(queue, 5);
    await queue.send(6, { delay: '1h' });
    (await queue.receive())!.ack();
    (await queue.receive())!.reject();
    await queue.receive();
    await bench.quiet();
    return bench;
  }

  it('is plain JSON: every queue and exchange, and the storage', async () => {
    const { broker } = await lively();
    const stats = broker.stats();
    expect(isPlain(stats)).toBe(true);
    const json = JSON.parse(JSON.stringify(stats)) as typeof stats;
    expect(json).toMatchObject({
      queues: [
        {
          name: 'a',
          ready: 3,
          delayed: 1,
          unacked: 1,
          bytes: 4,
          consumers: 0,
          accepted: 7,
          delivered: 3,
          acked: 1,
          retried: 0,
          deadLettered: 1,
          dropped: 0,
          removed: 0,
          deduplicated: 0,
          oldest: '2026-01-01T00:00:00.000Z',
          declared: true,
        },
        { name: 'b', ready: 1, accepted: 1 },
        { name: 'a.dlq', ready: 1, accepted: 1, declared: false },
      ],
      exchanges: [{ name: 'x', type: 'fanout', bindings: 2, published: 1, unroutable: 0 }],
      storage: { durability: expect.any(String) },
    });
  });

  it('is a snapshot: it changes neither later, nor anything', async () => {
    const { broker } = await lively();
    const before = broker.stats();
    const copy = structuredClone(before);
    expect(broker.stats()).toEqual(before);
    await broker.queue('a').send(7);
    expect(before).toEqual(copy);
    (before.queues as unknown[]).length = 0;
    expect(broker.stats().queues).toHaveLength(3);
    expect(broker.queue('a').stats()).toEqual(broker.stats().queues[0]);
  });

  it('counts consumers of all kinds', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue('a');
    const consumers = [queue.consume(() => undefined), queue.consumeBatch(() => undefined)];
    expect(queue.stats().consumers).toBe(2);
    await consumers[0]!.close();
    await quiet();
    expect(queue.stats().consumers).toBe(1);
    await consumers[1]!.close();
    expect(queue.stats().consumers).toBe(0);
  });

  it('includes what a storage says of itself', async () => {
    const { broker } = await open();
    expect(Object.values(broker.stats().storage).every((value) => ['string', 'number'].includes(typeof value))).toBe(
      true,
    );
  });
});

onEachStorage('The figures of an exchange', (open) => {
  it('leave out what was refused', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('x').bind(broker.queue('q', { maxLength: 1 }), 'a');
    await exchange.publish('a', 1);
    await expect(exchange.publish('a', 2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    await expect(exchange.publish('a', undefined)).rejects.toMatchObject({ code: 'ERR_NOT_SERIALIZABLE' });
    expect(broker.stats().exchanges).toMatchObject([{ published: 1, unroutable: 0 }]);
  });
});

/** Somebody's own: nothing of it lasts, and it takes its time. */
class Remote extends MemoryStorage {
  override write(batch: readonly StorageOp[]): Promise<void> {
    return Promise.resolve(super.write(batch));
  }
}

it.each(['queue', 'topic'] as const)('leave out what a storage refuses later, of a %s', async (kind) => {
  const storage = new FaultyStorage(new Remote());
  const broker = await Broker.open({ storage });
  const exchange = broker.exchange('x').bind(kind === 'queue' ? broker.queue('q') : broker.topic('q'), 'a');
  await exchange.publish('a', 1);
  storage.failNext('write');
  await expect(exchange.publish('a', 2)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
  expect(broker.stats().exchanges).toMatchObject([{ published: 1, unroutable: 0 }]);
  await broker.close();
});
