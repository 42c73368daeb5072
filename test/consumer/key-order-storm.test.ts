import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { onEachStorage, until } from '../fixtures.js';

const KEYS = 12;
const PER_KEY = 40;

onEachStorage('Order by key under failures, timeouts and several consumers', (open) => {
  it.each([1, 2, 3, 4, 5, 6])('holds for every key, with seed %i', async (seed) => {
    const { broker, clock } = await open();
    const random = seededRandom(seed);
    const queue = broker.queue<number>('orders', {
      ordering: 'key',
      ackTimeout: 50,
      retry: { attempts: 4, backoff: fixed(10) },
    });
    const ended = new Map<string, number[]>();
    const inHand = new Map<string, Delivery<number>>();
    const end = (message: Delivery<number>): void => {
      inHand.delete(message.key!);
      ended.set(message.key!, [...(ended.get(message.key!) ?? []), message.body]);
    };
    const handler = async (message: Delivery<number>): Promise<void> => {
      // Only one whose time is over may still be with somebody else.
      expect(inHand.get(message.key!)?.signal.aborted ?? true).toBe(true);
      inHand.set(message.key!, message);
      const dice = random();
      if (dice < 0.1 && message.attempt < 4) return new Promise(() => undefined);
      if (dice < 0.3) await Promise.resolve();
      if (dice < 0.5 && message.attempt < 4) {
        inHand.delete(message.key!);
        throw new Error('no');
      }
      if (dice < 0.6) {
        inHand.delete(message.key!);
        return void message.requeue({ delay: 5 });
      }
      end(message);
      if (dice < 0.65) message.reject();
    };
    for (let n = 0; n < 3; n++) queue.consume(handler, { concurrency: 1 + n });
    for (let n = 0; n < PER_KEY; n++) {
      await queue.sendMany(Array.from({ length: KEYS }, (_, key) => ({ body: n, key: `k${key}` })));
    }
    await clock.advance('1h');
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, unacked: 0 });
    expect(ended.size).toBe(KEYS);
    for (const bodies of ended.values()) expect(bodies).toEqual(Array.from({ length: PER_KEY }, (_, n) => n));
  });
});

onEachStorage('One hot key with 100,000 waiting messages', (open) => {
  it('holds up no other key, and keeps its own order', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { ordering: 'key' });
    const hot: number[] = [];
    const cold: number[] = [];
    let release!: () => void;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    queue.consume(
      async ({ key, body }) => {
        (key === 'hot' ? hot : cold).push(body);
        if (key === 'hot' && body === 0) await stuck;
      },
      { concurrency: 4 },
    );
    await queue.sendMany(Array.from({ length: 100_000 }, (_, body) => ({ body, key: 'hot' })));
    await queue.sendMany(Array.from({ length: 50 }, (_, body) => ({ body, key: `cold ${body}` })));
    await until(() => cold.length === 50);
    await queue.send(50, { key: 'late' });
    await until(() => cold.length === 51);
    expect(hot).toEqual([0]);
    expect(queue.stats().ready).toBe(99_999);
    release();
    await until(() => hot.length > 500);
    expect(hot.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    await queue.purge();
  });
});
