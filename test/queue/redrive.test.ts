import { expect, it } from 'vitest';
import { MemoryStorage, type Queue } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/index.js';
import { fill, onEachStorage, waiting } from '../fixtures.js';

/** Lets the first `n` messages of a queue die. */
async function reject(queue: Queue<number>, n: number): Promise<void> {
  for (let i = 0; i < n; i++) (await queue.receive())!.reject();
}

onEachStorage('Redriving dead letters', (open) => {
  it('moves them back to where they died, oldest first, with attempts counted from 0 again', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 3, backoff: () => 0 } });
    await fill(queue, 3);
    const consumer = queue.consume(() => Promise.reject(new Error('no')));
    await quiet();
    await consumer.close();
    const dead = queue.deadLetters!;
    expect(dead.stats().ready).toBe(3);
    expect(await dead.redrive()).toBe(3);
    expect(dead.stats()).toMatchObject({ ready: 0, unacked: 0, removed: 3, bytes: 0 });
    const back = await queue.peek();
    expect(back.map(({ body, attempt, deliveries }) => [body, attempt, deliveries])).toEqual([
      [0, 1, 0],
      [1, 1, 0],
      [2, 1, 0],
    ]);
    expect(back[0]!.deaths).toMatchObject([{ source: 'orders', reason: 'attempts', count: 1 }]);
    await clock.advance(0);
  });

  it('moves each to its own queue where several share a grave', async () => {
    const { broker, quiet } = await open();
    const queues = ['a', 'b'].map((name) => broker.queue<number>(name, { deadLetter: 'graves' }));
    for (const queue of queues) {
      await fill(queue, 2);
      await reject(queue, 2);
    }
    await quiet();
    expect(await broker.queue('graves').redrive()).toBe(4);
    expect(await Promise.all(queues.map((queue) => waiting(queue)))).toEqual([
      [0, 1],
      [0, 1],
    ]);
  });

  it('moves no more than `limit`', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 5);
    await reject(queue, 5);
    await quiet();
    const dead = queue.deadLetters!;
    expect(await dead.redrive({ limit: 2 })).toBe(2);
    expect(await dead.redrive({ limit: 0 })).toBe(0);
    expect(await waiting(queue)).toEqual([0, 1]);
    expect(await waiting(dead)).toEqual([2, 3, 4]);
  });

  it('moves what the filter takes, and leaves the others in their places', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 6);
    await reject(queue, 6);
    await quiet();
    const dead = queue.deadLetters!;
    const asked: string[] = [];
    const odd = await dead.redrive({
      filter: ({ body, deaths }) => {
        asked.push(deaths[0]!.reason);
        return body % 2 === 1;
      },
    });
    expect(odd).toBe(3);
    expect(asked).toEqual(Array.from({ length: 6 }, () => 'rejected'));
    expect(await waiting(queue)).toEqual([1, 3, 5]);
    expect(await waiting(dead)).toEqual([0, 2, 4]);
  });

  it('leaves a message for which the filter throws, and reports that', async () => {
    const { broker, quiet, reported } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 3);
    await reject(queue, 3);
    await quiet();
    const dead = queue.deadLetters!;
    const moved = await dead.redrive({
      filter: ({ body }) => {
        if (body === 1) throw new Error('filter is broken');
        return true;
      },
    });
    expect(moved).toBe(2);
    expect(await waiting(dead)).toEqual([1]);
    expect(reported().map(({ message }) => message)).toEqual(['filter is broken']);
  });

  it('leaves what never died, and what died in a queue that is gone, unless it is told where to', async () => {
    const { broker, quiet } = await open();
    const gone = broker.queue<number>('gone', { deadLetter: 'graves' });
    const graves = broker.queue<number>('graves');
    await gone.send(1);
    await reject(gone, 1);
    await quiet();
    await graves.send(2);
    await broker.delete('gone');
    expect(await graves.redrive()).toBe(0);
    expect(await waiting(graves)).toEqual([1, 2]);
    const elsewhere = broker.queue<number>('elsewhere');
    expect(await graves.redrive({ to: 'elsewhere' })).toBe(2);
    expect(await waiting(elsewhere)).toEqual([1, 2]);
  });

  it('moves to a handle or through an exchange as well', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const [a, b] = [broker.queue<number>('a'), broker.queue<number>('b')];
    const both = broker.exchange('both', { type: 'fanout' }).bind(a).bind(b);
    await fill(queue, 4);
    expect(await queue.redrive({ to: a, limit: 1 })).toBe(1);
    expect(await queue.redrive({ to: both })).toBe(3);
    expect([await waiting(a), await waiting(b)]).toEqual([
      [0, 1, 2, 3],
      [1, 2, 3],
    ]);
    expect(queue.stats()).toMatchObject({ ready: 0, removed: 4 });
  });

  it('rejects with ERR_UNKNOWN_DESTINATION for a name that nothing has', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(1);
    await expect(queue.redrive({ to: 'nowhere' })).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
    expect(queue.stats().ready).toBe(1);
  });

  it('looks at each message once, also where they go to the queue they come from', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 5);
    expect(await queue.redrive({ to: queue })).toBe(5);
    expect(await waiting(queue)).toEqual([0, 1, 2, 3, 4]);
    expect(queue.stats()).toMatchObject({ accepted: 10, removed: 5, ready: 5 });
  });

  it('takes ready messages only: not those in hand, nor delayed ones', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 3);
    await queue.send(3, { delay: '1h' });
    const held = (await queue.receive())!;
    const to = broker.queue<number>('elsewhere');
    expect(await queue.redrive({ to })).toBe(2);
    expect(await waiting(to)).toEqual([1, 2]);
    expect(held.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ delayed: 1, acked: 1, removed: 2 });
  });

  it('passes the limits of where they go', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { maxLength: 2 });
    await fill(queue, 2);
    await reject(queue, 2);
    await quiet();
    await fill(queue, 2);
    expect(await queue.deadLetters!.redrive()).toBe(2);
    expect(queue.stats().ready).toBe(4);
  });

  it('moves everything of a large backlog, through reads and writes that take time', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const to = broker.queue<number>('elsewhere');
    await fill(queue, 1500);
    expect(await queue.redrive({ to })).toBe(1500);
    expect(await waiting(to)).toEqual(Array.from({ length: 1500 }, (_, n) => n));
  });

  it('takes from all levels, and keeps priorities', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { priorities: 3 });
    const to = broker.queue<number>('elsewhere', { priorities: 3 });
    for (let n = 0; n < 6; n++) await queue.send(n, { priority: n % 3 });
    expect(await queue.redrive({ to })).toBe(6);
    const order: number[] = [];
    for (let n = 0; n < 6; n++) order.push((await to.receive())!.body);
    expect(order).toEqual([2, 5, 1, 4, 0, 3]);
  });

  it('shares the messages with consumers of the grave: nobody gets one twice', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const to = broker.queue<number>('elsewhere');
    await fill(queue, 500);
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body), { concurrency: 3 });
    const moved = await queue.redrive({ to });
    await quiet();
    const found = [...handled, ...(await waiting(to))];
    expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    expect(queue.stats()).toMatchObject({ removed: moved, acked: handled.length, ready: 0 });
  });

  it('takes them as a consumer would: the highest level first', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { priorities: 3 });
    const to = broker.queue<number>('elsewhere');
    for (let n = 0; n < 6; n++) await queue.send(n, { priority: n % 3 });
    expect(await queue.redrive({ to, limit: 3 })).toBe(3);
    expect(await waiting(to)).toEqual([2, 5, 1]);
  });

  it('leaves no key behind that is nobody’s', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { ordering: 'key' });
    for (let n = 0; n < 6; n++) await queue.send(n, { key: `k${n % 2}` });
    expect(await queue.redrive({ to: queue, filter: ({ body }) => body < 4 })).toBe(4);
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual([4, 5, 0, 1, 2, 3]);
  });

  it('may run twice at once: each message is moved once', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const to = broker.queue<number>('elsewhere');
    await fill(queue, 400);
    const [first, second] = await Promise.all([queue.redrive({ to }), queue.redrive({ to })]);
    expect(first + second).toBe(400);
    const moved = await waiting(to);
    expect(moved.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, n) => n));
  });

  it('leaves a message that could not be stored elsewhere', async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const { broker, clock, reported } = await open({ storage });
    const queue = broker.queue<number>('orders');
    const to = broker.queue<number>('elsewhere');
    await fill(queue, 2);
    storage.failNext('write');
    expect(await queue.redrive({ to })).toBe(1);
    expect(reported()).toMatchObject([{ code: 'ERR_STORAGE_FAILED' }]);
    expect(await waiting(queue)).toEqual([0]);
    await clock.advance('1s');
    expect(await queue.redrive({ to })).toBe(1);
    expect(await waiting(to)).toEqual([1, 0]);
  });

  it('leaves what comes one by one, after a batch failed, to come one by one', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const batches: number[][] = [];
    const consumer = queue.consumeBatch(
      (batch) => {
        batches.push(batch.map(({ body }) => body));
        if (batches.length > 1) return;
        consumer.pause();
        throw new Error('no');
      },
      { size: 3 },
    );
    await fill(queue, 3);
    await quiet();
    expect(await queue.redrive({ to: broker.queue('elsewhere'), filter: () => false })).toBe(0);
    consumer.resume();
    await quiet();
    expect(batches).toEqual([[0, 1, 2], [0], [1], [2]]);
  });
});
