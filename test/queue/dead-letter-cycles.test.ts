import { expect, it } from 'vitest';
import { MemoryStorage } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('Dead letters that run in a circle', (open) => {
  it('without a rejection in it end in <name>.dlq', async () => {
    const { broker, clock } = await open();
    const a = broker.queue<string>('a', { ttl: 10, deadLetter: 'b' });
    const b = broker.queue<string>('b', { ttl: 10, deadLetter: 'a' });
    await a.send('x');
    await clock.advance(100);
    expect([a.stats().ready, b.stats().ready]).toEqual([0, 0]);
    const [dead] = await broker.queue<string>('b.dlq').peek();
    expect(dead!.body).toBe('x');
    expect(dead!.deaths).toMatchObject([
      { source: 'b', reason: 'expired', count: 1 },
      { source: 'a', reason: 'expired', count: 1 },
    ]);
  });

  it('go on where a rejection is part of it: a queue of delayed retries', async () => {
    const { broker, clock } = await open();
    const work = broker.queue<string>('work', { deadLetter: 'wait' });
    broker.queue('wait', { ttl: '1m', deadLetter: 'work' });
    const deaths: number[][] = [];
    work.consume((message) => {
      deaths.push(message.deaths.map(({ count }) => count));
      if (deaths.length < 4) message.reject();
    });
    await work.send('x');
    await clock.advance('10m');
    expect(deaths).toEqual([[], [1, 1], [2, 2], [3, 3]]);
    expect(work.stats()).toMatchObject({ acked: 1, deadLettered: 3 });
  });

  it('go on where attempts that are used up are part of it', async () => {
    const { broker, clock } = await open();
    const work = broker.queue<string>('work', { deadLetter: 'wait', retry: { attempts: 1 } });
    broker.queue('wait', { ttl: '1m', deadLetter: 'work' });
    let handled = 0;
    work.consume(() => {
      if (++handled < 3) throw new Error('no');
    });
    await work.send('x');
    await clock.advance('10m');
    expect(handled).toBe(3);
  });

  it('of one queue: a rejected message goes to the end of the queue that is its own grave', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: 'orders' });
    await queue.sendMany([{ body: 'a' }, { body: 'b' }]);
    const first = (await queue.receive())!;
    first.reject();
    await quiet();
    expect(await waiting(queue)).toEqual(['b', 'a']);
    expect(queue.stats()).toMatchObject({ accepted: 3, deadLettered: 1, ready: 2 });
    const [, again] = await queue.peek();
    expect(again).toMatchObject({ id: first.id, attempt: 1 });
    expect(again!.deaths).toMatchObject([{ source: 'orders', reason: 'rejected', count: 1 }]);
  });

  it('of one queue without a rejection end in <name>.dlq', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: 'orders', ttl: 10 });
    await queue.send('a');
    await clock.advance(1000);
    expect(queue.stats()).toMatchObject({ ready: 0, accepted: 1, deadLettered: 1 });
    expect(await waiting(broker.queue<string>('orders.dlq'))).toEqual(['a']);
  });

  it('of one queue never grow the stack: 1,500 that reject each other in turn', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { deadLetter: 'orders' });
    let handled = 0;
    queue.consume((message) => {
      if (++handled < 1500) message.reject();
    });
    await queue.send(1);
    while (handled < 1500) await quiet();
    expect(queue.stats()).toMatchObject({ accepted: 1500, acked: 1, deadLettered: 1499 });
  });

  it('skip the destinations of an exchange that would close the circle; the others get them', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ttl: 10, deadLetter: 'graves' });
    const other = broker.queue<string>('other');
    broker.exchange('graves', { type: 'fanout' }).bind(queue).bind(other);
    await queue.send('a');
    await clock.advance(1000);
    expect(queue.stats()).toMatchObject({ accepted: 1, ready: 0, deadLettered: 1 });
    expect(await waiting(other)).toEqual(['a']);
    expect(broker.stats().queues.map(({ name }) => name)).not.toContain('orders.dlq');
  });
});

onEachStorage('The death of a message', (open) => {
  it('is one write, however many queues it goes to', async () => {
    const batches: string[][] = [];
    const storage = new MemoryStorage();
    const write = storage.write.bind(storage);
    storage.write = (batch) => {
      batches.push(batch.flatMap((op) => (op.type === 'append' ? op.log : [])));
      return write(batch);
    };
    const { broker } = await open({ storage });
    broker.exchange('graves', { type: 'fanout' }).bind(broker.queue('a')).bind(broker.queue('b'));
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    await queue.send('x');
    batches.length = 0;
    (await queue.receive())!.reject();
    expect(batches).toEqual([[expect.stringContaining('a'), expect.stringContaining('b')]]);
    expect(queue.stats()).toMatchObject({ deadLettered: 1, unacked: 0 });
  });

  it('is listed once per source and reason, newest first', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 1 } });
    await queue.send('a');
    for (const end of ['reject', 'nack', 'reject'] as const) {
      (await queue.receive())![end]();
      await quiet();
      await clock.advance('1m');
      await queue.deadLetters!.redrive();
    }
    const [message] = await queue.peek();
    expect(message!.deaths).toMatchObject([
      { source: 'orders', reason: 'rejected', count: 2, at: new Date(clock.now() - 60_000) },
      { source: 'orders', reason: 'attempts', count: 1, at: new Date(clock.now() - 120_000) },
    ]);
  });
});
