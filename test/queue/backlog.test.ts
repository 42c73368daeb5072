import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { fill, onEachStorage, until } from '../fixtures.js';

const N = 2400;
const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

onEachStorage('A backlog larger than what is read ahead', (open) => {
  it('is delivered whole and in order', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    for (let n = 0; n < 4; n++) await fill(queue, N / 4);
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await broker.idle();
    expect(handled).toEqual([0, 1, 2, 3].flatMap(() => numbers(N / 4)));
  });

  it('is in order with what is sent while it is read', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, N);
    const handled: number[] = [];
    const sends: Promise<unknown>[] = [];
    queue.consume(({ body }) => {
      handled.push(body);
      if (body % 100 === 0 && body < N) sends.push(queue.send(N + sends.length));
    });
    await broker.idle();
    await Promise.all(sends);
    await broker.idle();
    expect(handled).toEqual(numbers(N + N / 100));
  });

  it('skips what is delayed in it, until that is due, and delivers nothing twice', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const random = seededRandom(3);
    const delays = numbers(N).map(() => (random() < 0.3 ? Math.floor(random() * 100) + 1 : 0));
    await queue.sendMany(delays.map((delay, body) => ({ body, delay })));
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body), { rateLimit: { max: 50, per: 1 } });
    await clock.advance('10s');
    expect(handled.length).toBe(N);
    expect(handled.toSorted((a, b) => a - b)).toEqual(numbers(N));
    const prompt = handled.filter((body) => delays[body] === 0);
    expect(prompt).toEqual(prompt.toSorted((a, b) => a - b));
  });

  it('may be settled in any order, given back and retried: each is acknowledged once', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: Infinity, backoff: fixed(5) } });
    const random = seededRandom(4);
    await fill(queue, N);
    const acked: number[] = [];
    queue.consume(
      async (message) => {
        const dice = random();
        if (dice < 0.1) throw new Error('no');
        if (dice < 0.2) return void message.requeue({ delay: Math.floor(random() * 20) });
        for (let n = Math.floor(random() * 4); n > 0; n--) await Promise.resolve();
        acked.push(message.body);
      },
      { concurrency: 20 },
    );
    await clock.advance('1m');
    expect(acked.toSorted((a, b) => a - b)).toEqual(numbers(N));
    expect(queue.stats()).toMatchObject({ acked: N, ready: 0, delayed: 0, unacked: 0, bytes: 0 });
  });

  it('goes on behind one stuck message', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, N);
    const stuck = (await queue.receive())!;
    let handled = 0;
    queue.consume(() => void handled++);
    while (handled < N - 1) await quiet();
    expect(queue.stats()).toMatchObject({ acked: N - 1, unacked: 1, ready: 0 });
    expect(stuck.ack()).toBe(true);
  });

  it('is read again for what comes back after its body was let go', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { backoff: fixed('1m') } });
    await fill(queue, N);
    const again: number[] = [];
    queue.consume(({ body, attempt }) => {
      if (attempt === 1) throw new Error('no');
      again.push(body);
    });
    await until(() => queue.stats().delayed === N);
    await clock.advance('1m');
    await until(() => again.length === N);
    expect(again).toEqual(numbers(N));
  });

  it('of large messages is delivered whole and in order', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    for (let n = 0; n < 12; n++) await queue.send(`${n}`.padEnd(1_000_000));
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(Number(body)));
    await broker.idle();
    expect(handled).toEqual(numbers(12));
  });

  it('of priorities is delivered level by level', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { priorities: 3 });
    await queue.sendMany(numbers(N).map((body) => ({ body, priority: body % 3 })));
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await broker.idle();
    expect(handled).toEqual([2, 1, 0].flatMap((level) => numbers(N).filter((body) => body % 3 === level)));
  });
});
