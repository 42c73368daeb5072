import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { deferred, fill, onEachStorage } from '../fixtures.js';

onEachStorage('A delivery that is not settled within its ack timeout', (open) => {
  it('is taken back as a failed attempt, and delivered again', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ackTimeout: '5s', retry: { backoff: fixed(100) } });
    await queue.send('a');
    await queue.receive();
    await clock.advance(4999);
    expect(queue.stats()).toMatchObject({ unacked: 1, retried: 0 });
    await clock.advance(1);
    expect(queue.stats()).toMatchObject({ unacked: 0, delayed: 1, retried: 1 });
    await clock.advance(100);
    expect(await queue.receive()).toMatchObject({ attempt: 2, deliveries: 2 });
  });

  it('is dead-lettered when its attempts are used up, with ERR_TIMEOUT as the error', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ackTimeout: '5s', retry: { attempts: 1 } });
    const told: unknown[] = [];
    broker.on('deadLettered', ({ reason, error }) => told.push([reason, (error as { code?: string }).code]));
    await queue.send('a');
    await queue.receive();
    await clock.advance('5s');
    expect(told).toEqual([['attempts', 'ERR_TIMEOUT']]);
    expect((await queue.deadLetters!.peek())[0]!.deaths[0]).toMatchObject({
      reason: 'attempts',
      error: { name: 'SluiceError' },
    });
  });

  it('is fenced: the late ack returns false, and does not touch the next delivery', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ackTimeout: '5s', retry: { backoff: fixed(0) } });
    await queue.send('a');
    const late = (await queue.receive())!;
    await clock.advance('5s');
    const next = (await queue.receive())!;
    expect([late.ack(), late.nack(), late.reject(), late.requeue(), late.extend()]).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(queue.stats()).toMatchObject({ unacked: 1, acked: 0, deadLettered: 0 });
    expect(next.ack()).toBe(true);
  });

  it('has its signal aborted with ERR_TIMEOUT, read before or after', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '5s' });
    await fill(queue, 2);
    const early = (await queue.receive())!;
    const late = (await queue.receive())!;
    const { signal } = early;
    expect(signal.aborted).toBe(false);
    await clock.advance('5s');
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(late.signal.aborted).toBe(true);
  });

  it('leaves the signal of one that was settled in time alone', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ackTimeout: '5s' });
    await queue.send('a');
    const message = (await queue.receive())!;
    const { signal } = message;
    message.ack();
    await clock.advance('1h');
    expect(signal.aborted).toBe(false);
  });

  it('waits 30 minutes by default, for ever where it is false, and as long as the consumer says where it does', async () => {
    const { broker, clock } = await open();
    const byDefault = broker.queue<string>('default');
    const never = broker.queue<string>('never', { ackTimeout: false });
    const own = broker.queue<string>('own', { ackTimeout: '1h' });
    const ownNever = broker.queue<string>('own, never', { ackTimeout: '1s' });
    byDefault.consume(() => new Promise(() => undefined));
    never.consume(() => new Promise(() => undefined));
    own.consume(() => new Promise(() => undefined), { ackTimeout: '1m' });
    ownNever.consume(() => new Promise(() => undefined), { ackTimeout: false });
    for (const queue of [byDefault, never, own, ownNever]) await queue.send('a');
    const retried = (): number[] => [byDefault, never, own, ownNever].map((queue) => queue.stats().retried);
    await clock.advance('59s');
    expect(retried()).toEqual([0, 0, 0, 0]);
    await clock.advance('1s');
    expect(retried()).toEqual([0, 0, 1, 0]);
    await clock.advance('28m');
    expect(retried()[0]).toBe(0);
    await clock.advance('1m');
    expect(retried()[0]).toBe(1);
    await clock.advance('30d');
    expect([never.stats().retried, ownNever.stats().retried]).toEqual([0, 0]);
  });

  it('frees the slot and the prefetch of a handler that never returns; stats count such handlers', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1s', retry: { attempts: 1 } });
    const started: number[] = [];
    const gate = deferred();
    queue.consume(({ body }) => {
      started.push(body);
      return gate.promise;
    });
    await fill(queue, 3);
    await clock.advance(0);
    expect(started).toEqual([0]);
    await clock.advance('1s');
    expect(started).toEqual([0, 1]);
    expect(queue.stats().lost).toBe(1);
    await clock.advance('2s');
    expect(queue.stats()).toMatchObject({ lost: 3, deadLettered: 3, unacked: 0 });
    gate.resolve();
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ lost: 0, acked: 0 });
  });

  it('frees the slot also where its consumer may hold more than it handles', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1s', retry: { backoff: fixed('1h') } });
    const started: number[] = [];
    queue.consume(
      ({ body }) => {
        started.push(body);
        return new Promise(() => undefined);
      },
      { prefetch: 10 },
    );
    await fill(queue, 3);
    await clock.advance('2s');
    expect(started).toEqual([0, 1, 2]);
  });

  it('does not let a lost handler run one more than its concurrency once it returns', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1s', retry: { attempts: 1 } });
    const gates = new Map<number, () => void>();
    queue.consume(({ body }) => new Promise<void>((resolve) => gates.set(body, resolve)));
    await fill(queue, 10);
    await clock.advance('1s');
    expect([...gates.keys()]).toEqual([0, 1]);
    gates.get(0)!();
    await clock.advance(0);
    expect([...gates.keys()]).toEqual([0, 1]);
    gates.get(1)!();
    await clock.advance(0);
    expect([...gates.keys()]).toEqual([0, 1, 2]);
    expect(queue.stats().lost).toBe(0);
  });

  it('keeps nobody from closing its consumer, and may fail as late as it likes', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1s', retry: { attempts: 1 } });
    const gate = deferred();
    const consumer = queue.consume(() => gate.promise);
    await queue.send(1);
    await clock.advance('1s');
    await consumer.close();
    gate.reject(new Error('late'));
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ lost: 0, deadLettered: 1, retried: 0 });
  });

  it('is taken back from a batch that still waits for more, which never shows it', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: 10, retry: { attempts: 1 } });
    const batches: number[][] = [];
    queue.consumeBatch((batch) => void batches.push(batch.map(({ body }) => body)), { size: 3, wait: '1s' });
    await queue.send(99);
    await clock.advance(15);
    expect(queue.stats()).toMatchObject({ deadLettered: 1, unacked: 0 });
    await clock.advance('1s');
    await fill(queue, 3);
    await clock.advance(0);
    expect(batches).toEqual([[0, 1, 2]]);
    expect(queue.stats()).toMatchObject({ acked: 3, lost: 0 });
  });

  it('comes back in queue order where several time out at once', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '5s', retry: { backoff: fixed(0) } });
    await fill(queue, 6);
    const held: Delivery<number>[] = [];
    for (let n = 0; n < 4; n++) held.push((await queue.receive())!);
    for (const n of [1, 0]) held[n]!.extend('5s');
    await clock.advance('5s');
    const bodies: number[] = [];
    for (let n = 0; n < 6; n++) bodies.push((await queue.receive())!.body);
    expect(bodies).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('asks retryIf, with ERR_TIMEOUT', async () => {
    const { broker, clock } = await open();
    const asked: unknown[] = [];
    const retryIf = (error: unknown): boolean => {
      asked.push((error as { code: string }).code);
      return false;
    };
    const queue = broker.queue<string>('orders', { ackTimeout: '5s', retry: { retryIf } });
    await queue.send('a');
    await queue.receive();
    await clock.advance('5s');
    expect(asked).toEqual(['ERR_TIMEOUT']);
    expect(queue.stats().deadLettered).toBe(1);
  });

  it('takes back what a batch has not settled, and nothing else', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '5s', retry: { attempts: 1 } });
    queue.consumeBatch((batch) => {
      batch[1]!.ack();
      return new Promise(() => undefined);
    });
    await fill(queue, 3);
    await clock.advance('5s');
    expect(queue.stats()).toMatchObject({ acked: 1, deadLettered: 2, unacked: 0, lost: 1 });
  });
});

onEachStorage('extend()', (open) => {
  it('restarts the timeout, as long as it was or as long as it is told', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '5s' });
    await fill(queue, 2);
    const same = (await queue.receive())!;
    const longer = (await queue.receive())!;
    await clock.advance('4s');
    expect([same.extend(), longer.extend('1m')]).toEqual([true, true]);
    await clock.advance(4999);
    expect(queue.stats().unacked).toBe(2);
    await clock.advance(1);
    expect(same.ack()).toBe(false);
    await clock.advance('54s');
    expect(longer.ack()).toBe(true);
  });

  it('may shorten it', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '1h' });
    await queue.send(1);
    const message = (await queue.receive())!;
    message.extend('1s');
    await clock.advance('1s');
    expect(message.ack()).toBe(false);
  });

  it('keeps a working handler alive as long as it goes on', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: '10s' });
    const gate = deferred();
    let held: Delivery<number> | undefined;
    queue.consume((message) => {
      held = message;
      return gate.promise;
    });
    await queue.send(1);
    for (let n = 0; n < 20; n++) {
      await clock.advance('9s');
      expect(held!.extend()).toBe(true);
    }
    gate.resolve();
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ acked: 1, retried: 0 });
  });

  it('sets a timeout where there was none', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ackTimeout: false });
    await queue.send(1);
    const message = (await queue.receive())!;
    expect(message.extend()).toBe(true);
    await clock.advance('100d');
    expect(message.extend('1s')).toBe(true);
    await clock.advance('1s');
    expect(message.ack()).toBe(false);
  });
});
