import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { deferred, fill, onEachStorage, watch } from '../fixtures.js';

onEachStorage('Closing a consumer', (open) => {
  it('takes nothing more, and resolves when its running handlers are done', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    const consumer = queue.consume(() => gate.promise, { concurrency: 2 });
    await fill(queue, 5);
    await quiet();
    const closed = watch(consumer.close());
    await quiet();
    expect(closed.state).toBe('pending');
    gate.resolve();
    await quiet();
    expect(closed.state).toBe('resolved');
    expect(queue.stats()).toMatchObject({ acked: 2, ready: 3, consumers: 0 });
  });

  it('resolves at once where nothing runs, and as often as it is called', async () => {
    const { broker } = await open();
    const consumer = broker.queue('orders').consume(() => undefined);
    await consumer.close();
    await consumer.close();
    await consumer[Symbol.asyncDispose]();
    expect(broker.queue('orders').stats().consumers).toBe(0);
  });

  it('leaves what waits to other consumers', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    const first = queue.consume(() => undefined, { ack: 'manual' });
    await fill(queue, 5);
    await quiet();
    await first.close();
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual([1, 2, 3, 4]);
  });

  it('gives up after 10 s: signals abort, and messages go back at no cost in attempts', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const held: Delivery<number>[] = [];
    const consumer = queue.consume((message) => {
      held.push(message);
      expect(message.signal.aborted).toBe(false);
      return new Promise(() => undefined);
    });
    await queue.send(1);
    await quiet();
    const closed = watch(consumer.close());
    await clock.advance(9999);
    expect(closed.state).toBe('pending');
    await clock.advance(1);
    expect(closed.state).toBe('resolved');
    expect(held[0]!.signal.reason).toMatchObject({ code: 'ERR_CLOSED' });
    expect(held[0]!.ack()).toBe(false);
    expect(await queue.receive()).toMatchObject({ body: 1, attempt: 1, deliveries: 2 });
  });

  it('gives up at once with timeout 0, without a clock that moves', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const consumer = queue.consume(() => new Promise(() => undefined));
    await fill(queue, 2);
    await quiet();
    await consumer.close({ timeout: 0 });
    expect(queue.stats()).toMatchObject({ ready: 2, unacked: 0, consumers: 0, retried: 0 });
  });

  it('resolves when the broker is closed, whatever its handlers do, called before or after', async () => {
    const { broker, quiet } = await open();
    const never = (): Promise<never> => new Promise(() => undefined);
    const sources = [broker.queue<number>('orders'), broker.topic<number>('placed', { partitions: 3 }).group('a')];
    const consumers = sources.flatMap((source) => [
      source.consume(never, { ack: 'none' }),
      source.consumeBatch(never, { ack: 'none' }),
      source.consume(never),
    ]);
    await fill(broker.queue<number>('orders'), 1000);
    await broker.topic<number>('placed').publishMany(Array.from({ length: 1000 }, (_, body) => ({ body })));
    await quiet();
    const before = consumers.map((consumer, n) => (n % 2 === 0 ? watch(consumer.close({ timeout: '1h' })) : undefined));
    await broker.close({ timeout: 0 });
    const after = consumers.map((consumer) => watch(consumer.close()));
    await quiet();
    for (const closed of [...before, ...after]) expect(closed?.state ?? 'resolved').toBe('resolved');
  });

  it('does not touch what returns in time, also with a timeout', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gate = deferred();
    const consumer = queue.consume(() => gate.promise);
    await queue.send(1);
    await quiet();
    const closed = watch(consumer.close({ timeout: '1m' }));
    await clock.advance('30s');
    gate.resolve();
    await quiet();
    expect(closed.state).toBe('resolved');
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 0 });
  });

  it('retries what fails meanwhile, by another consumer', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { backoff: fixed(10) } });
    const gate = deferred();
    const consumer = queue.consume(() => gate.promise);
    await queue.send(1);
    await quiet();
    const closed = consumer.close();
    gate.reject(new Error('no'));
    await closed;
    let attempt = 0;
    queue.consume((message) => void (attempt = message.attempt));
    await clock.advance(10);
    expect(attempt).toBe(2);
  });

  it('keeps the unsettled messages of manual handlers that returned: they can still be settled', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1m', retry: { attempts: 1 } });
    const held: Delivery<number>[] = [];
    const consumer = queue.consume((message) => void held.push(message), { ack: 'manual', prefetch: 3 });
    await fill(queue, 3);
    await quiet();
    await consumer.close();
    expect(queue.stats()).toMatchObject({ unacked: 3, consumers: 0 });
    expect(held[0]!.ack()).toBe(true);
    expect(held[1]!.signal.aborted).toBe(false);
    expect(held[1]!.requeue()).toBe(true);
    await clock.advance('1m');
    expect(held[2]!.ack()).toBe(false);
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 1, deadLettered: 1, unacked: 0 });
  });

  it('leaves nothing behind of one whose messages were settled later', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    for (let n = 0; n < 50; n++) {
      const held: Delivery<number>[] = [];
      const consumer = queue.consume((delivery) => void held.push(delivery), { ack: 'manual' });
      await queue.send(n);
      await quiet();
      await consumer.close();
      expect(held.map((one) => one.ack())).toEqual([true]);
    }
    expect(queue.subscription.leftHands.size).toBeLessThan(2);
  });

  it('with timeout 0 keeps them as well, and gives back those that are still handled', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const held: Delivery<number>[] = [];
    const consumer = queue.consume(
      (message) => {
        held.push(message);
        return message.body === 0 ? undefined : new Promise(() => undefined);
      },
      { ack: 'manual', prefetch: 2 },
    );
    await fill(queue, 2);
    await quiet();
    await consumer.close({ timeout: 0 });
    expect(queue.stats()).toMatchObject({ unacked: 1, ready: 1 });
    expect(held.map((message) => message.ack())).toEqual([true, false]);
  });

  it('happens when its signal aborts, now or before it began', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const controller = new AbortController();
    let handled = 0;
    queue.consume(() => void handled++, { signal: controller.signal });
    queue.consume(() => void handled++, { signal: AbortSignal.abort() });
    await fill(queue, 2);
    await quiet();
    expect(handled).toBe(2);
    controller.abort();
    await quiet();
    expect(queue.stats().consumers).toBe(0);
    await queue.send(3);
    await quiet();
    expect(handled).toBe(2);
  });

  it('leaves no listener on its signal, nor do sends and receives that are over', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block' });
    const { signal } = new AbortController();
    await queue.send(1, { signal });
    await queue.receive({ signal });
    const waits = queue.receive({ wait: '1m', signal });
    await queue.send(2, { signal });
    expect(await waits).toBeDefined();
    await queue.consume(() => undefined, { signal }).close();
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('waits for all handlers of a batch consumer, and for the batch that is being filled', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const sizes: number[] = [];
    const gate = deferred();
    const consumer = queue.consumeBatch(
      (batch) => {
        sizes.push(batch.length);
        return gate.promise;
      },
      { size: 2, wait: '1h', concurrency: 2 },
    );
    await fill(queue, 3);
    await quiet();
    const closed = watch(consumer.close());
    await quiet();
    expect([closed.state, ...sizes]).toEqual(['pending', 2, 1]);
    gate.resolve();
    await quiet();
    expect(closed.state).toBe('resolved');
    expect(queue.stats()).toMatchObject({ acked: 3, unacked: 0 });
  });

  it('leaves no message lying that it was just called for', async () => {
    const { broker, quiet } = await open();
    for (let n = 0; n < 20; n++) {
      const queue = broker.queue<number>(`orders ${n}`);
      const closing = queue.consume(() => undefined);
      queue.consume(() => undefined);
      await quiet();
      const sent = queue.send(n);
      const closed = closing.close();
      await sent;
      await closed;
      await quiet();
      expect(queue.stats()).toMatchObject({ ready: 0, unacked: 0, acked: 1 });
    }
  });
});
