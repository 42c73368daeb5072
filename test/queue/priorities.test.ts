import { describe, expect, it } from 'vitest';
import { Broker, fixed } from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { deferred, onEachStorage } from '../fixtures.js';

onEachStorage('A queue with priorities', (open) => {
  it('delivers the highest level first, and within a level the oldest', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { priorities: 3 });
    await queue.sendMany([
      { body: 'low 1' },
      { body: 'high 1', priority: 2 },
      { body: 'middle 1', priority: 1 },
      { body: 'high 2', priority: 2 },
      { body: 'low 2', priority: 0 },
      { body: 'middle 2', priority: 1 },
    ]);
    const delivered: string[] = [];
    queue.consume(({ body }) => void delivered.push(body));
    await quiet();
    expect(delivered).toEqual(['high 1', 'high 2', 'middle 1', 'middle 2', 'low 1', 'low 2']);
  });

  it('takes a priority above its levels at its highest, and keeps it on the message', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { priorities: 2 });
    await queue.send('one', { priority: 1 });
    await queue.send('hundred', { priority: 100 });
    const first = (await queue.receive())!;
    const second = (await queue.receive())!;
    expect([first.body, second.body]).toEqual(['one', 'hundred']);
    expect([first.priority, second.priority]).toEqual([1, 100]);
  });

  it('delivers what was on its way when it got its levels', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders');
    const sent = [
      queue.send('low'),
      queue.send('high', { priority: 2 }),
      queue.sendMany([{ body: 'middle', priority: 1 }]),
    ];
    broker.queue('orders', { priorities: 3 });
    await Promise.all(sent);
    const delivered: string[] = [];
    queue.consume(({ body }) => void delivered.push(body));
    await quiet();
    expect(delivered).toEqual(['low', 'high', 'middle']);
    expect(queue.stats().ready).toBe(0);
  });

  it('keeps the order of acceptance where it has one level, whatever the messages say', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('low');
    await queue.send('high', { priority: 9 });
    expect((await queue.receive())!.body).toBe('low');
  });

  it('has room for 32 levels', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { priorities: 32 });
    await queue.sendMany(Array.from({ length: 32 }, (_, priority) => ({ body: priority, priority })));
    const bodies: number[] = [];
    for (let n = 0; n < 32; n++) bodies.push((await queue.receive())!.body);
    expect(bodies).toEqual(Array.from({ length: 32 }, (_, n) => 31 - n));
  });

  it('hands the next free slot to what came in late with a higher priority', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { priorities: 2 });
    const gate = deferred();
    const delivered: string[] = [];
    queue.consume(({ body }) => {
      delivered.push(body);
      return gate.promise;
    });
    await queue.send('low 1');
    await quiet();
    await queue.send('low 2');
    await queue.send('high', { priority: 1 });
    gate.resolve();
    await quiet();
    expect(delivered).toEqual(['low 1', 'high', 'low 2']);
  });

  it('orders retries that are due by level first, then by age', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { priorities: 2, retry: { backoff: fixed(10) } });
    await queue.sendMany([
      { body: 'low 1' },
      { body: 'high 1', priority: 1 },
      { body: 'low 2' },
      { body: 'high 2', priority: 1 },
    ]);
    const held = [];
    for (let n = 0; n < 4; n++) held.push((await queue.receive())!);
    for (const message of held.reverse()) message.nack();
    await queue.send('high 3', { priority: 1 });
    await clock.advance(10);
    const again: string[] = [];
    for (let n = 0; n < 5; n++) again.push((await queue.receive())!.body);
    expect(again).toEqual(['high 1', 'high 2', 'high 3', 'low 1', 'low 2']);
  });

  it('puts a delayed message into its level when it is due', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { priorities: 2 });
    await queue.send('high, later', { priority: 1, delay: 10 });
    await queue.send('low');
    await clock.advance(10);
    expect((await queue.receive())!.body).toBe('high, later');
    expect((await queue.receive())!.body).toBe('low');
  });

  it('keeps the priority of a dead letter', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { priorities: 5 });
    await queue.send('a', { priority: 3 });
    (await queue.receive())!.reject();
    await quiet();
    expect((await queue.deadLetters!.peek())[0]!.priority).toBe(3);
  });

  it('counts all levels in its stats, and peeks at them oldest first', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { priorities: 3 });
    const start = clock.now();
    await queue.send('low');
    await clock.advance(5);
    await queue.send('high', { priority: 2 });
    expect(queue.stats()).toMatchObject({ ready: 2, oldest: new Date(start) });
    expect((await queue.peek()).map(({ body }) => body)).toEqual(['low', 'high']);
    expect(await queue.purge()).toBe(2);
  });
});

describe('A higher level', () => {
  it('goes first also where it got the room of one that expired while the next was looked for', async () => {
    const clock = new ManualClock();
    const broker = await Broker.open({ clock });
    const options = { priorities: 2, maxLength: 2, overflow: 'block', deadLetter: false } as const;
    const queue = broker.queue<string>('orders', options);
    queue.pause();
    await queue.send('expires', { ttl: 5 });
    await queue.send('low');
    const sent = queue.send('high', { priority: 1 });
    await clock.advance(10);
    const received = queue.receive({ wait: '1s' });
    queue.resume();
    await sent;
    expect((await received)!.body).toBe('high');
    await broker.close();
  });
});
