import { afterEach, describe, expect, it } from 'vitest';
import { Broker, fixed, type Clock } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { balanced, fill, watch } from '../fixtures.js';

/** A manual clock that knows which of its timers would keep a process alive. */
class RefCountingClock implements Clock {
  private readonly inner = new ManualClock();
  private readonly alive = new Set<object>();

  now(): number {
    return this.inner.now();
  }
  setTimer(delay: number, fire: () => void): ReturnType<Clock['setTimer']> {
    const key = {};
    this.alive.add(key);
    const timer = this.inner.setTimer(delay, () => {
      this.alive.delete(key);
      fire();
    });
    return {
      cancel: () => {
        this.alive.delete(key);
        timer.cancel();
      },
      ref: () => void this.alive.add(key),
      unref: () => void this.alive.delete(key),
    };
  }
  advance(by: number): Promise<void> {
    return this.inner.advance(by);
  }
  get keepsAlive(): boolean {
    return this.alive.size > 0;
  }
}

const opened: Broker[] = [];

async function open(): Promise<{ broker: Broker; clock: RefCountingClock }> {
  const clock = new RefCountingClock();
  const broker = await Broker.open({ clock });
  opened.push(broker);
  return { broker, clock };
}

describe('A process', () => {
  afterEach(async () => {
    for (const broker of opened.splice(0)) {
      balanced(broker);
      await broker.close({ timeout: 0 });
    }
  });

  it('is not kept alive by an idle broker, queue or consumer', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(() => undefined);
    await fill(queue, 3);
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(false);
  });

  it('is kept alive by what is due, as long as somebody consumes it', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const consumer = queue.consume(() => undefined);
    await queue.send(1, { delay: '1h' });
    await queue.send(2, { delay: '2h' });
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(3_600_000);
    expect(clock.keepsAlive).toBe(true);
    await consumer.close();
    expect(clock.keepsAlive).toBe(false);
  });

  it('is kept alive by what was due before somebody came to consume it', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(1, { delay: '1h' });
    expect(clock.keepsAlive).toBe(false);
    const consumer = queue.consume(() => undefined);
    expect(clock.keepsAlive).toBe(true);
    await consumer.close();
    expect(clock.keepsAlive).toBe(false);
  });

  it('is not kept alive by messages that expire some day where nobody reads', async () => {
    const { broker, clock } = await open();
    await broker.queue<number>('orders').send(1, { ttl: '1h' });
    expect(clock.keepsAlive).toBe(false);
  });

  it('is kept alive by a retry that is to come', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 2, backoff: fixed('1h') } });
    queue.consume(() => Promise.reject(new Error('no')));
    await queue.send(1);
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(3_600_000);
    expect(clock.keepsAlive).toBe(false);
  });

  it('is kept alive by a pending receive() or iterator, until it has ended', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const received = watch(queue.receive({ wait: '1m' }));
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(60_000);
    expect([received.state, clock.keepsAlive]).toEqual(['resolved', false]);
    const next = watch(queue[Symbol.asyncIterator]().next());
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(true);
    await queue.send(1);
    await clock.advance(0);
    expect([next.state, clock.keepsAlive]).toEqual(['resolved', false]);
  });

  it('is kept alive by a sender that tries again', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1 });
    await queue.send(1);
    watch(queue.send(2, { retry: { attempts: 2, backoff: fixed('1h') } }));
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(3_600_000);
    expect(clock.keepsAlive).toBe(false);
  });

  it('is kept alive by a consumer that waits for its rate limit, or for a full batch', async () => {
    const { broker, clock } = await open();
    const limited = broker.queue<number>('limited');
    limited.consume(() => undefined, { rateLimit: { max: 1, per: '1m' } });
    await fill(limited, 2);
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(120_000);
    expect(clock.keepsAlive).toBe(false);
    const batches = broker.queue<number>('batches');
    batches.consumeBatch(() => undefined, { wait: '1m' });
    await batches.send(1);
    await clock.advance(0);
    expect(clock.keepsAlive).toBe(true);
    await clock.advance(60_000);
    expect(clock.keepsAlive).toBe(false);
  });

  it('is not kept alive by anything of a broker that is closed', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(() => new Promise(() => undefined));
    await fill(queue, 2);
    await queue.send(3, { delay: '1h' });
    await broker.close({ timeout: 0 });
    expect(clock.keepsAlive).toBe(false);
  });
});
