import { expect, it } from 'vitest';
import { deferred, fill, onEachStorage, waiting, watch } from '../fixtures.js';

onEachStorage('Iterating over a queue', (open) => {
  it('gives one message at a time, for manual settling', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 4);
    const bodies: number[] = [];
    for await (const message of queue) {
      expect(queue.stats().unacked).toBe(1);
      bodies.push(message.body);
      message.ack();
      if (bodies.length === 4) break;
    }
    expect(bodies).toEqual([0, 1, 2, 3]);
    expect(queue.stats()).toMatchObject({ acked: 4, unacked: 0 });
  });

  it('gives back the one in hand when the loop ends with it unsettled, no attempt counted', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    for await (const message of queue) {
      expect(message.body).toBe(0);
      break;
    }
    expect(queue.stats()).toMatchObject({ ready: 2, unacked: 0, retried: 0 });
    expect(await queue.receive()).toMatchObject({ body: 0, attempt: 1, deliveries: 2 });
  });

  it('gives it back when the loop throws', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    const loop = async (): Promise<void> => {
      for await (const message of queue) throw new Error(`no ${message.body}`);
    };
    await expect(loop()).rejects.toThrow('no 0');
    expect(await waiting(queue)).toEqual([0, 1]);
  });

  it('leaves a settled one settled when the loop ends', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    for await (const message of queue) {
      message.ack();
      break;
    }
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 1, unacked: 0 });
  });

  it('keeps one that the loop left unsettled in hand, while it goes on', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 3);
    const held = [];
    for await (const message of queue) {
      held.push(message);
      if (held.length === 2) break;
    }
    expect(queue.stats()).toMatchObject({ unacked: 1, ready: 2 });
    expect(held.map((message) => message.ack())).toEqual([true, false]);
  });

  it('waits for messages that are still to come', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const bodies: number[] = [];
    const loop = watch(
      (async () => {
        for await (const message of queue) {
          bodies.push(message.body);
          message.ack();
        }
      })(),
    );
    await quiet();
    await queue.send(1);
    await quiet();
    await queue.send(2);
    await quiet();
    expect(bodies).toEqual([1, 2]);
    expect(loop.state).toBe('pending');
  });

  it('ends when the broker closes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const loops = [0, 1].map(() =>
      watch(
        (async () => {
          let count = 0;
          for await (const message of queue) count += Number(message.ack());
          return count;
        })(),
      ),
    );
    await fill(queue, 10);
    await quiet();
    await broker.close();
    await quiet();
    expect(loops.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    expect(loops[0]!.value! + loops[1]!.value!).toBe(10);
  });

  it('ends when the broker closes, or rejects when its source is deleted, while the loop works on a message', async () => {
    const { broker, quiet } = await open();
    const work = [deferred(), deferred(), deferred(), deferred()];
    const topic = broker.topic<number>('topic');
    const gone = [broker.queue<number>('gone'), broker.topic<number>('gone too').group('a')];
    const loops = [broker.queue<number>('orders'), topic.group('a'), ...gone].map((source, n) =>
      watch(
        (async () => {
          for await (const message of source) {
            await work[n]!.promise;
            expect(message.ack()).toBe(false);
          }
        })(),
      ),
    );
    for (const name of ['orders', 'gone']) await broker.queue<number>(name).send(1);
    for (const name of ['topic', 'gone too']) await broker.topic<number>(name).publish(1);
    await quiet();
    await broker.delete('gone');
    await broker.delete('gone too');
    await broker.close();
    for (const { resolve } of work) resolve();
    await quiet();
    expect(loops.slice(0, 2).map(({ state }) => state)).toEqual(['resolved', 'resolved']);
    for (const loop of loops.slice(2)) {
      expect(loop).toMatchObject({ state: 'rejected', error: { code: 'ERR_UNKNOWN_DESTINATION' } });
    }
  });

  it('ends at once when it is left while it waits for the next, and takes nothing any more', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const loop = queue[Symbol.asyncIterator]();
    const next = watch(loop.next());
    await quiet();
    const left = watch(loop.return!('over'));
    await quiet();
    expect(next).toEqual({ state: 'resolved', value: { value: undefined, done: true } });
    expect(left).toEqual({ state: 'resolved', value: { value: 'over', done: true } });
    await queue.send(1);
    expect(await loop.next()).toEqual({ value: undefined, done: true });
    expect(queue.stats()).toMatchObject({ ready: 1, unacked: 0 });
  });

  it('shares with other loops and consumers: each message goes to one', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const message of queue) {
        seen.push(message.body);
        message.ack();
      }
    };
    watch(loop());
    watch(loop());
    queue.consume(({ body }) => void seen.push(body));
    await fill(queue, 100);
    await quiet();
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });
});
