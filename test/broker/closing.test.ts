import { describe, expect, it } from 'vitest';
import { Broker, MemoryStorage, SluiceError, type Delivery, type Storage } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { deferred, fill, onEachStorage, watch } from '../fixtures.js';

const CLOSED = { code: 'ERR_CLOSED' };

onEachStorage('Closing a broker', (open) => {
  it('settles whatever waits: sends reject, receivers get nothing, iterators end, idle() rejects', async () => {
    const { broker, quiet } = await open();
    const full = broker.queue<number>('full', { maxLength: 1, overflow: 'block' });
    const empty = broker.queue<number>('empty');
    const busy = broker.queue<number>('busy');
    const exchange = broker.exchange('x', { type: 'fanout' }).bind(full).bind(empty);
    await full.send(0);
    busy.consume(() => new Promise(() => undefined));
    await busy.send(0);
    const iterated: number[] = [];
    const iterate = async (): Promise<void> => {
      for await (const { body } of empty) iterated.push(body);
    };
    await quiet();
    const rejects = {
      send: watch(full.send(1)),
      many: watch(full.sendMany([{ body: 2 }])),
      publish: watch(exchange.publish('', 3)),
      retry: watch(full.send(4, { retry: { attempts: Infinity, backoff: () => 1000 } })),
      idle: watch(broker.idle()),
      queueIdle: watch(busy.idle()),
    };
    const resolves = {
      receive: watch(empty.receive({ wait: '1h' })),
      next: watch(empty[Symbol.asyncIterator]().next()),
      loop: watch(iterate()),
    };
    await quiet();
    for (const one of [...Object.values(rejects), ...Object.values(resolves)]) expect(one.state).toBe('pending');
    await broker.close({ timeout: 0 });
    for (const one of Object.values(rejects)) expect(one).toMatchObject({ state: 'rejected', error: CLOSED });
    expect(resolves).toMatchObject({
      receive: { state: 'resolved', value: undefined },
      next: { state: 'resolved', value: { done: true } },
      loop: { state: 'resolved' },
    });
    expect(iterated).toEqual([]);
    expect(full.stats().accepted).toBe(1);
  });

  it('refuses declarations, deletions and everything of an exchange from the moment it is called', async () => {
    const { broker } = await open();
    const queue = broker.queue('q');
    const exchange = broker.exchange('x').bind(queue, '#');
    const closing = broker.close();
    const calls: readonly (() => unknown)[] = [
      () => broker.queue('new'),
      () => broker.queue('q'),
      () => broker.exchange('x'),
      () => exchange.bind(queue, 'a'),
      () => exchange.unbind(queue, '#'),
      () => queue.consume(() => undefined),
      () => queue.resume(),
    ];
    for (const call of calls) expect(call).toThrow(expect.objectContaining(CLOSED));
    await expect(exchange.publish('a', 1)).rejects.toMatchObject(CLOSED);
    await expect(broker.delete('q')).rejects.toMatchObject(CLOSED);
    await expect(broker.idle()).rejects.toMatchObject(CLOSED);
    await expect(broker.flush()).rejects.toMatchObject(CLOSED);
    await closing;
    expect(broker.stats().queues).toMatchObject([{ name: 'q', accepted: 0, consumers: 0 }]);
  });

  it('is the same promise however often it is asked for, from anywhere, and needs no clock with timeout 0', async () => {
    const { broker, clock } = await open();
    const start = clock.now();
    const queue = broker.queue<number>('q');
    queue.consume(() => new Promise(() => undefined), { concurrency: 3 });
    queue.consumeBatch(() => new Promise(() => undefined), { size: 2, wait: '1h' });
    await fill(queue, 10);
    await clock.advance(0);
    const closes = [broker.close({ timeout: 0 }), broker.close({ timeout: '1h' }), broker.close()];
    await Promise.all([...closes, broker[Symbol.asyncDispose]()]);
    expect(clock.now()).toBe(start);
    expect(queue.stats()).toMatchObject({ ready: 10, unacked: 0, acked: 0, retried: 0 });
  });

  it('waits as long as `timeout` says, and not longer than its handlers take', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('q');
    const gate = deferred();
    queue.consume(() => gate.promise);
    await queue.send(1);
    await clock.advance(0);
    const closed = watch(broker.close({ timeout: '1m' }));
    await clock.advance('59s');
    expect(closed.state).toBe('pending');
    gate.resolve();
    await clock.advance(0);
    expect(closed.state).toBe('resolved');
    expect(queue.stats()).toMatchObject({ acked: 1 });
  });

  it('aborts the signals of what it gives up, names it all in `closed`, and late verbs return false', async () => {
    const { broker, quiet } = await open();
    const [a, b] = [broker.queue<number>('a'), broker.queue<number>('b', { ordering: 'key' })];
    const held: Delivery<number>[] = [];
    const never = (message: Delivery<number>): Promise<never> => {
      held.push(message);
      return new Promise<never>(() => undefined);
    };
    a.consume(never, { concurrency: 2 });
    b.consume(never);
    await a.send(1, { id: 'a1' });
    await a.send(2, { id: 'a2' });
    await b.send(3, { id: 'b1', key: 'k' });
    await b.send(4, { id: 'b2', key: 'k' });
    await quiet();
    const signals = held.map(({ signal }) => signal);
    const told: unknown[] = [];
    broker.on('closed', ({ abandoned }) => told.push(...abandoned.map(({ source, id }) => `${source} ${id}`)));
    await broker.close({ timeout: 0 });
    expect(told.map(String).sort()).toEqual(['a a1', 'a a2', 'b b1']);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    for (const { reason } of signals) expect(SluiceError.is(reason, 'ERR_CLOSED')).toBe(true);
    expect(held.map((message) => message.ack() || message.nack() || message.requeue() || message.extend())).toEqual([
      false,
      false,
      false,
    ]);
    expect([a.stats(), b.stats()]).toMatchObject([
      { ready: 2, unacked: 0, retried: 0 },
      { ready: 2, unacked: 0, retried: 0 },
    ]);
  });

  it('tells once of a storage that fails by then, and nothing after `closed`', async () => {
    const storage = new FaultyStorage(new JournalStorage());
    const { broker, quiet, reported } = await open({ storage });
    const told: string[] = [];
    broker.on('error', ({ error }) => told.push(error.message));
    broker.on('closed', () => told.push('closed'));
    broker.queue('declared a moment ago');
    storage.failNext('write', new Error('no'));
    await broker.close();
    await quiet();
    expect(told).toEqual(['no', 'closed']);
    expect(reported()).toHaveLength(1);
  });

  it('tells `closed` where nothing was abandoned, too, once everything else has been told', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('q');
    const told: string[] = [];
    broker.on('acked', () => told.push('acked'));
    broker.on('closed', ({ abandoned }) => told.push(`closed ${abandoned.length}`));
    const gate = deferred();
    queue.consume(() => gate.promise);
    await queue.send(1);
    await quiet();
    const closing = broker.close();
    gate.resolve();
    await closing;
    expect(told).toEqual(['acked', 'closed 0']);
  });

  it('is survived by a listener of `closed` that throws, or that closes again', async () => {
    const { broker, reported } = await open();
    broker.on('closed', () => {
      throw new Error('late');
    });
    let again: Promise<void> | undefined;
    broker.on('closed', () => void (again = broker.close()));
    await broker.close();
    await again;
    expect(reported().map(({ message }) => message)).toEqual(['late']);
  });

  it('lets a running handler use what it needs to end: verbs work, sends do not', async () => {
    const { broker, quiet } = await open();
    const [queue, next] = [broker.queue<number>('q'), broker.queue<number>('next')];
    const gate = deferred();
    const outcomes: unknown[] = [];
    queue.consume(
      async (message) => {
        await gate.promise;
        outcomes.push(await next.send(1).then(String, (error: SluiceError) => error.code));
        outcomes.push(message.body === 1 ? message.ack() : message.reject());
      },
      { ack: 'manual', concurrency: 2 },
    );
    await fill(queue, 3);
    await quiet();
    const closing = broker.close();
    gate.resolve();
    await closing;
    expect(outcomes.map(String).sort()).toEqual(['ERR_CLOSED', 'ERR_CLOSED', 'true', 'true']);
    expect(queue.stats()).toMatchObject({ acked: 1, deadLettered: 1, ready: 1, unacked: 0 });
  });

  it('starts no timer, and leaves none', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('q', { ttl: '1h' });
    queue.consume(() => Promise.reject(new Error('no')), { rateLimit: { max: 1, per: '1h' } });
    await fill(queue, 3);
    await queue.send(1, { delay: '1h' });
    await clock.advance(1000);
    expect(clock.pending()).toBeGreaterThan(0);
    await broker.close();
    expect(clock.pending()).toBe(0);
  });
});

describe('Closing a broker whose storage fails', () => {
  const storages: readonly [string, () => Storage][] = [
    ['MemoryStorage', () => new MemoryStorage()],
    ['JournalStorage', () => new JournalStorage()],
  ];

  it.each(storages)(
    'resolves all the same, closes the storage, and reports what went wrong · %s',
    async (_, create) => {
      const inner = create();
      const storage = new FaultyStorage(inner);
      const clock = new ManualClock();
      const broker = await Broker.open({ storage, clock });
      const errors: Error[] = [];
      broker.on('error', ({ error }) => errors.push(error));
      let told = 0;
      broker.on('closed', () => void told++);
      const queue = broker.queue<number>('q');
      await fill(queue, 3);
      const gone = new Error('the disk is gone');
      inner.close = () => Promise.reject(gone);
      storage.failWhen('write', () => true);
      for (let n = 0; n < 3; n++) (await queue.receive())!.ack();
      await broker.close();
      await broker.close();
      expect(errors).toContain(gone);
      expect(told).toBe(1);
      expect(clock.pending()).toBe(0);
    },
  );

  it.each(storages)('rejects the send whose write fails while it closes · %s', async (_, create) => {
    const storage = new FaultyStorage(create());
    const broker = await Broker.open({ storage, clock: new ManualClock() });
    const queue = broker.queue<number>('q');
    await queue.send(1);
    storage.failWhen('write', () => true);
    const sent = watch(queue.send(2));
    broker.on('error', () => undefined);
    await broker.close();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_STORAGE_FAILED' } });
    expect(queue.stats()).toMatchObject({ accepted: 1, ready: 1 });
  });
});

describe('await using', () => {
  it('closes the broker and its consumers at the end of the block', async () => {
    const clock = new ManualClock();
    const order: string[] = [];
    {
      await using broker = await Broker.open({ clock });
      broker.on('closed', () => order.push('closed'));
      const queue = broker.queue<number>('q');
      await using consumer = queue.consume(({ body }) => void order.push(`handled ${body}`));
      await queue.send(1);
      await broker.idle();
      expect(consumer.name).toBe('consumer-1');
    }
    expect(order).toEqual(['handled 1', 'closed']);
    expect(clock.pending()).toBe(0);
  });
});
