import { expect, it } from 'vitest';
import { fill, onEachStorage, watch } from '../fixtures.js';

onEachStorage('A queue with a single active consumer', (open) => {
  it('gives everything to the first that came', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const handled: Record<string, number[]> = { first: [], second: [] };
    queue.consume(({ body }) => void handled['first']!.push(body));
    queue.consume(({ body }) => void handled['second']!.push(body), { concurrency: 10 });
    await fill(queue, 10);
    await quiet();
    expect(handled).toEqual({ first: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], second: [] });
  });

  it('gives nothing to the next while the active one is busy, paused, or at its prefetch', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    let second = 0;
    const first = queue.consume(() => undefined, { ack: 'manual' });
    queue.consume(() => void second++);
    await fill(queue, 3);
    await quiet();
    first.pause();
    await quiet();
    expect(second).toBe(0);
    expect(queue.stats()).toMatchObject({ unacked: 1, ready: 2 });
  });

  it('goes over to the next in line when the active one has closed', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const log: string[] = [];
    const consumers = ['a', 'b', 'c'].map((name) =>
      queue.consume(({ body }) => void log.push(`${name}${body}`), { name }),
    );
    await queue.send(1);
    await quiet();
    await consumers[0]!.close();
    await queue.send(2);
    await quiet();
    await consumers[1]!.close();
    await queue.send(3);
    await quiet();
    expect(log).toEqual(['a1', 'b2', 'c3']);
  });

  it('hands a backlog over as soon as the active one goes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const handled: number[] = [];
    const first = queue.consume(() => undefined);
    first.pause();
    queue.consume(({ body }) => void handled.push(body));
    await fill(queue, 3);
    await quiet();
    expect(handled).toEqual([]);
    await first.close();
    await quiet();
    expect(handled).toEqual([0, 1, 2]);
  });

  it('keeps its turn in line when another that waits goes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const log: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => queue.consume(() => void log.push(name), { name }));
    await b!.close();
    await a!.close();
    await queue.send(1);
    await quiet();
    expect(log).toEqual(['c']);
    await c!.close();
  });

  it('counts receive() as a consumer: while another is active it waits', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const consumer = queue.consume(() => undefined);
    consumer.pause();
    await queue.send(1);
    expect(await queue.receive()).toBeUndefined();
    const waits = watch(queue.receive({ wait: '1h' }));
    await quiet();
    expect(waits.state).toBe('pending');
    await consumer.close();
    await quiet();
    expect(waits.value!.body).toBe(1);
  });

  it('lets a consumer wait for a receive() that is active', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const received = watch(queue.receive({ wait: '1h' }));
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await fill(queue, 3);
    await quiet();
    expect(received.value!.body).toBe(0);
    expect(handled).toEqual([1, 2]);
  });

  it('may run several handlers of the active one', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    queue.consume(() => new Promise(() => undefined), { concurrency: 4 });
    queue.consume(() => new Promise(() => undefined), { concurrency: 4 });
    await fill(queue, 10);
    await quiet();
    expect(queue.stats().unacked).toBe(4);
  });
});
