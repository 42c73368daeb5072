import { expect, it } from 'vitest';
import { fixed, type Broker, type Queue } from '../../src/index.js';
import { deferred, fill, onEachStorage, watch } from '../fixtures.js';

/** Both the queue's idle() and the broker's tell the same of one queue. */
const WHO: readonly [string, (broker: Broker, queue: Queue) => Promise<void>][] = [
  ['queue.idle()', (_, queue) => queue.idle()],
  ['broker.idle()', (broker) => broker.idle()],
];

for (const [who, idle] of WHO) {
  onEachStorage(`Waiting with ${who}`, (open) => {
    it('resolves when the last handler is done', async () => {
      const { broker, quiet } = await open();
      const queue = broker.queue<number>('orders');
      const gate = deferred();
      let handled = 0;
      queue.consume(async () => {
        await gate.promise;
        handled++;
      });
      await fill(queue, 20);
      const waits = watch(idle(broker, queue));
      await quiet();
      expect(waits.state).toBe('pending');
      gate.resolve();
      await quiet();
      expect(waits.state).toBe('resolved');
      expect(handled).toBe(20);
    });

    it('resolves at once where nobody consumes, whatever waits', async () => {
      const { broker } = await open();
      const queue = broker.queue<number>('orders');
      await fill(queue, 3);
      await idle(broker, queue);
      expect(queue.stats().ready).toBe(3);
    });

    it.each<[string, (queue: Queue<number>) => Promise<unknown> | void]>([
      ['a paused queue', (queue) => queue.pause()],
      ['a paused consumer', (queue) => queue.consume(() => undefined).pause()],
      ['a delayed message', (queue) => void queue.consume(() => undefined)],
    ])('does not wait for %s', async (what, prepare) => {
      const { broker, quiet } = await open();
      const queue = broker.queue<number>('orders');
      await prepare(queue);
      await queue.send(1, what === 'a delayed message' ? { delay: '1h' } : {});
      await quiet();
      await idle(broker, queue);
      expect(queue.stats().unacked).toBe(0);
      expect(queue.stats().acked).toBe(0);
    });

    it('does not wait for what backs off', async () => {
      const { broker, quiet } = await open();
      const queue = broker.queue<number>('orders', { retry: { backoff: fixed('1h') } });
      queue.consume(() => Promise.reject(new Error('no')));
      await queue.send(1);
      await quiet();
      await idle(broker, queue);
      expect(queue.stats().delayed).toBe(1);
    });

    it('waits for what is in hand of receive()', async () => {
      const { broker, quiet } = await open();
      const queue = broker.queue<number>('orders');
      await queue.send(1);
      const message = (await queue.receive())!;
      const waits = watch(idle(broker, queue));
      await quiet();
      expect(waits.state).toBe('pending');
      message.ack();
      await quiet();
      expect(waits.state).toBe('resolved');
    });

    it('waits for a dead letter until it is stored', async () => {
      const { broker } = await open();
      const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
      queue.consume(() => Promise.reject(new Error('no')));
      await fill(queue, 10);
      await idle(broker, queue);
      expect(queue.stats()).toMatchObject({ deadLettered: 10, unacked: 0 });
    });

    it('waits for messages that are sent before it resolves', async () => {
      const { broker } = await open();
      const queue = broker.queue<number>('orders');
      let handled = 0;
      queue.consume(async ({ body }) => {
        handled++;
        if (body > 0) await queue.send(body - 1);
      });
      await queue.send(50);
      await idle(broker, queue);
      expect(handled).toBe(51);
    });

    it('rejects with ERR_CLOSED when the broker closes meanwhile', async () => {
      const { broker, quiet } = await open();
      const queue = broker.queue<number>('orders');
      queue.consume(() => new Promise(() => undefined));
      await queue.send(1);
      await quiet();
      const waits = watch(idle(broker, queue));
      await broker.close({ timeout: 0 });
      expect(waits).toMatchObject({ state: 'rejected', error: { code: 'ERR_CLOSED' } });
      await expect(idle(broker, queue)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    });
  });
}

onEachStorage('Waiting until everything is idle', (open) => {
  it('follows messages from queue to queue', async () => {
    const { broker } = await open();
    const names = ['a', 'b', 'c'];
    const queues = names.map((name) => broker.queue<number>(name));
    let handled = 0;
    queues.forEach((queue, n) =>
      queue.consume(async ({ body }) => {
        handled++;
        const next = queues[(n + 1) % queues.length]!;
        if (body > 0) await next.send(body - 1);
      }),
    );
    await queues[0]!.send(30);
    await broker.idle();
    expect(handled).toBe(31);
  });

  it('leaves queue.idle() rejected, and broker.idle() content, when a queue is deleted meanwhile', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(() => new Promise(() => undefined));
    await queue.send(1);
    await quiet();
    const one = watch(queue.idle());
    const all = watch(broker.idle());
    await broker.delete('orders');
    await quiet();
    expect(one).toMatchObject({ state: 'rejected', error: { code: 'ERR_UNKNOWN_DESTINATION' } });
    expect(all.state).toBe('resolved');
  });
});
