import { expect, it } from 'vitest';
import { deferred, fill, onEachStorage, type Deferred } from '../fixtures.js';

onEachStorage('Handlers of a consumer', (open) => {
  it('run one after the other by default, in order', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const log: string[] = [];
    queue.consume(async ({ body }) => {
      log.push(`start ${body}`);
      await Promise.resolve();
      log.push(`end ${body}`);
    });
    await fill(queue, 3);
    await quiet();
    expect(log).toEqual(['start 0', 'end 0', 'start 1', 'end 1', 'start 2', 'end 2']);
  });

  it('run as many at once as concurrency says, and never more', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const gates: Deferred[] = [];
    let most = 0;
    let running = 0;
    queue.consume(
      async () => {
        most = Math.max(most, ++running);
        const gate = deferred();
        gates.push(gate);
        await gate.promise;
        running--;
      },
      { concurrency: 4 },
    );
    await fill(queue, 40);
    await quiet();
    expect(running).toBe(4);
    while (gates.length > 0) {
      for (const gate of gates.splice(0)) gate.resolve();
      await quiet();
    }
    expect(most).toBe(4);
    expect(queue.stats().acked).toBe(40);
  });

  it('start in order of acceptance, however many run at once', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const started: number[] = [];
    await fill(queue, 10);
    queue.consume(
      ({ body }) => {
        started.push(body);
        return new Promise(() => undefined);
      },
      { concurrency: 5 },
    );
    await quiet();
    expect(started).toEqual([0, 1, 2, 3, 4]);
  });

  it('are not called before consume() has returned, nor on the stack of send()', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    const log: string[] = [];
    queue.consume(({ body }) => void log.push(`handled ${body}`));
    log.push('consume() returned');
    await quiet();
    const sent = queue.send(2);
    log.push('send() returned');
    await sent;
    await quiet();
    expect(log).toEqual(['consume() returned', 'handled 0', 'handled 1', 'send() returned', 'handled 2']);
  });

  it('hold up nobody: a slot that is free takes the next message while others work on', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    queue.consume(
      async ({ body }) => {
        if (body === 0) await new Promise(() => undefined);
        handled.push(body);
      },
      { concurrency: 2 },
    );
    await fill(queue, 6);
    await quiet();
    expect(handled).toEqual([1, 2, 3, 4, 5]);
  });

  it('share the messages of a queue evenly among its consumers, each to one', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const taken: Record<string, number[]> = { a: [], b: [], c: [] };
    for (const name of Object.keys(taken)) {
      queue.consume(
        async ({ body }) => {
          taken[name]!.push(body);
          await Promise.resolve();
        },
        { name },
      );
    }
    await quiet();
    for (let n = 0; n < 30; n++) {
      await queue.send(n);
      await quiet();
    }
    expect(Object.values(taken).map(({ length }) => length)).toEqual([10, 10, 10]);
    expect(
      Object.values(taken)
        .flat()
        .toSorted((a, b) => a - b),
    ).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });

  it('all get something from a backlog, also where one consumer came first', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const counts = [0, 0, 0];
    await fill(queue, 300);
    counts.forEach((_, n) =>
      queue.consume(async () => {
        counts[n]!++;
        await Promise.resolve();
      }),
    );
    await quiet();
    expect(counts.reduce((sum, count) => sum + count)).toBe(300);
    for (const count of counts) expect(count).toBeGreaterThan(50);
  });

  it('run in a queue of thousands: every message once, none forgotten', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const seen = new Uint8Array(5000);
    for (let n = 0; n < 3; n++) {
      queue.consume(
        async ({ body }) => {
          seen[body]!++;
          if (body % 7 === 0) await Promise.resolve();
        },
        { concurrency: 10 },
      );
    }
    await fill(queue, 5000);
    await broker.idle();
    expect(seen.every((count) => count === 1)).toBe(true);
    expect(queue.stats()).toMatchObject({ acked: 5000, ready: 0, unacked: 0 });
  });
});

onEachStorage('The prefetch of a consumer', (open) => {
  it('is its concurrency by default: a message waits in the queue until a slot is free', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(() => new Promise(() => undefined), { concurrency: 3 });
    await fill(queue, 10);
    await quiet();
    expect(queue.stats()).toMatchObject({ unacked: 3, ready: 7 });
  });

  it('bounds what is unsettled, where handlers return before they settle', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const acks: (() => boolean)[] = [];
    queue.consume((message) => void acks.push(() => message.ack()), { ack: 'manual', concurrency: 2, prefetch: 5 });
    await fill(queue, 20);
    await quiet();
    expect(queue.stats()).toMatchObject({ unacked: 5, ready: 15 });
    while (acks.length > 0) {
      acks.pop()!();
      await quiet();
      expect(queue.stats().unacked).toBeLessThanOrEqual(5);
    }
    expect(queue.stats()).toMatchObject({ acked: 20, ready: 0 });
  });

  it('bounds batches too', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const sizes: number[] = [];
    const acks: (() => boolean)[] = [];
    queue.consumeBatch(
      (batch) => {
        sizes.push(batch.length);
        for (const message of batch) acks.push(() => message.ack());
      },
      { ack: 'manual', size: 4, prefetch: 6 },
    );
    await fill(queue, 20);
    await quiet();
    expect(sizes).toEqual([4, 2]);
    for (const ack of acks.splice(0)) ack();
    await quiet();
    expect(queue.stats().unacked).toBeLessThanOrEqual(6);
    expect(sizes.length).toBeGreaterThan(2);
  });

  it('leaves messages to others when it is used up', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    queue.consume(() => undefined, { ack: 'manual', prefetch: 2 });
    queue.consume(({ body }) => void handled.push(body));
    await fill(queue, 10);
    await quiet();
    expect(queue.stats().unacked).toBe(2);
    expect(handled).toHaveLength(8);
  });

  it('is not used up any more when its messages time out', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1s', retry: { attempts: 1 } });
    queue.consume(() => undefined, { ack: 'manual', prefetch: 2 });
    await fill(queue, 6);
    await clock.advance('10s');
    expect(queue.stats()).toMatchObject({ deadLettered: 6, unacked: 0, ready: 0 });
  });
});
