import { describe, expect, it } from 'vitest';
import { Broker, fixed, MemoryStorage, type Storage, type StoredEntry } from '../../src/index.js';
import { deferred, fill, onEachStorage, waiting, watch } from '../fixtures.js';

onEachStorage('Purging a queue', (open) => {
  it('removes ready and delayed messages, and resolves with how many', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 600);
    await queue.send(600, { delay: '1m' });
    expect(await queue.purge()).toBe(601);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, bytes: 0, removed: 601, accepted: 601 });
    expect(await waiting(queue)).toEqual([]);
    await clock.advance('1m');
    expect(await queue.receive()).toBeUndefined();
    expect(await queue.purge()).toBe(0);
  });

  it('removes what backs off', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { backoff: fixed(10) } });
    await fill(queue, 2);
    (await queue.receive())!.nack();
    expect(await queue.purge()).toBe(2);
    await clock.advance(100);
    expect(await queue.receive()).toBeUndefined();
  });

  it('leaves what is in hand: it can be acknowledged, or come back', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 4);
    const first = (await queue.receive())!;
    const second = (await queue.receive())!;
    expect(await queue.purge()).toBe(2);
    expect(queue.stats()).toMatchObject({ unacked: 2, removed: 2 });
    expect(first.ack()).toBe(true);
    second.requeue();
    expect(await waiting(queue)).toEqual([1]);
    expect((await queue.receive())!.body).toBe(1);
  });

  it('lets later messages through as if nothing had been', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    await fill(queue, 300);
    await queue.purge();
    queue.consume(({ body }) => void handled.push(body));
    await fill(queue, 300);
    await quiet();
    expect(handled).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  it('removes what waits for the turn of its key, and frees the key', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    for (const body of ['a', 'b', 'c']) await queue.send(body, { key: 'k' });
    const held = (await queue.receive())!;
    expect(await queue.receive()).toBeUndefined();
    expect(await queue.purge()).toBe(2);
    await queue.send('d', { key: 'k' });
    expect(await queue.receive()).toBeUndefined();
    held.ack();
    await quiet();
    expect((await queue.receive())!.body).toBe('d');
  });

  it('frees the key of a message that was backing off', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key', retry: { backoff: fixed('1h') } });
    await queue.send('a', { key: 'k' });
    (await queue.receive())!.nack();
    await queue.purge();
    await queue.send('b', { key: 'k' });
    expect((await queue.receive())!.body).toBe('b');
  });

  it('removes all levels', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { priorities: 3 });
    for (let n = 0; n < 6; n++) await queue.send(n, { priority: n % 3 });
    expect(await queue.purge()).toBe(6);
    expect(await queue.receive()).toBeUndefined();
  });

  it('is safe while messages are read, taken and sent', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2000);
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body), { concurrency: 4 });
    const sent = fill(queue, 500);
    const removed = await queue.purge();
    await sent;
    await quiet();
    await broker.idle();
    expect(queue.stats()).toMatchObject({ accepted: 2500, removed, acked: handled.length, ready: 0 });
    expect(handled.length + removed).toBe(2500);
  });

  it('dead-letters nothing', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const told: unknown[] = [];
    broker.on('deadLettered', (event) => told.push(event));
    await fill(queue, 10);
    await queue.purge();
    expect(told).toEqual([]);
    expect(broker.stats().queues).toHaveLength(1);
  });
});

describe('Purging what is being read', () => {
  it('answers who waits for it', async () => {
    const inner = new MemoryStorage();
    const gate = deferred();
    const read = async (...call: Parameters<Storage['read']>): Promise<readonly StoredEntry[]> => {
      await gate.promise;
      return inner.read(...call);
    };
    const storage: Storage = {
      durability: inner.durability,
      open: () => inner.open(),
      write: (batch) => inner.write(batch),
      read,
      close: () => inner.close(),
    };
    const broker = await Broker.open({ storage });
    const queue = broker.queue<number>('orders');
    await fill(queue, 1100);
    const batches: number[] = [];
    queue.consumeBatch((batch) => void batches.push(batch.length), { size: 1100 });
    await nextTurns();
    const received = watch(queue.receive());
    await nextTurns();
    expect(batches).toEqual([]);
    expect(received.state).toBe('pending');
    await queue.purge();
    await nextTurns();
    expect(received).toMatchObject({ state: 'resolved', value: undefined });
    expect(batches).toHaveLength(1);
    gate.resolve();
    await broker.close();
  });
});

async function nextTurns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
