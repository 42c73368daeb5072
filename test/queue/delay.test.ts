import { expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A delayed message', (open) => {
  it('is delivered when its delay is over, and not a millisecond before', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    const delivered: [string, number][] = [];
    const start = clock.now();
    queue.consume(({ body }) => void delivered.push([body, clock.now() - start]));
    await queue.send('later', { delay: '2s' });
    await clock.advance(1999);
    expect(delivered).toEqual([]);
    await clock.advance(1);
    expect(delivered).toEqual([['later', 2000]]);
  });

  it('is delivered at the date that deliverAt names', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('then', { deliverAt: new Date(clock.now() + 5000) });
    await clock.advance(4999);
    expect(await queue.receive()).toBeUndefined();
    await clock.advance(1);
    expect((await queue.receive())!.body).toBe('then');
  });

  it.each([
    ['a deliverAt in the past', { deliverAt: new Date(0) }],
    ['a delay of 0', { delay: 0 }],
  ])('is delivered at once with %s', async (_, options) => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('now', options);
    expect(queue.stats()).toMatchObject({ ready: 1, delayed: 0 });
    expect((await queue.receive())!.body).toBe('now');
  });

  it.each([1, 1100])(
    'is delivered in its place, with a date that passes while it waits behind %i others for room',
    async (others) => {
      const { broker, clock } = await open();
      const queue = broker.queue<string>('orders', { maxLength: others, overflow: 'block' });
      await queue.sendMany(Array.from({ length: others }, (_, n) => ({ body: `before ${n}` })));
      const sent = queue.send('dated', { deliverAt: new Date(clock.now() + 10) });
      const after = queue.send('after');
      await clock.advance(20);
      const bodies: string[] = [];
      queue.consume(({ body }) => void bodies.push(body));
      await Promise.all([sent, after]);
      await queue.idle();
      expect(bodies).toHaveLength(others + 2);
      expect(bodies.slice(-2)).toEqual(['dated', 'after']);
    },
  );

  it('counts as delayed until it is due, then as ready, whether or not anybody consumes', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('later', { delay: 100 });
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 1, accepted: 1 });
    await clock.advance(100);
    expect(queue.stats()).toMatchObject({ ready: 1, delayed: 0, accepted: 1 });
  });

  it('holds back nobody behind it', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('later', { delay: '1h' });
    await queue.send('now');
    expect((await queue.receive())!.body).toBe('now');
    expect(await queue.receive()).toBeUndefined();
  });

  it('goes before what was accepted after it, once it is due', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('first');
    await queue.send('second, delayed', { delay: 10 });
    await queue.send('third');
    await clock.advance(10);
    const bodies = [];
    for (let n = 0; n < 3; n++) bodies.push((await queue.receive())!.body);
    expect(bodies).toEqual(['first', 'second, delayed', 'third']);
  });

  it('goes by order of acceptance among those that became due meanwhile, not by due time', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a', { delay: 30 });
    await queue.send('b', { delay: 10 });
    await queue.send('c', { delay: 20 });
    await clock.advance(30);
    const bodies = [];
    for (let n = 0; n < 3; n++) bodies.push((await queue.receive())!.body);
    expect(bodies).toEqual(['a', 'b', 'c']);
  });

  it('is one of many: each comes at its time, those of one instant in order of acceptance', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<{ n: number; at: number }>('orders');
    const random = seededRandom(11);
    const start = clock.now();
    const sent = Array.from({ length: 500 }, (_, n) => ({ n, at: Math.floor(random() * 50) }));
    await queue.sendMany(sent.map((body) => ({ body, delay: body.at })));
    const delivered: { n: number; at: number }[] = [];
    queue.consume(({ body }) => {
      expect(clock.now() - start).toBe(body.at);
      delivered.push(body);
    });
    await clock.advance(500);
    expect(delivered).toEqual(sent.toSorted((a, b) => a.at - b.at || a.n - b.n));
  });

  it('may be delayed for longer than a timer of Node can wait', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('in 60 days', { delay: '60d' });
    await clock.advance('59d');
    expect(await queue.receive()).toBeUndefined();
    await clock.advance('1d');
    expect((await queue.receive())!.body).toBe('in 60 days');
  });

  it('is seen by peek, and waited for by receive', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('later', { delay: '5s' });
    expect(await waiting(queue)).toEqual(['later']);
    const received = queue.receive({ wait: '10s' });
    await quiet();
    await clock.advance('5s');
    expect((await received)!.body).toBe('later');
  });

  it('counts its first delivery as attempt 1', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('later', { delay: 10 });
    await clock.advance(10);
    expect(await queue.receive()).toMatchObject({ attempt: 1, deliveries: 1 });
  });
});
