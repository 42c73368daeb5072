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

  it('however long, has each message as it was sent', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const exchange = broker.exchange('events').bind(queue, 'order.#');
    const long = 20_000;
    const sent = new Map<string, object>();
    const send = async (body: number): Promise<void> => {
      const options = {
        ...(body % 3 === 0 ? { key: `key ${body % 7}` } : {}),
        ...(body % 5 === 0 ? { delay: 10_000 + body } : {}),
        ...(body % 11 === 0 ? { headers: { body } } : {}),
        ...(body % 13 === 0 ? { id: `own ${body}` } : {}),
        ...(body % 1000 === 0 ? { ttl: '1d' as const } : {}),
      };
      const routingKey = body % 2 === 0 ? `order.${body % 4}` : undefined;
      const { id } = await (routingKey === undefined
        ? queue.send(body, options)
        : exchange.publish(routingKey, body, options));
      const { key, headers = {} } = options;
      sent.set(id, { body, key, headers, routingKey, timestamp: new Date(clock.now()), attempt: 1 });
    };
    for (let body = 0; body < long; body++) {
      if (body % 4000 === 0) await clock.advance(7);
      await send(body);
    }
    const handled = new Map<string, object>();
    queue.consume(({ id, body, key, headers, routingKey, timestamp, attempt }) => {
      handled.set(id, { body, key, headers, routingKey, timestamp, attempt });
    });
    await clock.advance('1m');
    expect(handled.size).toBe(long);
    for (const [id, message] of sent) expect(handled.get(id)).toEqual(message);
  });
});
