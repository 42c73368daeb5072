import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { fill, onEachStorage, waiting } from '../fixtures.js';

const unreadable = {
  get name(): string {
    throw new Error('name is a trap');
  },
  get message(): string {
    throw new Error('message is a trap');
  },
};
const revoked = Proxy.revocable({}, {});
revoked.revoke();

const TRAPS: readonly [string, unknown][] = [
  ['an object whose getters throw', unreadable],
  ['a revoked proxy', revoked.proxy],
];

const THROWN: readonly [string, unknown][] = [
  ['an error', new Error('no')],
  ['undefined', undefined],
  ['null', null],
  ['a string', 'no'],
  ['a number', 0],
  ['a symbol', Symbol('no')],
  ['a function', () => 'no'],
  ['a bigint', 1n],
  ['an object without a prototype', Object.create(null)],
  ['a frozen error', Object.freeze(new Error('no'))],
  ['an error whose message is no string', Object.assign(new Error('no'), { message: 5 })],
];
const HOW: readonly [string, (thrown: unknown) => unknown][] = [
  [
    'throws',
    (thrown) => {
      throw thrown;
    },
  ],
  ['rejects with', (thrown) => Promise.reject(thrown as Error)],
];

onEachStorage('A handler that fails', (open) => {
  it.each(HOW.flatMap(([how, fail]) => THROWN.map(([what, thrown]) => [how, what, fail, thrown] as const)))(
    'and %s %s is retried, dead-lettered, and harms nobody else',
    async (_, __, fail, thrown) => {
      const { broker, clock, reported } = await open();
      const queue = broker.queue<number>('orders', { retry: { attempts: 2, backoff: fixed(10) } });
      const other = broker.queue<number>('other');
      const handled: number[] = [];
      queue.consume(({ body }) => (body === 1 ? fail(thrown) : void handled.push(body)));
      other.consume(() => undefined);
      await fill(queue, 3);
      await fill(other, 3);
      await clock.advance('10s');
      expect(handled).toEqual([0, 2]);
      expect(queue.stats()).toMatchObject({ acked: 2, retried: 1, deadLettered: 1, unacked: 0 });
      expect(other.stats().acked).toBe(3);
      const [dead] = await queue.deadLetters!.peek();
      expect(dead!.deaths).toMatchObject([{ reason: 'attempts', attempts: 2 }]);
      expect(reported()).toEqual([]);
    },
  );

  it.each(TRAPS)('is dead-lettered all the same where looking at what it threw throws: %s', async (_, thrown) => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 2, backoff: fixed(10) } });
    queue.consume(() => {
      throw thrown;
    });
    await queue.send(1);
    await clock.advance('10s');
    expect(queue.stats()).toMatchObject({ retried: 1, deadLettered: 1, unacked: 0, delayed: 0 });
    const [dead] = await queue.deadLetters!.peek();
    expect(dead!.deaths).toMatchObject([{ reason: 'attempts', attempts: 2, error: { message: expect.any(String) } }]);
  });

  it('with what JSON cannot hold still has a death that can be stored and read', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
    const cyclic = Object.assign(new Error('round'), { self: undefined as unknown });
    cyclic.self = cyclic;
    queue.consume(() => Promise.reject(cyclic));
    await queue.send(1);
    await quiet();
    const dead = (await queue.deadLetters!.receive())!;
    expect(dead.deaths[0]!.error).toEqual({ name: 'Error', message: 'round', stack: expect.any(String) });
  });
});

/** No promise, but something that can be awaited, in its own way. */
function thenable(how: (resolve: () => void, reject: () => void) => void): unknown {
  return Object.fromEntries(['then'].map((method) => [method, how]));
}

onEachStorage('A handler that returns a strange promise', (open) => {
  it.each<[string, unknown, number]>([
    ['resolves twice', thenable((resolve) => (resolve(), resolve())), 1],
    ['resolves, then rejects', thenable((resolve, reject) => (resolve(), reject())), 1],
    [
      'throws after it resolved',
      thenable((resolve) => {
        resolve();
        throw new Error('late');
      }),
      1,
    ],
    [
      'throws in then()',
      thenable(() => {
        throw new Error('no');
      }),
      0,
    ],
  ])('that %s is settled once', async (_, returned, acked) => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
    queue.consume(() => returned);
    await queue.send(1);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked, deadLettered: 1 - acked, unacked: 0 });
  });

  it('that never settles holds its slot until the ack timeout, and nobody else up', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1m', retry: { attempts: 1 } });
    const handled: number[] = [];
    queue.consume(({ body }) => (body === 0 ? new Promise(() => undefined) : void handled.push(body)));
    await fill(queue, 3);
    await clock.advance('59s');
    expect(handled).toEqual([]);
    await clock.advance('1s');
    expect(handled).toEqual([1, 2]);
    expect(await waiting(queue.deadLetters!)).toEqual([0]);
  });
});

onEachStorage('A handler that reaches for what runs it', (open) => {
  it('may close its own consumer, if it does not wait for that', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const consumer = queue.consume(() => void consumer.close());
    await fill(queue, 3);
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 2, consumers: 0 });
  });

  it('that waits for its own consumer to close waits until the timeout, not for ever', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const log: string[] = [];
    const consumer = queue.consume(async () => {
      log.push('closing');
      await consumer.close({ timeout: '5s' });
      log.push('closed');
    });
    await queue.send(1);
    await clock.advance(4999);
    expect(log).toEqual(['closing']);
    await clock.advance(1);
    expect(log).toEqual(['closing', 'closed']);
    expect(queue.stats()).toMatchObject({ ready: 1, unacked: 0, acked: 0 });
  });

  it('that waits for its own queue to be idle waits until the ack timeout takes its message back', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1m', retry: { attempts: 1 } });
    const log: string[] = [];
    queue.consume(async () => {
      await queue.idle();
      log.push('idle');
    });
    await queue.send(1);
    await clock.advance('59s');
    expect(log).toEqual([]);
    await clock.advance('1s');
    expect(log).toEqual(['idle']);
    expect(queue.stats()).toMatchObject({ deadLettered: 1, acked: 0 });
  });

  it('may close the broker, if it does not wait for that', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    let closed: Promise<void> | undefined;
    queue.consume(() => void (closed = broker.close()));
    await fill(queue, 3);
    await quiet();
    await closed;
    expect(queue.stats()).toMatchObject({ acked: 1, ready: 2, unacked: 0 });
  });

  it('that waits for the broker to close waits until the timeout; its message is given back', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const told: unknown[] = [];
    broker.on('closed', ({ abandoned }) => told.push(abandoned));
    const log: string[] = [];
    queue.consume(async () => {
      await broker.close({ timeout: '5s' });
      log.push('closed');
    });
    const { id } = await queue.send(1);
    await clock.advance('5s');
    expect(log).toEqual(['closed']);
    expect(told).toEqual([[{ source: 'orders', id }]]);
  });

  it('may delete its queue', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    queue.consume(async () => broker.delete('orders'));
    await fill(queue, 3);
    await quiet();
    expect(broker.stats().queues).toEqual([]);
  });

  it('may pause, purge, resume, and start another consumer', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    let others = 0;
    let first = true;
    queue.consume(async () => {
      if (!first) return;
      first = false;
      queue.pause();
      await queue.purge();
      queue.consume(() => void others++);
      await fill(queue, 4);
      queue.resume();
    });
    await fill(queue, 10);
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 0, removed: 9, acked: 5, consumers: 2 });
    expect(others).toBeGreaterThan(0);
  });

  it('may send to its own queue for ever, and receive from it', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    let handled = 0;
    queue.consume(async ({ body }) => {
      handled++;
      if (body < 200) await queue.send(body + 1);
    });
    await queue.send(0);
    while (handled < 201) await quiet();
    expect(queue.stats()).toMatchObject({ acked: 201, ready: 0 });
  });

  it('may change its message without harm to the retry', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<{ n: number }>('orders', { retry: { backoff: fixed(1) } });
    const seen: number[] = [];
    queue.consume((message) => {
      seen.push(message.body.n);
      message.body.n = 99;
      (message as { body: unknown }).body = 'gone';
      if (message.attempt < 3) throw new Error('no');
    });
    await queue.send({ n: 1 });
    await clock.advance(10);
    expect(seen).toEqual([1, 1, 1]);
  });
});
