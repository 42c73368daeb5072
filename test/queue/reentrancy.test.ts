import { expect, it } from 'vitest';
import { fixed, type Broker, type BrokerEvents, type Queue } from '../../src/index.js';
import { onEachStorage, watch, type Bench, type Watched } from '../fixtures.js';

const EVENTS = ['accepted', 'delivered', 'acked', 'retried', 'deadLettered', 'blocked', 'unblocked'] as const;

/** A queue where all of these events happen soon: senders that wait, delays, failures, rejections, expiry. */
function busy(broker: Broker): { queue: Queue<number>; sends: Watched<unknown>[] } {
  const queue = broker.queue<number>('orders', {
    ttl: 50,
    retry: { attempts: 2, backoff: fixed(5) },
    maxLength: 4,
    overflow: 'block',
  });
  let handled = 0;
  queue.consume(
    (message) => {
      handled++;
      if (handled % 3 === 0) throw new Error('no');
      if (handled % 5 === 0) message.reject();
    },
    { concurrency: 2 },
  );
  const sends = Array.from({ length: 30 }, (_, n) => watch(queue.send(n, n % 4 === 0 ? { delay: 3 } : {})));
  return { queue, sends };
}

/** Does `act` at the first of these events of the queue, or at each of them. */
function on(broker: Broker, event: (typeof EVENTS)[number], each: boolean, act: () => void): () => number {
  let times = 0;
  broker.on(event, ({ source }: BrokerEvents[typeof event]) => {
    if (source !== 'orders' || (!each && times > 0)) return;
    times++;
    act();
  });
  return () => times;
}

onEachStorage('A listener that acts on what it hears', (open) => {
  it.each(EVENTS)('may purge the queue whenever something is %s', async (event) => {
    const { broker, clock }: Bench = await open();
    const purged = on(broker, event, true, () => void broker.queue('orders').purge());
    const { queue, sends } = busy(broker);
    await clock.advance('1s');
    expect(purged()).toBeGreaterThan(0);
    expect(sends.filter(({ state }) => state !== 'resolved')).toEqual([]);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, unacked: 0, bytes: 0, accepted: 30 });
  });

  it.each(EVENTS)('may delete the queue when something is %s: nobody waits any more', async (event) => {
    const { broker, clock } = await open();
    const deleted = on(broker, event, false, () => void broker.delete('orders'));
    const { sends } = busy(broker);
    await clock.advance('1s');
    expect(deleted()).toBe(1);
    expect(sends.filter(({ state }) => state === 'pending')).toEqual([]);
    expect(broker.stats().queues.map(({ name }) => name)).not.toContain('orders');
  });

  it.each(EVENTS)('may close the broker when something is %s', async (event) => {
    const { broker, clock } = await open();
    let closed: Watched<void> | undefined;
    on(broker, event, false, () => void (closed = watch(broker.close())));
    const { sends } = busy(broker);
    await clock.advance('20s');
    expect(closed).toMatchObject({ state: 'resolved' });
    expect(sends.filter(({ state }) => state === 'pending')).toEqual([]);
  });
});
