import { expect, it, vi } from 'vitest';
import { nextTurn } from '../../src/clock.js';
import type { ConsumeOptions, Queue, QueueOptions } from '../../src/index.js';
import { fill, onEachStorage } from '../fixtures.js';

const forEver = (): Promise<void> => new Promise(() => undefined);

/** Messages are ready, a consumer is there, and yet nothing can be taken. */
const STANDSTILLS: readonly [
  string,
  QueueOptions,
  ConsumeOptions,
  (queue: Queue<number>) => void | Promise<unknown>,
][] = [
  ['its slots are busy', {}, { concurrency: 2 }, () => undefined],
  ['its prefetch is used up', {}, { ack: 'manual', prefetch: 2 }, () => undefined],
  ['its rate is used up', {}, { rateLimit: { max: 1, per: '1h' } }, () => undefined],
  ['its queue is paused', {}, {}, (queue) => queue.pause()],
  ['every key is busy', { ordering: 'key' }, { concurrency: 50 }, () => undefined],
  [
    'another consumer is the active one',
    { singleActiveConsumer: true },
    {},
    (queue) => void queue.receive({ wait: '1d' }),
  ],
  ['everything backs off', { retry: { backoff: () => 3_600_000 } }, {}, () => undefined],
];

onEachStorage('A consumer that can take nothing', (open) => {
  it.each(STANDSTILLS)('does nothing, since %s', async (what, queueOptions, consumeOptions, prepare) => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: false, ...queueOptions });
    await prepare(queue);
    queue.consume(() => {
      if (what === 'everything backs off') throw new Error('no');
      return forEver();
    }, consumeOptions);
    await queue.sendMany(Array.from({ length: 2000 }, (_, n) => ({ body: n, key: `k${n % 3}` })));
    await quiet();
    const now = vi.spyOn(clock, 'now');
    for (let turns = 0; turns < 50; turns++) await new Promise<void>(nextTurn);
    expect(now).toHaveBeenCalledTimes(0);
    now.mockRestore();
  });

  it('is woken by whatever ends that', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { ordering: 'key' });
    const finish: (() => void)[] = [];
    let handled = 0;
    const consumer = queue.consume(
      () => {
        handled++;
        return new Promise<void>((resolve) => finish.push(resolve));
      },
      { concurrency: 2, rateLimit: { max: 3, per: '3s' } },
    );
    await queue.sendMany(Array.from({ length: 20 }, (_, n) => ({ body: n, key: `k${n % 4}` })));
    const next = async (act: () => unknown): Promise<number> => {
      act();
      await quiet();
      return handled;
    };
    expect(await next(() => undefined)).toBe(2);
    expect(await next(() => finish.pop()!())).toBe(3);
    expect(await next(() => finish.pop()!())).toBe(3);
    await clock.advance('1s');
    expect(handled).toBe(4);
    queue.pause();
    await clock.advance('1s');
    expect(await next(() => finish.pop()!())).toBe(4);
    expect(await next(() => queue.resume())).toBe(5);
    await clock.advance('1s');
    expect(await next(() => consumer.pause())).toBe(5);
    expect(await next(() => finish.pop()!())).toBe(5);
    expect(await next(() => consumer.resume())).toBe(6);
  });
});

onEachStorage('A consumer of a queue where much goes on', (open) => {
  it('forgets no message, though everything stops and starts around it', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    let sent = 0;
    for (let round = 0; round < 60; round++) {
      const consumer = queue.consume(({ body }) => void handled.push(body), { concurrency: 1 + (round % 3) });
      if (round % 2 === 0) queue.pause();
      await fill(queue, round % 7);
      sent += round % 7;
      if (round % 5 === 0) consumer.pause();
      if (round % 2 === 0) queue.resume();
      await clock.advance(round % 3);
      if (round % 5 === 0) consumer.resume();
      await quiet();
      expect(handled).toHaveLength(sent);
      await consumer.close();
    }
    expect(queue.stats()).toMatchObject({ acked: sent, ready: 0 });
  });
});
