import { describe, expect, it } from 'vitest';
import { Broker, fixed, type BrokerOptions, type Delivery, type Queue } from '../../src/index.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { FaultyStorage, ManualClock } from '../../src/testing/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { until } from '../fixtures.js';
import { MACHINES } from './machines.js';

const bodies = async (queue: Queue<string>): Promise<string[]> => (await queue.peek()).map(({ body }) => body);

describe.each(MACHINES)('What comes back when a broker is opened on a storage that lasts · $name', ({ start }) => {
  /** One broker after the other on one machine. */
  const lives = (seed = 1) => {
    const clock = new ManualClock();
    const machine = start(seed);
    const open = (options: BrokerOptions = {}) => Broker.open({ storage: machine.storage(), clock, ...options });
    return { clock, machine, open };
  };

  it('are the messages that were not settled, with ids, keys, headers, priorities and times', async () => {
    const { clock, open } = lives();
    const before = await open();
    const queue = before.queue<string>('orders', { priorities: 3 });
    await queue.send('settled');
    await queue.send('kept', { id: 'a-1', key: 'k', headers: { tenant: 'x' }, priority: 2 });
    (await queue.receive())!.requeue();
    const kept = (await queue.receive())!;
    expect(kept.body).toBe('kept');
    kept.requeue();
    const [message] = await queue.peek(1);
    await queue.send('other', { priority: 1 });
    await before.close();

    await clock.advance('1h');
    const after = await open();
    expect(after.stats().queues).toMatchObject([{ name: 'orders', ready: 3, unacked: 0, declared: false }]);
    const again = after.queue<string>('orders');
    expect(after.stats().queues[0]!.declared).toBe(true);
    const found = await again.receive();
    expect(found).toMatchObject({
      id: 'a-1',
      body: 'kept',
      key: 'k',
      headers: { tenant: 'x' },
      priority: 2,
      attempt: 1,
    });
    expect(found!.timestamp).toEqual(message!.timestamp);
    expect(found!.deliveries).toBe(3);
    await after.close();
  });

  it('are levels that stay while something is on its way to them, though this run has fewer', async () => {
    const { open } = lives();
    const before = await open();
    before.queue('orders', { priorities: 3 });
    await before.close();
    const after = await open();
    const queue = after.queue<string>('orders');
    const sent = queue.send('a', { priority: 2 });
    after.queue('orders', { priorities: 1 });
    await sent;
    await queue.send('b');
    expect((await queue.receive())!.body).toBe('a');
    expect((await queue.receive())!.body).toBe('b');
    await after.close();
  });

  it('are the attempts of what was in hand when everything was written anew, after a kill', async () => {
    const { machine, open } = lives(7);
    const before = await open();
    before.on('error', () => undefined);
    const queue = before.queue<string>('orders', { retry: { backoff: fixed(0) } });
    await queue.send('fails');
    (await queue.receive())!.nack();
    expect((await queue.receive())!.attempt).toBe(2);
    await queue.purge();
    await before.flush();
    await machine.kill();
    void before.close({ timeout: 0 });

    const after = await open();
    const again = after.queue<string>('orders', { retry: { backoff: fixed(0) } });
    expect(await again.receive({ wait: '1s' })).toMatchObject({ body: 'fails', attempt: 3, deliveries: 3 });
    await after.close();
  });

  it('are the attempts of what waits for its key when everything was written anew', async () => {
    const storage = new JournalStorage();
    const before = await Broker.open({ storage });
    const queue = before.queue<string>('orders', { ordering: 'key', retry: { backoff: fixed(0) } });
    const batches: (readonly Delivery<string>[])[] = [];
    const consumer = queue.consumeBatch((batch) => void batches.push(batch), { ack: 'manual', size: 2 });
    await queue.sendMany(['first', 'second'].map((body) => ({ body, key: 'k' })));
    await until(() => batches.length > 0);
    consumer.pause();
    batches[0]![1]!.nack();
    // Looked at, and put where it waits; then so much happens that the cursor is written down as a whole.
    for (let n = 0; n < 1100; n++) {
      await queue.send('other');
      expect((await queue.receive())!.ack()).toBe(true);
      await before.flush();
    }
    const killed = storage.crash({ survives: 'disk', luck: 1 });
    void before.close({ timeout: 0 });

    const after = await Broker.open({ storage: killed });
    const again = after.queue<string>('orders', { ordering: 'key' });
    const found = await again.peek();
    expect(found.find(({ body }) => body === 'second')).toMatchObject({ attempt: 2 });
    await after.close();
  });

  it('is nothing that was deleted', async () => {
    const { open } = lives(8);
    const before = await open();
    before.exchange('events').bind(before.queue('orders'), '#');
    before.exchange('gone');
    await before.queue('orders').send(1);
    await before.flush();
    await before.delete('orders');
    await before.delete('gone');
    await before.close();

    const after = await open();
    expect(after.stats()).toMatchObject({ queues: [], exchanges: [{ name: 'events', bindings: 0 }] });
    await after.close();
  });

  it('are attempts, backoffs, delays and deaths', async () => {
    const { clock, open } = lives(2);
    const before = await open();
    const policy = { retry: { attempts: 3, backoff: fixed('1m') } };
    const queue = before.queue<string>('orders', policy);
    await queue.sendMany([{ body: 'fails' }, { body: 'dies' }, { body: 'later', delay: '1h' }]);
    (await queue.receive())!.nack();
    (await queue.receive())!.reject('bad');
    await before.close();

    const after = await open();
    const again = after.queue<string>('orders', policy);
    expect(again.stats()).toMatchObject({ ready: 0, delayed: 2, retried: 1, deadLettered: 1, accepted: 3 });
    expect(await again.receive()).toBeUndefined();
    await clock.advance('1m');
    const failed = (await again.receive())!;
    expect(failed).toMatchObject({ body: 'fails', attempt: 2, deliveries: 2 });
    failed.nack({ delay: 0 });
    expect((await again.receive())!).toMatchObject({ body: 'fails', attempt: 3 });
    await clock.advance('59m');
    expect((await again.receive())!).toMatchObject({ body: 'later', attempt: 1 });
    const [dead] = await again.deadLetters!.peek();
    expect(dead).toMatchObject({ body: 'dies', deaths: [{ source: 'orders', reason: 'rejected', count: 1 }] });
    expect(dead!.deaths[0]!.at).toBeInstanceOf(Date);
    await after.close();
  });

  it('are exchanges and bindings, before anybody declares them, so that what is published early finds its queues', async () => {
    const { open } = lives(3);
    const before = await open();
    const events = before.exchange('events', { alternate: 'lost' });
    events.bind(before.queue('orders'), 'order.#').bind(before.queue('audit'), '#');
    events.bind(before.queue('gone'), 'order.*').unbind(before.queue('gone'), 'order.*');
    events.bind(before.queue('short', { durable: false }), '#');
    before.exchange('by headers', { type: 'headers' }).bind(before.queue('orders'), { headers: { a: 1 } });
    await before.close();

    const after = await open();
    expect((await after.exchange('events').publish('order.created', 1)).destinations).toEqual(['orders', 'audit']);
    expect((await after.exchange('by headers').publish('', 1, { headers: { a: 1 } })).destinations).toEqual(['orders']);
    expect(after.stats().queues.map(({ name }) => name)).toEqual(['orders', 'audit', 'gone']);
    await after.delete('audit');
    await after.close();

    const last = await open();
    expect((await last.exchange('events').publish('order.created', 1)).destinations).toEqual(['orders']);
    await last.close();
  });

  it('are messages in hand, at no cost in attempts, after a close that gave up waiting', async () => {
    const { open } = lives(4);
    const before = await open();
    const queue = before.queue<string>('orders');
    await queue.send('in hand');
    await queue.receive();
    await before.close();
    const after = await open();
    expect((await after.queue<string>('orders').receive())!).toMatchObject({ body: 'in hand', attempt: 1 });
    await after.close();
  });

  it('are options, until the code gives others, which win without an error', async () => {
    const { open } = lives(9);
    const before = await open();
    before.queue('orders', { maxLength: 1, retry: { attempts: 1 } });
    before.exchange('events', { type: 'fanout' });
    await before.close();

    const after = await open();
    await after.queue('orders').send(1);
    await expect(after.queue('orders').send(2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    after.queue('orders', { maxLength: 2, retry: { attempts: 2, backoff: fixed(0) } });
    await after.queue('orders').send(2);
    (await after.queue('orders').receive())!.nack();
    expect(after.queue('orders').stats()).toMatchObject({ ready: 2, deadLettered: 0 });
    await after.close();

    const last = await open();
    await expect(last.queue('orders').send(3)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(last.stats().exchanges).toMatchObject([{ name: 'events', type: 'fanout' }]);
    await last.close();
  });

  it('is not what was not to last', async () => {
    const { open } = lives(5);
    const before = await open();
    await before.queue('short', { durable: false }).send('gone');
    const queue = before.queue<string>('orders');
    await queue.send('gone', { persistent: false });
    await queue.send('kept');
    await before.close();
    const after = await open();
    expect(await bodies(after.queue('short'))).toEqual([]);
    const again = after.queue<string>('orders');
    expect(await bodies(again)).toEqual(['kept']);
    expect((await again.receive())!.body).toBe('kept');
    expect(await again.receive()).toBeUndefined();
    expect(again.stats()).toMatchObject({ accepted: 2, unacked: 1, dropped: 1, ready: 0 });
    await after.close();
  });

  it.each(['close', 'kill'] as const)('is the ttl of messages: they expire after a %s as before it', async (ending) => {
    const { clock, machine, open } = lives(18);
    const before = await open();
    before.on('error', () => undefined);
    await before.queue('orders').send('kept');
    await before.queue('orders').send('behind', { ttl: 50 });
    await before.queue('others').send('first', { ttl: 50 });
    if (ending === 'kill') await machine.kill();
    await before.close({ timeout: 0 });

    const after = await open();
    await clock.advance(100);
    // The first in line of a queue that nobody reads expires by itself; one behind it when its turn comes.
    await until(() => after.queue('others').stats().deadLettered === 1);
    expect(await after.queue('orders').receive()).toMatchObject({ body: 'kept' });
    expect(await after.queue('orders').receive()).toBeUndefined();
    for (const name of ['orders', 'others']) {
      await until(() => after.queue(name).stats().deadLettered === 1);
      const [letter] = await after.queue(`${name}.dlq`).peek();
      expect(letter!.deaths).toMatchObject([{ source: name, reason: 'expired' }]);
    }
    await after.close();
  });

  it('is each message once, in a queue with a ttl as well, whose first messages are looked at before all is known', async () => {
    const { clock, open } = lives(19);
    const before = await open();
    const queue = before.queue<string>('orders', { ttl: '1h' });
    for (const body of ['a', 'done', 'c']) await queue.send(body);
    await queue.send('late', { delay: 50 });
    const held = [await queue.receive(), await queue.receive(), await queue.receive()];
    held[1]!.ack();
    held[2]!.nack({ delay: 50 });
    await before.close({ timeout: 0 });

    const after = await open();
    expect(after.queue('orders').stats()).toMatchObject({ accepted: 4, ready: 1, delayed: 2, acked: 1 });
    await clock.advance(50);
    const seen: unknown[] = [];
    for (let n = 0; n < 5; n++) {
      const delivery = await after.queue('orders').receive();
      if (delivery?.ack() === true) seen.push(delivery.body);
    }
    expect(seen).toEqual(['a', 'c', 'late']);
    expect(after.queue('orders').stats()).toMatchObject({ accepted: 4, ready: 0, delayed: 0, acked: 4, bytes: 0 });
    await after.close();
  });

  it('are queues of dead letters, which still have no limits, and dead-letter nowhere', async () => {
    const { open } = lives(20);
    const before = await open({ retry: { attempts: 1 } });
    const queue = before.queue<string>('orders', { deadLetter: 'bad' });
    await before.queue('others').send('b');
    await queue.send('a');
    (await queue.receive())!.reject();
    (await before.queue('others').receive())!.reject();
    await before.close();

    const after = await open({ retry: { attempts: 1, backoff: fixed(0) } });
    for (const name of ['bad', 'others.dlq']) {
      (await after.queue(name).receive())!.nack();
      (await after.queue(name).receive())!.reject();
    }
    await after.flush();
    expect(after.stats().queues.map((one) => [one.name, one.accepted, one.retried, one.dropped])).toEqual([
      ['orders', 1, 0, 0],
      ['others', 1, 0, 0],
      ['bad', 1, 1, 1],
      ['others.dlq', 1, 1, 1],
    ]);
    await after.close();
  });

  it('is at its place, from the first delivery on, what came due while nothing ran', async () => {
    const { clock, open } = lives(21);
    const before = await open();
    const queue = before.queue<string>('orders');
    await queue.send('delayed', { delay: 10 });
    await queue.send('failed');
    await queue.send('waiting');
    (await queue.receive())!.nack({ delay: 20 });
    await before.close();
    await clock.advance(100);

    const after = await open();
    expect(after.queue('orders').stats()).toMatchObject({ ready: 3, delayed: 0, accepted: 3 });
    const seen: unknown[] = [];
    for (let n = 0; n < 3; n++) seen.push((await after.queue('orders').receive())!.body);
    expect(seen).toEqual(['delayed', 'failed', 'waiting']);
    await after.close();
  });

  it('is what was not to last counted once, however many runs follow', async () => {
    const { clock, open } = lives(16);
    let broker = await open();
    // What is before it is not settled: the log is not trimmed behind it.
    await broker.queue('orders').send('late', { delay: '1h' });
    await broker.queue('orders').send('gone', { persistent: false, delay: 50 });
    for (const body of ['a', 'b', 'c', 'd']) await broker.queue('orders').send(body);
    await broker.close();
    for (let run = 0; run < 2; run++) {
      broker = await open();
      for (let n = 0; n < 2; n++) {
        (await broker.queue('orders').receive())!.ack();
        await clock.advance(100);
      }
      await broker.close();
    }
    broker = await open();
    expect(broker.queue('orders').stats()).toMatchObject({ accepted: 6, acked: 4, dropped: 1, ready: 0, bytes: 6 });
    await broker.close();
  });

  it('is nothing of the bytes of what had just died', async () => {
    const { machine, open } = lives(17);
    const before = await open();
    before.on('error', () => undefined);
    const queue = before.queue<string>('orders');
    await queue.send('bad');
    const died = new Promise<void>((resolve) => before.once('deadLettered', () => resolve(machine.kill())));
    (await queue.receive())!.reject();
    await died;
    void before.close({ timeout: 0 });
    const after = await open();
    expect(after.stats().queues).toMatchObject([
      { name: 'orders', ready: 0, deadLettered: 1, bytes: 0 },
      { name: 'orders.dlq', ready: 1, bytes: 5 },
    ]);
    await after.close();
  });

  it('keeps its order by key through a backoff', async () => {
    const { clock, open } = lives(6);
    const options = { ordering: 'key', retry: { backoff: fixed('1m') } } as const;
    const before = await open();
    const queue = before.queue<string>('orders', options);
    await queue.sendMany(['a1', 'a2', 'b1'].map((body) => ({ body, key: body[0] })));
    (await queue.receive())!.nack();
    await before.close();
    const after = await open();
    const again = after.queue<string>('orders', options);
    expect((await again.receive())!.body).toBe('b1');
    expect(await again.receive()).toBeUndefined();
    await clock.advance('1m');
    const first = (await again.receive())!;
    expect(first).toMatchObject({ body: 'a1', attempt: 2 });
    first.ack();
    expect((await again.receive())!.body).toBe('a2');
    await after.close();
  });

  it.each(Array.from({ length: 12 }, (_, n) => n + 1))('keeps the books through many lives (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const { clock, open } = lives(seed);
    const options = { priorities: 2, retry: { attempts: 2, backoff: fixed('1s') } };
    const settled = new Set<string>();
    const sent = new Set<string>();
    for (let life = 0; life < 6; life++) {
      const broker = await open();
      const queue = broker.queue<string>('orders', options);
      for (let step = 0; step < 60; step++) {
        const body = `${life}-${step}`;
        const dice = random();
        if (dice < 0.5) {
          await queue.send(body, { priority: step % 2, ...(dice < 0.1 ? { delay: '2s' } : {}) });
          sent.add(body);
        } else if (dice < 0.95) {
          const message = await queue.receive();
          if (message === undefined) continue;
          if (settled.has(message.body)) throw new Error(`${message.body} was acknowledged, and is here again`);
          if (dice < 0.75) {
            message.ack();
            settled.add(message.body);
          } else if (dice < 0.85) message.nack();
          else message.requeue();
        } else {
          await clock.advance('1s');
        }
      }
      const { ready, delayed, unacked, acked, deadLettered, dropped, removed, accepted } = queue.stats();
      expect(ready + delayed + unacked + acked + deadLettered + dropped + removed).toBe(accepted);
      await broker.close();
    }
    const last = await open();
    const found = [
      ...(await last.queue<string>('orders').peek(10_000)),
      ...(await last.queue<string>('orders.dlq').peek(10_000)),
    ];
    const left = found.map(({ body }) => body).sort();
    expect(left).toEqual([...sent].filter((body) => !settled.has(body)).sort());
    await last.close();
  });

  it.each(Array.from({ length: 20 }, (_, n) => n + 1))(
    'loses nothing that was confirmed when the process is killed (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const { clock, machine, open } = lives(seed);
      const confirmed = new Set<string>();
      const flushed = new Set<string>();
      for (let life = 0; life < 5; life++) {
        const broker = await open({ retry: { attempts: 2, backoff: fixed(10) } });
        broker.on('error', () => undefined);
        const queue = broker.queue<string>('orders');
        broker.exchange('events').bind(queue, '#').bind(broker.queue('audit'), '#');
        let acked: string[] = [];
        queue.consume((message) => {
          const dice = random();
          if (dice < 0.3) throw new Error('no');
          if (dice < 0.4) message.reject('bad');
          else acked.push(message.body);
        });
        for (let step = 0; step < 40; step++) {
          const body = `${life}-${step}`;
          const dice = random();
          const sending = dice < 0.5 ? broker.exchange('events').publish('a', body) : queue.send(body);
          sending.then(
            () => confirmed.add(body),
            () => undefined,
          );
          if (dice < 0.3) await sending;
          if (dice > 0.9) await clock.advance(10);
          if (dice > 0.95) {
            const sure = acked;
            acked = [];
            await clock.advance(0);
            await broker.flush();
            for (const one of sure) flushed.add(one);
          }
        }
        await (random() < 0.5 ? machine.kill() : machine.cutPower());
        void broker.close({ timeout: 0 });
      }
      const last = await open();
      // What was in hand is judged once everybody has had the time to declare his queues.
      await clock.advance(0);
      const where = async (name: string) => (await last.queue<string>(name).peek(10_000)).map(({ body }) => body);
      const [waiting, dead] = [await where('orders'), await where('orders.dlq')];
      const { acked, deadLettered, accepted, ready, delayed } = last.queue('orders').stats();
      expect(new Set([...waiting, ...dead]).size).toBe(waiting.length + dead.length);
      expect(waiting.filter((body) => flushed.has(body))).toEqual([]);
      expect(ready + delayed + acked + deadLettered).toBe(accepted);
      // What is neither waiting nor dead was acknowledged; it was accepted all the same, and nothing confirmed is unaccounted for.
      expect(accepted).toBeGreaterThanOrEqual(confirmed.size);
      expect(waiting.length + dead.length + acked).toBe(accepted);
      await last.close();
    },
  );
});

describe('A broker', () => {
  it('that is opened on a storage which cannot be read releases it', async () => {
    const inner = new JournalStorage();
    const first = await Broker.open({ storage: inner });
    await first.queue('orders').send(1);
    await first.close();
    const storage = new FaultyStorage(inner);
    storage.failNext('read', new Error('unreadable'));
    await expect(Broker.open({ storage })).rejects.toThrow('unreadable');
    await expect(inner.read('catalog', 0, { entries: 1, bytes: 1 })).rejects.toThrow('closed');
    const again = await Broker.open({ storage: inner });
    expect(again.queue('orders').stats().ready).toBe(1);
    await again.close();
  });
});
