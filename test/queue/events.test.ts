import { expect, it } from 'vitest';
import { Broker, fixed, type BrokerEvents } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { fill, onEachStorage } from '../fixtures.js';

onEachStorage('The events of a queue', (open) => {
  it('tell the life of a message in order, each after the state changed', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders', { retry: { backoff: fixed(10) } });
    const told: unknown[] = [];
    const figures = (): Record<string, number> => {
      const { accepted, delivered, acked, retried } = queue.stats();
      return { accepted, delivered, acked, retried };
    };
    for (const event of ['accepted', 'delivered', 'retried', 'acked'] as const) {
      broker.on(event, (payload) => told.push([event, payload, figures()]));
    }
    const error = new Error('no');
    queue.consume(
      ({ attempt }) => {
        if (attempt === 1) throw error;
      },
      { name: 'worker' },
    );
    const { id } = await queue.send('a');
    await clock.advance(100);
    const of = { source: 'orders', id };
    expect(told).toEqual([
      ['accepted', of, { accepted: 1, delivered: 0, acked: 0, retried: 0 }],
      ['delivered', { ...of, attempt: 1, consumer: 'worker' }, { accepted: 1, delivered: 1, acked: 0, retried: 0 }],
      ['retried', { ...of, attempt: 1, delay: 10, error }, { accepted: 1, delivered: 1, acked: 0, retried: 1 }],
      ['delivered', { ...of, attempt: 2, consumer: 'worker' }, { accepted: 1, delivered: 2, acked: 0, retried: 1 }],
      ['acked', { ...of, duration: 0 }, { accepted: 1, delivered: 2, acked: 1, retried: 1 }],
    ]);
  });

  it('tell how long a message was in hand', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders');
    const durations: number[] = [];
    broker.on('acked', ({ duration }) => durations.push(duration));
    await queue.send('a');
    const message = (await queue.receive())!;
    await clock.advance(250);
    message.ack();
    expect(durations).toEqual([250]);
  });

  it('add up to the books, whatever happens', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 3, backoff: fixed(7) }, maxLength: 300 });
    const seen = { accepted: 0, delivered: 0, acked: 0, retried: 0, deadLettered: 0 };
    for (const event of Object.keys(seen) as (keyof typeof seen)[]) {
      broker.on(event, ({ source }: BrokerEvents[typeof event]) => void (source === 'orders' && seen[event]++));
    }
    const random = seededRandom(5);
    queue.consume(
      (message) => {
        const dice = random();
        if (dice < 0.2) throw new Error('no');
        if (dice < 0.3) message.reject();
        else if (dice < 0.4) message.requeue({ delay: 3 });
      },
      { concurrency: 3 },
    );
    await fill(queue, 300);
    await clock.advance('1m');
    const { accepted, delivered, acked, retried, deadLettered, ready, delayed, unacked } = queue.stats();
    expect(seen).toEqual({ accepted, delivered, acked, retried, deadLettered });
    expect([ready, delayed, unacked]).toEqual([0, 0, 0]);
    expect(Math.min(acked, retried, deadLettered)).toBeGreaterThan(10);
  });

  it('tell that a message was accepted before anything else of it, however busy the queue is', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const seen = new Map<string, string[]>();
    for (const event of ['accepted', 'delivered', 'acked'] as const) {
      broker.on(event, ({ id }) => void seen.set(id, [...(seen.get(id) ?? []), event]));
    }
    queue.consume(() => undefined, { concurrency: 4 });
    await Promise.all(Array.from({ length: 200 }, (_, n) => queue.send(n)));
    await quiet();
    expect(seen.size).toBe(200);
    for (const events of seen.values()) expect(events).toEqual(['accepted', 'delivered', 'acked']);
  });

  it('become process warnings where nobody hears an `error`', async () => {
    const broker = await Broker.open();
    const queue = broker.queue<number>('orders');
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    queue.consume(() => Promise.reject(new Error('nobody hears it')), { ack: 'none' });
    await queue.send(1);
    expect((await warned).message).toBe('nobody hears it');
    await broker.close();
  });

  it('are told to no one any more after off(), and once after once()', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const told: string[] = [];
    const listener = ({ source }: BrokerEvents['accepted']): void => void told.push(source);
    broker.once('accepted', () => told.push('once'));
    broker.on('accepted', listener);
    await queue.send('a');
    broker.off('accepted', listener);
    await queue.send('b');
    expect(told).toEqual(['once', 'orders']);
  });

  it('change nothing where a listener throws or rejects: that is reported as an error', async () => {
    const { broker, quiet, reported } = await open();
    const queue = broker.queue('orders');
    broker.on('accepted', () => {
      throw new Error('listener is broken');
    });
    broker.on('acked', () => Promise.reject(new Error('listener is broken, too')) as unknown as void);
    let handled = 0;
    queue.consume(() => void handled++);
    await queue.send('a');
    await quiet();
    expect(handled).toBe(1);
    expect(queue.stats().acked).toBe(1);
    expect(reported().map(({ message }) => message)).toEqual(['listener is broken', 'listener is broken, too']);
  });

  it('may be answered with further sends', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const copy = broker.queue<number>('copy');
    broker.on('accepted', ({ source }) => {
      if (source === 'orders') void copy.send(1);
    });
    await fill(queue, 5);
    await quiet();
    expect(copy.stats().ready).toBe(5);
  });

  it('refuse a name that there is not', async () => {
    const { broker } = await open();
    expect(() => broker.on('finished' as 'acked', () => undefined)).toThrow(TypeError);
    expect(() => broker.on('acked', 'log' as unknown as () => void)).toThrow(TypeError);
  });
});
