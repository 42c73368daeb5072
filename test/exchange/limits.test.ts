import { expect, it } from 'vitest';
import type { Broker, Exchange, Queue, QueueOptions } from '../../src/index.js';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

/** A fanout exchange bound to a queue of each of `options`: q0, q1, … */
function fanout(broker: Broker, ...options: readonly QueueOptions[]): { exchange: Exchange; queues: Queue<number>[] } {
  const exchange = broker.exchange('events', { type: 'fanout' });
  const queues = options.map((one, n) => broker.queue<number>(`q${n}`, one));
  for (const queue of queues) exchange.bind(queue);
  return { exchange, queues };
}

const ready = (queues: readonly Queue<number>[]): number[] => queues.map((queue) => queue.stats().ready);

async function ackOne(queue: Queue<number>): Promise<number> {
  const message = (await queue.receive())!;
  message.ack();
  return message.body;
}

onEachStorage('Publishing to several queues of which one is full', (open) => {
  it('rejects as a whole, naming the queue, where that rejects', async () => {
    const { broker } = await open();
    const { exchange, queues } = fanout(broker, {}, { maxLength: 1 }, { maxLength: 5, overflow: 'block' });
    await exchange.publish('', 0);
    await expect(exchange.publish('', 1)).rejects.toMatchObject({
      code: 'ERR_QUEUE_FULL',
      message: expect.stringContaining('"q1"'),
      details: { queue: 'q1' },
    });
    expect(ready(queues)).toEqual([1, 1, 1]);
    expect(queues.map((queue) => queue.stats().accepted)).toEqual([1, 1, 1]);
    await ackOne(queues[1]!);
    await exchange.publish('', 2);
    expect(ready(queues)).toEqual([2, 1, 2]);
  });

  it('waits as a whole where that blocks, and tells it once', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, {}, { maxLength: 1, overflow: 'block' });
    const told: string[] = [];
    broker.on('blocked', ({ source }) => told.push(`blocked ${source}`));
    broker.on('unblocked', ({ source }) => told.push(`unblocked ${source}`));
    await exchange.publish('', 0);
    const publishing = watch(exchange.publish('', 1));
    await quiet();
    expect(publishing.state).toBe('pending');
    expect(ready(queues)).toEqual([1, 1]);
    expect(await ackOne(queues[1]!)).toBe(0);
    await quiet();
    expect(publishing).toMatchObject({ state: 'resolved', value: { destinations: ['q0', 'q1'] } });
    expect(ready(queues)).toEqual([2, 1]);
    expect(told).toEqual(['blocked q1', 'unblocked q1']);
  });

  it('waits for every one of them that blocks', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(
      broker,
      { maxLength: 1, overflow: 'block' },
      { maxLength: 1, overflow: 'block' },
    );
    await exchange.publish('', 0);
    const publishing = watch(exchange.publish('', 1));
    await ackOne(queues[0]!);
    await quiet();
    expect(publishing.state).toBe('pending');
    expect(ready(queues)).toEqual([0, 1]);
    await ackOne(queues[1]!);
    await quiet();
    expect(publishing.state).toBe('resolved');
  });

  it('rejects rather than waits, where one rejects and one blocks', async () => {
    const { broker } = await open();
    const { exchange, queues } = fanout(
      broker,
      { maxLength: 1, overflow: 'block' },
      { maxLength: 1, overflow: 'reject' },
    );
    await exchange.publish('', 0);
    await expect(exchange.publish('', 1)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', details: { queue: 'q1' } });
    expect(ready(queues)).toEqual([1, 1]);
  });

  it('rejects when its turn comes, where a queue that rejects has become full meanwhile', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(
      broker,
      { maxLength: 1, overflow: 'block' },
      { maxLength: 2, overflow: 'reject' },
    );
    await exchange.publish('', 0);
    const publishing = watch(exchange.publish('', 1));
    await queues[1]!.send(7);
    await ackOne(queues[0]!);
    await quiet();
    expect(publishing).toMatchObject({ state: 'rejected', error: { code: 'ERR_QUEUE_FULL' } });
    expect(ready(queues)).toEqual([0, 2]);
  });

  it('drops the oldest, or dead-letters the newcomer, of those queues alone that say so', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(
      broker,
      {},
      { maxLength: 1, overflow: 'drop-head' },
      { maxLength: 1, overflow: 'dead-letter' },
    );
    expect((await exchange.publish('', 0)).destinations).toEqual(['q0', 'q1', 'q2']);
    expect((await exchange.publish('', 1)).destinations).toEqual(['q0', 'q1', 'q2.dlq']);
    await quiet();
    const held = await Promise.all(queues.map((queue) => waiting(queue)));
    expect(held).toEqual([[0, 1], [1], [0]]);
    expect(await waiting(broker.queue('q2.dlq'))).toEqual([1]);
    expect(queues.map((queue) => queue.stats().dropped)).toEqual([0, 1, 0]);
  });

  it('counts a queue that it reaches on two ways once', async () => {
    const { broker } = await open();
    const { exchange, queues } = fanout(broker, { maxLength: 1 });
    broker.exchange('top', { type: 'fanout' }).bind(exchange).bind(queues[0]!);
    expect((await broker.exchange('top').publish('', 0)).destinations).toEqual(['q0']);
    expect(ready(queues)).toEqual([1]);
  });
});

onEachStorage('Publishers that wait for room', (open) => {
  const BLOCK = { maxLength: 1, overflow: 'block' } as const;

  it('come in the order they came, each as a whole', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, BLOCK, {});
    await exchange.publish('', 0);
    const publishing = [1, 2, 3].map((n) => watch(exchange.publish('', n)));
    for (const n of [0, 1, 2, 3]) {
      await quiet();
      expect(publishing.filter(({ state }) => state === 'resolved')).toHaveLength(n);
      expect(await ackOne(queues[0]!)).toBe(n);
    }
    expect(await waiting(queues[1]!)).toEqual([0, 1, 2, 3]);
  });

  it('are not overtaken at the queue they wait for, whoever sends and however', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, BLOCK, BLOCK);
    const [a, b] = queues as [Queue<number>, Queue<number>];
    await exchange.publish('', 0);
    const both = watch(exchange.publish('', 1));
    const one = watch(a.send(2));
    await ackOne(a);
    await quiet();
    // There is room in q0, but the first in line waits for q1 as well.
    expect([both.state, one.state]).toEqual(['pending', 'pending']);
    expect(ready(queues)).toEqual([0, 1]);
    await ackOne(b);
    await quiet();
    expect([both.state, one.state]).toEqual(['resolved', 'pending']);
    expect(await ackOne(a)).toBe(1);
    await quiet();
    expect(one.state).toBe('resolved');
  });

  it('do not hold up those who want nothing of the same queues', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, BLOCK);
    await exchange.publish('', 0);
    const first = watch(exchange.publish('', 1));
    const other = broker.queue<number>('other', BLOCK);
    await other.send(0);
    const second = watch(other.send(1));
    await ackOne(other);
    await quiet();
    expect([first.state, second.state]).toEqual(['pending', 'resolved']);
    expect(ready(queues)).toEqual([1]);
  });

  it('give up with ERR_ABORTED, ERR_UNKNOWN_DESTINATION or ERR_CLOSED, having stored nothing anywhere', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, BLOCK, {});
    await exchange.publish('', 0);
    const aborting = new AbortController();
    const waits = [watch(exchange.publish('', 1, { signal: aborting.signal })), watch(exchange.publish('', 2))];
    await quiet();
    aborting.abort('enough');
    await quiet();
    expect(waits).toMatchObject([
      { state: 'rejected', error: { code: 'ERR_ABORTED', cause: 'enough' } },
      { state: 'pending' },
    ]);
    await broker.delete('q0');
    await quiet();
    expect(waits[1]).toMatchObject({ state: 'rejected', error: { code: 'ERR_UNKNOWN_DESTINATION' } });
    expect(await waiting(queues[1]!)).toEqual([0]);

    const again = broker.queue<number>('q0', BLOCK);
    exchange.bind(again);
    await exchange.publish('', 3);
    const last = watch(exchange.publish('', 4));
    await quiet();
    await broker.close();
    expect(last).toMatchObject({ state: 'rejected', error: { code: 'ERR_CLOSED' } });
  });

  it('let the next one in when the one before gives up', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, BLOCK, BLOCK);
    const aborting = new AbortController();
    await exchange.publish('', 0);
    const first = watch(exchange.publish('', 1, { signal: aborting.signal }));
    const second = watch(queues[0]!.send(2));
    await ackOne(queues[0]!);
    await quiet();
    expect(second.state).toBe('pending');
    aborting.abort();
    await quiet();
    expect([first.state, second.state]).toEqual(['rejected', 'resolved']);
  });

  it('take what they asked for when they asked: later bindings do not change where they go', async () => {
    const { broker, quiet } = await open();
    const { exchange, queues } = fanout(broker, BLOCK);
    await exchange.publish('', 0);
    const publishing = watch(exchange.publish('', 1));
    const late = broker.queue<number>('late');
    exchange.bind(late);
    await ackOne(queues[0]!);
    await quiet();
    expect(publishing).toMatchObject({ value: { destinations: ['q0'] } });
    expect(late.stats().accepted).toBe(0);
  });

  it('all come in, where consumers keep making room', async () => {
    const { broker } = await open();
    const { exchange, queues } = fanout(broker, { maxLength: 3, overflow: 'block' }, BLOCK);
    const seen: number[][] = [[], []];
    queues.forEach((queue, n) => queue.consume(({ body }) => void seen[n]!.push(body)));
    const numbers = Array.from({ length: 100 }, (_, n) => n);
    await Promise.all(numbers.map((n) => exchange.publish('', n)));
    await broker.idle();
    expect(seen).toEqual([numbers, numbers]);
  });
});

onEachStorage('A publish larger than a queue', (open) => {
  it('is full at once, whatever the policy', async () => {
    const { broker } = await open();
    for (const overflow of ['block', 'reject', 'drop-head', 'dead-letter'] as const) {
      const exchange = broker.exchange(overflow, { type: 'fanout' });
      const queue = broker.queue<string>(`small ${overflow}`, { maxBytes: 10, overflow });
      exchange.bind(queue).bind(broker.queue('any'));
      await expect(exchange.publish('', 'x'.repeat(20))).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
      expect(queue.stats().accepted).toBe(0);
    }
    expect(broker.queue('any').stats().accepted).toBe(0);
  });

  it('lets what was accepted before, such as dead letters, in over the limit of several queues', async () => {
    const { broker, quiet } = await open();
    const { queues } = fanout(broker, { maxLength: 1 }, { maxLength: 1, overflow: 'block' });
    const source = broker.queue<number>('source', { deadLetter: 'events' });
    await fill(source, 3);
    for (let n = 0; n < 3; n++) (await source.receive())!.reject();
    await quiet();
    expect(ready(queues)).toEqual([3, 3]);
    expect(source.stats()).toMatchObject({ deadLettered: 3, unacked: 0 });
  });
});
