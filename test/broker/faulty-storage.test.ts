import { describe, expect, it } from 'vitest';
import { Broker, MemoryStorage, SluiceError, type Storage } from '../../src/index.js';
import type { StorageOp } from '../../src/storage/storage.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { balanced, fill, waiting, watch } from '../fixtures.js';

const storages: readonly [string, () => Storage][] = [
  ['MemoryStorage', () => new MemoryStorage()],
  ['JournalStorage', () => new JournalStorage()],
];

interface Bench {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly storage: FaultyStorage;
  readonly errors: Error[];
}

async function open(create: () => Storage): Promise<Bench> {
  const storage = new FaultyStorage(create());
  const clock = new ManualClock();
  const broker = await Broker.open({ storage, clock });
  const errors: Error[] = [];
  broker.on('error', ({ error }) => errors.push(error));
  return { broker, clock, storage, errors };
}

async function end({ broker, storage }: Bench): Promise<void> {
  storage.heal();
  balanced(broker);
  await broker.close({ timeout: 0 });
  balanced(broker);
}

const appends = (log: string) => (batch: readonly StorageOp[]) =>
  batch.some((op) => op.type === 'append' && op.log.endsWith(`:${log}`));

describe.each(storages)('When writes fail · %s', (_, create) => {
  it('send(), sendMany() and publish() reject with what the storage said, and nothing is stored', async () => {
    const bench = await open(create);
    const { broker, storage, errors } = bench;
    const [a, b] = [broker.queue<number>('a'), broker.queue<number>('b', { maxLength: 10, priorities: 3 })];
    const exchange = broker.exchange('x', { type: 'fanout' }).bind(a).bind(b);
    const before = broker.stats().queues;
    const gone = new Error('no disk');
    const sends: readonly (() => Promise<unknown>)[] = [
      () => a.send(1),
      () => a.send(1, { headers: { h: 1 }, delay: '1s' }),
      () => b.send(1, { priority: 2, ttl: '1s' }),
      () => b.sendMany([{ body: 1 }, { body: 2 }]),
      () => exchange.publish('', 1),
      () => exchange.publish('', 1, { mandatory: true }),
    ];
    for (const send of sends) {
      storage.failNext('write', gone);
      await expect(send()).rejects.toBe(gone);
      expect(broker.stats().queues).toEqual(before);
    }
    expect([await a.peek(), await b.peek(), await a.receive(), await b.receive()]).toEqual([
      [],
      [],
      undefined,
      undefined,
    ]);
    for (const send of sends) await send();
    expect(errors).toEqual([]);
    await end(bench);
  });

  it('leave no trace in what comes later: order, offsets and limits', async () => {
    const bench = await open(create);
    const { broker, storage } = bench;
    const queue = broker.queue<number>('q', { maxLength: 20 });
    storage.failEvery('write', 3);
    const stored: number[] = [];
    for (let n = 0; n < 60; n += 3) {
      const sends = [n, n + 1, n + 2].map((body) => watch(queue.send(body)));
      await bench.clock.advance(0);
      sends.forEach(({ state }, i) => state === 'resolved' && stored.push(n + i));
    }
    expect(stored).toHaveLength(20);
    storage.heal();
    expect(await waiting(queue)).toEqual(stored);
    await expect(queue.send(99)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    for (const n of stored) {
      const message = (await queue.receive())!;
      expect(message.body).toBe(n);
      message.ack();
    }
    await end(bench);
  });

  it('let a sender who waits for room, and whose turn comes, know of it; the next one has his turn', async () => {
    const bench = await open(create);
    const { broker, storage, clock } = bench;
    const queue = broker.queue<number>('q', { maxLength: 1, overflow: 'block' });
    await queue.send(0);
    const [refused, taken, waits] = [1, 2, 3].map((n) => watch(queue.send(n)));
    await clock.advance(0);
    let calls = 0;
    storage.failWhen('write', (batch) => appends('q')(batch) && ++calls === 1);
    expect((await queue.receive())!.ack()).toBe(true);
    await clock.advance(0);
    expect(refused).toMatchObject({ state: 'rejected', error: { code: 'ERR_STORAGE_FAILED' } });
    expect([taken!.state, waits!.state]).toEqual(['resolved', 'pending']);
    expect(await waiting(queue)).toEqual([2]);
    await end(bench);
    expect(waits).toMatchObject({ state: 'rejected', error: { code: 'ERR_CLOSED' } });
  });

  it('send({ retry }) tries again where the storage is full, and not where it failed', async () => {
    const bench = await open(create);
    const { broker, storage, clock } = bench;
    const queue = broker.queue<number>('q');
    storage.failNext('write', new SluiceError('ERR_STORAGE_FULL', 'full'));
    const passes = watch(queue.send(1, { retry: { attempts: 2, backoff: () => 10 } }));
    await clock.advance(10);
    expect(passes.state).toBe('resolved');
    storage.failNext('write');
    const fails = watch(queue.send(2, { retry: { attempts: 2, backoff: () => 10 } }));
    await clock.advance(10);
    expect(fails).toMatchObject({ state: 'rejected', error: { code: 'ERR_STORAGE_FAILED' } });
    expect(queue.stats().accepted).toBe(1);
    await end(bench);
  });

  it('a dead letter that cannot be moved is lost nowhere: it is tried again, reported each time', async () => {
    const bench = await open(create);
    const { broker, storage, clock, errors } = bench;
    const queue = broker.queue<number>('q', { retry: { attempts: 1 } });
    await fill(queue, 3);
    storage.failWhen('write', appends('q.dlq'));
    const rejected = (await queue.receive())!;
    rejected.reject('bad');
    queue.consume(() => Promise.reject(new Error('no')));
    await clock.advance('10s');
    const dead = broker.queue<number>('q.dlq');
    expect(dead.stats().accepted).toBe(0);
    expect(errors.length).toBeGreaterThan(3);
    const { ready, delayed, unacked } = queue.stats();
    expect(ready + delayed + unacked).toBe(3);
    balanced(broker);
    storage.heal();
    await clock.advance('10s');
    expect(new Set(await waiting(dead))).toEqual(new Set([0, 1, 2]));
    expect(queue.stats()).toMatchObject({ ready: 0, delayed: 0, unacked: 0, deadLettered: 3 });
    await end(bench);
  });

  it('nor one that an exchange sends to several queues: all of them or none', async () => {
    const bench = await open(create);
    const { broker, storage, clock } = bench;
    const [a, b] = [broker.queue<number>('a'), broker.queue<number>('b')];
    broker.exchange('graves', { type: 'fanout' }).bind(a).bind(b);
    const queue = broker.queue<number>('q', { deadLetter: 'graves' });
    await queue.send(1);
    storage.failWhen('write', appends('b'));
    (await queue.receive())!.reject();
    await clock.advance(500);
    expect([a.stats().accepted, b.stats().accepted, queue.stats().deadLettered]).toEqual([0, 0, 0]);
    storage.heal();
    await clock.advance('5s');
    // It came back to the queue, where whoever takes it next decides anew.
    (await queue.receive())?.reject();
    await clock.advance('5s');
    expect([await waiting(a), await waiting(b)]).toEqual([[1], [1]]);
    await end(bench);
  });

  it('redrive() leaves in the queue what could not be moved', async () => {
    const bench = await open(create);
    const { broker, storage, clock } = bench;
    const queue = broker.queue<number>('q');
    const target = broker.queue<number>('target');
    await fill(queue, 4);
    let calls = 0;
    storage.failWhen('write', (batch) => appends('target')(batch) && ++calls % 2 === 0);
    const moved = await queue.redrive({ to: target });
    storage.heal();
    await clock.advance('5s');
    expect(moved).toBe(2);
    expect(new Set([...(await waiting(target)), ...(await waiting(queue))])).toEqual(new Set([0, 1, 2, 3]));
    expect(queue.stats()).toMatchObject({ removed: 2 });
    await end(bench);
  });

  it('an acknowledgement that cannot be written holds for this run, and is said again', async () => {
    const bench = await open(create);
    const { broker, storage, clock } = bench;
    const queue = broker.queue<number>('q');
    await fill(queue, 600);
    let handled = 0;
    storage.failWhen('write', (batch) => batch.every(({ type }) => type !== 'append'));
    queue.consume(() => void handled++, { concurrency: 5 });
    await clock.advance('1s');
    storage.heal();
    await queue.send(600);
    await clock.advance('10s');
    expect(handled).toBe(601);
    expect(queue.stats()).toMatchObject({ ready: 0, unacked: 0, acked: 601 });
    await end(bench);
  });

  it('a queue that cannot be deleted is gone all the same, and delete() says why', async () => {
    const bench = await open(create);
    const { broker, storage, clock, errors } = bench;
    const gone = new Error('no disk');
    const removes = (batch: readonly StorageOp[]): boolean => batch.some(({ type }) => type === 'remove');
    storage.failWhen('write', removes, gone);
    broker.queue('q');
    await expect(broker.delete('q')).rejects.toBe(gone);
    expect(broker.stats().queues).toEqual([]);
    expect(errors).toEqual([]);
    await clock.advance(0);
    await end(bench);
  });
});

describe.each(storages)('When reads fail · %s', (_, create) => {
  /** More than a cursor keeps in memory, so that it has to read. */
  const BACKLOG = 30_000;

  it('what waits is delivered all the same, later, and nothing twice', async () => {
    const bench = await open(create);
    const { broker, storage, clock, errors } = bench;
    const queue = broker.queue<number>('q');
    await fill(queue, BACKLOG);
    let handled = 0;
    let sum = 0;
    const gone = new Error('read error');
    storage.failEvery('read', 2, gone);
    queue.consume(({ body }) => {
      handled++;
      sum += body;
    });
    for (let n = 0; handled < BACKLOG && n < 1000; n++) await clock.advance('1s');
    expect(handled).toBe(BACKLOG);
    expect(sum).toBe((BACKLOG * (BACKLOG - 1)) / 2);
    expect(errors.length).toBeGreaterThan(0);
    expect(new Set(errors)).toEqual(new Set([gone]));
    expect(queue.stats()).toMatchObject({ acked: BACKLOG, ready: 0, unacked: 0 });
    await end(bench);
  });

  it('receive() waits for what can be read again, and peek() rejects', async () => {
    const bench = await open(create);
    const { broker, storage, clock } = bench;
    const queue = broker.queue<number>('q', { retry: { backoff: () => 10 } });
    await queue.send(1);
    (await queue.receive())!.nack();
    storage.failWhen('read', () => true);
    await clock.advance(10);
    const received = watch(queue.receive({ wait: '1m' }));
    await clock.advance('2s');
    expect(received.state).toBe('pending');
    storage.heal();
    await clock.advance('2s');
    expect(received).toMatchObject({ state: 'resolved', value: { body: 1, attempt: 2 } });
    await end(bench);
  });
});
