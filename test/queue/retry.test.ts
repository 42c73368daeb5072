import { expect, it } from 'vitest';
import { exponential, fixed, linear, type Backoff, type Message } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

onEachStorage('A message whose handler fails', (open) => {
  it('is delivered five times by default, then dead-lettered with its last error', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    const attempts: number[] = [];
    queue.consume(({ attempt, deliveries }) => {
      attempts.push(attempt);
      expect(deliveries).toBe(attempt);
      throw new RangeError(`no ${attempt}`);
    });
    await queue.send('a');
    await clock.advance('10m');
    expect(attempts).toEqual([1, 2, 3, 4, 5]);
    expect(queue.stats()).toMatchObject({ delivered: 5, retried: 4, deadLettered: 1, ready: 0 });
    const [dead] = await queue.deadLetters!.peek();
    expect(dead!.deaths).toMatchObject([
      { source: 'orders', reason: 'attempts', attempts: 5, error: { name: 'RangeError', message: 'no 5' } },
    ]);
  });

  it('waits by default up to 200 ms, then up to twice as long each time, but no more than 30 s', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 12 } });
    const delays: number[] = [];
    broker.on('retried', ({ delay }) => delays.push(delay));
    queue.consume(() => Promise.reject(new Error('no')));
    await queue.send('a');
    await clock.advance('10m');
    expect(delays).toHaveLength(11);
    delays.forEach((delay, n) => expect(delay).toBeLessThanOrEqual(Math.min(30_000, 200 * 2 ** n)));
    expect(new Set(delays).size).toBeGreaterThan(5);
  });

  it.each<[string, Backoff, number[]]>([
    ['fixed', fixed('1s'), [0, 1000, 2000, 3000, 4000]],
    ['linear', linear({ base: 100, step: 50 }), [0, 100, 250, 450, 700]],
    ['exponential', exponential({ base: 100, jitter: 'none' }), [0, 100, 300, 700, 1500]],
    ['exponential, at most max', exponential({ base: 100, max: 150, jitter: 'none' }), [0, 100, 250, 400, 550]],
    ['of its own', (attempt) => attempt * attempt, [0, 1, 5, 14, 30]],
  ])('comes back when a backoff that is %s says so', async (_, backoff, times) => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { retry: { backoff } });
    const start = clock.now();
    const delivered: number[] = [];
    queue.consume(() => {
      delivered.push(clock.now() - start);
      throw new Error('no');
    });
    await queue.send('a');
    await clock.advance('1m');
    expect(delivered).toEqual(times);
  });

  it('is tried once with attempts 1, and for ever with attempts Infinity', async () => {
    const { broker, clock } = await open();
    const once = broker.queue('once', { retry: { attempts: 1 } });
    const ever = broker.queue('ever', { retry: { attempts: Infinity, backoff: fixed(1) } });
    for (const queue of [once, ever]) {
      queue.consume(() => Promise.reject(new Error('no')));
      await queue.send('a');
    }
    await clock.advance(200);
    expect(once.stats()).toMatchObject({ delivered: 1, deadLettered: 1, retried: 0 });
    expect(ever.stats()).toMatchObject({ delivered: 201, deadLettered: 0, retried: 201 });
  });

  it('is acknowledged when a later attempt succeeds', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders', { retry: { backoff: fixed(10) } });
    queue.consume(({ attempt }) => {
      if (attempt < 3) throw new Error('not yet');
    });
    await queue.send('a');
    await clock.advance(20);
    expect(queue.stats()).toMatchObject({ acked: 1, retried: 2, delivered: 3, delayed: 0 });
  });

  it('backs off while others go on, and counts as delayed', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { retry: { backoff: fixed('1m') } });
    const delivered: string[] = [];
    queue.consume(({ body, attempt }) => {
      delivered.push(body);
      if (body === 'bad' && attempt === 1) throw new Error('no');
    });
    await queue.sendMany([{ body: 'bad' }, { body: 'good' }]);
    await clock.advance(0);
    expect(delivered).toEqual(['bad', 'good']);
    expect(queue.stats()).toMatchObject({ delayed: 1, acked: 1 });
    await clock.advance('1m');
    expect(delivered).toEqual(['bad', 'good', 'bad']);
  });

  it('comes back at once to its old place where the backoff is 0, without a timer', async () => {
    const { broker, quiet, clock } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 3, backoff: fixed(0) }, ackTimeout: false });
    const delivered: string[] = [];
    queue.consume(({ body }) => {
      delivered.push(body);
      if (body === 'bad') throw new Error('no');
    });
    await queue.sendMany([{ body: 'bad' }, { body: 'good' }]);
    await quiet();
    expect(delivered).toEqual(['bad', 'bad', 'bad', 'good']);
    expect(clock.pending()).toBe(0);
  });

  it('tells by an event which attempt failed, why, and how long it waits', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders', { retry: { attempts: 3, backoff: linear({ base: 10 }) } });
    const told: unknown[] = [];
    broker.on('retried', (event) => told.push(event));
    const error = new Error('no');
    queue.consume(() => Promise.reject(error));
    const { id } = await queue.send('a');
    await clock.advance(100);
    expect(told).toEqual([
      { source: 'orders', id, attempt: 1, delay: 10, error },
      { source: 'orders', id, attempt: 2, delay: 20, error },
    ]);
  });
});

onEachStorage('retryIf', (open) => {
  it('ends the tries for an error that is not worth another, whatever attempts are left', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', {
      retry: { backoff: fixed(1), retryIf: (error) => (error as Error).message !== 'for good' },
    });
    queue.consume(({ attempt }) => {
      throw new Error(attempt < 3 ? 'for now' : 'for good');
    });
    await queue.send('a');
    await clock.advance(100);
    expect(queue.stats()).toMatchObject({ delivered: 3, retried: 2, deadLettered: 1 });
    const [dead] = await queue.deadLetters!.peek();
    expect(dead!.deaths[0]).toMatchObject({ reason: 'rejected', attempts: 3, error: { message: 'for good' } });
  });

  it('gets the error and the message', async () => {
    const { broker, clock } = await open();
    const asked: [unknown, Partial<Message>][] = [];
    const queue = broker.queue<string>('orders', {
      retry: {
        backoff: fixed(1),
        retryIf: (error, { id, body, attempt, source }) => {
          asked.push([error, { id, body, attempt, source }]);
          return attempt < 2;
        },
      },
    });
    const error = new Error('no');
    queue.consume(() => Promise.reject(error));
    await queue.send('a', { id: 'x' });
    await clock.advance(100);
    expect(asked).toEqual([
      [error, { id: 'x', body: 'a', attempt: 1, source: 'orders' }],
      [error, { id: 'x', body: 'a', attempt: 2, source: 'orders' }],
    ]);
  });

  it('is not asked where the handler rejects, requeues or acknowledges', async () => {
    const { broker } = await open();
    let asked = 0;
    const retryIf = (): boolean => ++asked > 0;
    const queue = broker.queue<string>('orders', { retry: { retryIf } });
    for (const body of ['a', 'b', 'c']) await queue.send(body);
    (await queue.receive())!.ack();
    (await queue.receive())!.reject();
    (await queue.receive())!.requeue();
    expect(asked).toBe(0);
  });
});

onEachStorage('Options of retry', (open) => {
  it('come from the queue, else from the broker, else from the defaults, each by itself', async () => {
    const { broker, clock } = await open({ retry: { attempts: 2, backoff: fixed(500) } });
    const plain = broker.queue('plain');
    const more = broker.queue('more', { retry: { attempts: 3 } });
    const faster = broker.queue('faster', { retry: { backoff: fixed(1) } });
    const delays: Record<string, number[]> = { plain: [], more: [], faster: [] };
    broker.on('retried', ({ source, delay }) => delays[source]!.push(delay));
    for (const queue of [plain, more, faster]) {
      queue.consume(() => Promise.reject(new Error('no')));
      await queue.send('a');
    }
    await clock.advance('10s');
    expect(delays).toEqual({ plain: [500], more: [500, 500], faster: [1] });
  });

  it('that throw or return nonsense are reported; the message is retried after the default backoff', async () => {
    const { broker, clock, reported } = await open();
    const queue = broker.queue<string>('orders', {
      retry: {
        backoff: (attempt) => (attempt === 1 ? NaN : -1),
        retryIf: (_, { attempt }) => {
          if (attempt === 1) throw new Error('retryIf is broken');
          return 'yes' as unknown as boolean;
        },
      },
    });
    queue.consume(({ attempt }) => {
      if (attempt < 3) throw new Error('no');
    });
    await queue.send('a');
    await clock.advance('1m');
    expect(queue.stats()).toMatchObject({ acked: 1, retried: 2 });
    expect(reported().map(({ message }) => message)).toEqual([
      'retryIf is broken',
      expect.stringContaining('NaN'),
      expect.stringContaining('"yes"'),
      expect.stringContaining('-1'),
    ]);
  });
});
