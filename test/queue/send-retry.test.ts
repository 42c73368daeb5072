import { expect, it } from 'vitest';
import { MemoryStorage, SluiceError, exponential, fixed } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/index.js';
import { onEachStorage, waiting, watch } from '../fixtures.js';

const full = (): SluiceError => new SluiceError('ERR_STORAGE_FULL', 'no space left');

onEachStorage('Sending with retry', (open) => {
  it('tries again while the queue is full, after the backoff, under the same id', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    const sent = watch(queue.send(2, { retry: { attempts: 3, backoff: fixed('1s') } }));
    await clock.advance('1s');
    expect(sent.state).toBe('pending');
    (await queue.receive())!.ack();
    await clock.advance(999);
    expect(sent.state).toBe('pending');
    await clock.advance(1);
    await quiet();
    expect(sent.state).toBe('resolved');
    expect((await queue.peek()).map(({ id, body }) => [id, body])).toEqual([[sent.value!.id, 2]]);
  });

  it('gives up after as many attempts, with the last error', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    const tried: number[] = [];
    const backoff = (attempt: number, error: unknown): number => {
      expect(error).toMatchObject({ code: 'ERR_QUEUE_FULL' });
      tried.push(attempt);
      return 10;
    };
    const sent = watch(queue.send(2, { retry: { attempts: 3, backoff } }));
    await clock.advance(100);
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_QUEUE_FULL' } });
    expect(tried).toEqual([1, 2]);
  });

  it('does not try again without retry, and five times where only a backoff is given', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    await expect(queue.send(2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    let waits = 0;
    const sent = watch(queue.send(3, { retry: { backoff: () => (waits++, 1) } }));
    await clock.advance(100);
    expect(sent.state).toBe('rejected');
    expect(waits).toBe(4);
  });

  it('tries again when the storage is full', async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const { broker, clock } = await open({ storage });
    const queue = broker.queue<number>('orders');
    storage.failNext('write', full());
    storage.failNext('write', full());
    const sent = watch(queue.send(1, { retry: { attempts: 5, backoff: exponential({ base: 10, jitter: 'none' }) } }));
    await clock.advance(29);
    expect(sent.state).toBe('pending');
    await clock.advance(1);
    expect(sent.state).toBe('resolved');
    expect(queue.stats().accepted).toBe(1);
  });

  it('does not try again for an error that will not pass', async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const { broker } = await open({ storage });
    const queue = broker.queue<unknown>('orders');
    const retry = { attempts: 10, backoff: fixed(0) };
    storage.failNext('write');
    await expect(queue.send(1, { retry })).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
    await expect(queue.send(1n, { retry })).rejects.toMatchObject({ code: 'ERR_NOT_SERIALIZABLE' });
    await queue.send(2);
  });

  it('stops waiting for its next try when the signal aborts', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    const controller = new AbortController();
    const retry = { attempts: 10, backoff: fixed('1h') };
    const sent = watch(queue.send(2, { retry, signal: controller.signal }));
    await quiet();
    controller.abort('enough');
    await quiet();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_ABORTED', cause: 'enough' } });
    await queue.purge();
    await clock.advance('2h');
    expect(await waiting(queue)).toEqual([]);
  });

  it('stops waiting for its next try when the broker closes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    const sent = watch(queue.send(2, { retry: { attempts: 10, backoff: fixed('1h') } }));
    await quiet();
    await broker.close();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_CLOSED' } });
  });

  it('stops waiting for its next try when the queue is deleted', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    const sent = watch(queue.send(2, { retry: { attempts: 10, backoff: fixed(10) } }));
    await quiet();
    await broker.delete('orders');
    await clock.advance(20);
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_UNKNOWN_DESTINATION' } });
  });

  it('reports a backoff that throws, and waits for the default', async () => {
    const { broker, clock, reported } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    const backoff = (): number => {
      throw new Error('backoff is broken');
    };
    const sent = watch(queue.send(2, { retry: { attempts: 2, backoff } }));
    await clock.advance('1m');
    expect(sent.state).toBe('rejected');
    expect(reported().map(({ message }) => message)).toEqual(['backoff is broken']);
  });
});

onEachStorage('Sending with a signal', (open) => {
  it('gives up while the storage is still writing; what was stored stays stored', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const controller = new AbortController();
    const sent = watch(queue.send(1, { signal: controller.signal }));
    controller.abort();
    await quiet();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_ABORTED' } });
    expect(queue.stats().ready).toBe(queue.stats().accepted);
  });

  it('is not touched by an abort that comes after it resolved', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const controller = new AbortController();
    await queue.send(1, { signal: controller.signal });
    controller.abort();
    expect(await waiting(queue)).toEqual([1]);
  });
});
