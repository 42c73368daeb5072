import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { deferred, fill, onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A message with a ttl', (open) => {
  it('is delivered until the last millisecond, and expired from then on', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a', { ttl: '1s' });
    await clock.advance(999);
    const inTime = (await queue.receive())!;
    expect(inTime.body).toBe('a');
    inTime.requeue();
    await clock.advance(1);
    expect(await queue.receive()).toBeUndefined();
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 1 });
  });

  it('expires on a timer at the head of a queue that nobody reads', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    const died: unknown[] = [];
    broker.on('deadLettered', (event) => died.push(event));
    const { id } = await queue.send('a', { ttl: 50 });
    await clock.advance(50);
    expect(died).toEqual([{ source: 'orders', id, reason: 'expired', to: 'orders.dlq', error: undefined }]);
    expect(await waiting(queue.deadLetters!)).toEqual(['a']);
  });

  it('expires behind a message that lives longer at the latest when its turn comes', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('for ever');
    await queue.send('short', { ttl: 10 });
    await queue.send('for ever, too');
    await clock.advance(20);
    const bodies = [(await queue.receive())!.body, (await queue.receive())!.body];
    expect(bodies).toEqual(['for ever', 'for ever, too']);
    await quiet();
    expect(queue.stats()).toMatchObject({ deadLettered: 1, ready: 0 });
  });

  it('has the ttl of its queue where it has none, and the shorter one where it has', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', { ttl: 100 });
    await queue.send('short', { ttl: 50 });
    await queue.send('none');
    await queue.send('long', { ttl: 500 });
    await clock.advance(50);
    expect(await waiting(queue)).toEqual(['none', 'long']);
    await clock.advance(49);
    expect(await waiting(queue)).toEqual(['none', 'long']);
    await clock.advance(1);
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 3 });
  });

  it('lives from when it is due where it is delayed', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ttl: 1000 });
    await queue.send('own', { delay: 100, ttl: 50 });
    await queue.send('of the queue', { delay: 2000 });
    await clock.advance(149);
    expect(queue.stats()).toMatchObject({ ready: 1, delayed: 1, deadLettered: 0 });
    await clock.advance(1);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 1, deadLettered: 1 });
    await clock.advance(2849);
    expect(queue.stats()).toMatchObject({ ready: 1, deadLettered: 1 });
    await clock.advance(1);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 2 });
  });

  it('is not given a new life by retries', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { retry: { backoff: fixed(600) } });
    const attempts: number[] = [];
    queue.consume(({ attempt }) => {
      attempts.push(attempt);
      throw new Error('no');
    });
    await queue.send('a', { ttl: 1000 });
    await clock.advance(5000);
    expect(attempts).toEqual([1, 2]);
    expect((await queue.deadLetters!.peek())[0]!.deaths).toMatchObject([{ reason: 'expired', attempts: 2 }]);
  });

  it('does not expire in hand', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a', { ttl: 10 });
    const message = (await queue.receive())!;
    await clock.advance(100);
    expect(message.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ acked: 1, deadLettered: 0 });
  });

  it('expires when it is given back too late', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a', { ttl: 10 });
    const message = (await queue.receive())!;
    await clock.advance(100);
    message.requeue();
    await quiet();
    await clock.advance(1);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 1 });
  });

  it('expires behind a paused queue when its turn comes, not on a timer', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const delivered: string[] = [];
    queue.consume(({ body }) => void delivered.push(body));
    queue.pause();
    await queue.send('a', { ttl: 10 });
    await clock.advance(100);
    expect(queue.stats()).toMatchObject({ ready: 1, deadLettered: 0 });
    queue.resume();
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 1 });
    expect(delivered).toEqual([]);
  });

  it('expires by itself again once its queue is resumed', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    queue.pause();
    await queue.send('a', { ttl: 10 });
    await queue.send('b', { ttl: 100 });
    await clock.advance(50);
    queue.resume();
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ ready: 1, deadLettered: 1 });
    await clock.advance(50);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 2 });
  });

  it('is dropped where dead letters go nowhere', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: false });
    const died: unknown[] = [];
    broker.on('deadLettered', ({ reason, to }) => died.push([reason, to]));
    await queue.send('a', { ttl: 10 });
    await clock.advance(10);
    expect(queue.stats()).toMatchObject({ dropped: 1, deadLettered: 0 });
    expect(died).toEqual([['expired', null]]);
  });

  it('has no ttl any more as a dead letter, nor when it is redriven', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a', { ttl: 10 });
    await clock.advance(10);
    await clock.advance('10d');
    expect(await queue.deadLetters!.redrive()).toBe(1);
    await clock.advance('10d');
    expect((await queue.receive())!.body).toBe('a');
  });

  it('has the ttl of its queue anew when it is redriven into it', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ttl: 10 });
    await queue.send('a');
    await clock.advance(10);
    await clock.advance('1d');
    await queue.deadLetters!.redrive();
    await clock.advance(9);
    expect(queue.stats().ready).toBe(1);
    await clock.advance(1);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 2 });
  });

  it('is one of many that expire at one instant, and all are dead-lettered in order', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ttl: '1s' });
    await fill(queue, 1500);
    await clock.advance('1s');
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ ready: 0, unacked: 0, deadLettered: 1500 });
    expect(await waiting(queue.deadLetters!)).toEqual(Array.from({ length: 1500 }, (_, n) => n));
  });
});

onEachStorage('A message with ttl 0', (open) => {
  it('is delivered to a consumer that waits', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const delivered: string[] = [];
    queue.consume(({ body }) => void delivered.push(body));
    await quiet();
    await queue.send('now', { ttl: 0 });
    await quiet();
    expect(delivered).toEqual(['now']);
    expect(queue.stats()).toMatchObject({ acked: 1, deadLettered: 0 });
  });

  it('is delivered to a receive() that waits', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const received = queue.receive({ wait: '1s' });
    await quiet();
    await queue.send('now', { ttl: 0 });
    expect((await received)!.body).toBe('now');
  });

  it('expires at once where nobody consumes', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('now', { ttl: 0 });
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ ready: 0, deadLettered: 1, delivered: 0 });
  });

  it('expires at once where every consumer is busy', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const gate = deferred();
    const delivered: string[] = [];
    queue.consume(({ body }) => {
      delivered.push(body);
      return gate.promise;
    });
    await queue.send('long work');
    await quiet();
    await queue.send('now', { ttl: 0 });
    await clock.advance(0);
    gate.resolve();
    await quiet();
    expect(delivered).toEqual(['long work']);
    expect(queue.stats()).toMatchObject({ acked: 1, deadLettered: 1 });
  });

  it('is delivered when it is due, where a consumer waits by then', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const delivered: string[] = [];
    queue.consume(({ body }) => void delivered.push(body));
    await quiet();
    await queue.send('later', { delay: 10, ttl: 0 });
    await clock.advance(10);
    expect(delivered).toEqual(['later']);
  });

  it('expires when it is due, where nobody waits', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('later', { delay: 10, ttl: 0 });
    await clock.advance(10);
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, deadLettered: 1 });
  });

  it('expires at once behind a paused queue as soon as that goes on', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ttl: 0 });
    queue.consume(() => undefined);
    queue.pause();
    await queue.send('now');
    queue.resume();
    await quiet();
    expect(queue.stats()).toMatchObject({ acked: 0, deadLettered: 1 });
  });

  it('and a date that passed while it waited for room lives from when it came in', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'block', ttl: 10, deadLetter: false });
    await queue.send(1);
    const sent = queue.send(2, { deliverAt: new Date(clock.now() + 2) });
    await clock.advance(8);
    (await queue.receive())!.ack();
    await sent;
    await clock.advance(9);
    expect(queue.stats()).toMatchObject({ ready: 1, dropped: 0 });
    await clock.advance(1);
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 0, dropped: 1 });
  });
});
