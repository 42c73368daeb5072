import { expect, it } from 'vitest';
import { fixed, type BrokerEvents, type PublishOptions, type Queue } from '../../src/index.js';
import { deferred, onEachStorage, schemaOf, expectPairsInOrder, waiting, watch } from '../fixtures.js';

async function take(queue: Queue): Promise<unknown> {
  return (await queue.receive())?.body;
}

onEachStorage('publish()', (open) => {
  it('resolves with a receipt: id, who stored it, and how durably', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'fanout' });
    const durability = broker.stats().storage.durability;
    expect(await exchange.publish('', 1)).toMatchObject({ duplicate: false, destinations: [] });
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    exchange.bind(a).bind(b);
    const receipt = await exchange.publish('', 1);
    expect(receipt).toEqual({ id: expect.any(String), duplicate: false, destinations: ['a', 'b'], durability });
    expect((await a.receive())!.id).toBe(receipt.id);
    expect((await b.receive())!.id).toBe(receipt.id);
    expect((await exchange.publish('', 2, { id: 'mine' })).id).toBe('mine');
  });

  it('names the durability of the weakest destination', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'fanout' }).bind(broker.queue('durable'));
    const before = await exchange.publish('', 1);
    expect(before.durability).toBe(broker.stats().storage.durability);
    exchange.bind(broker.queue('volatile', { durable: false }));
    expect((await exchange.publish('', 2)).durability).toBe('memory');
    expect((await exchange.publish('', 3, { persistent: false })).durability).toBe('memory');
  });

  it('passes key, headers, priority and ttl on to every queue', async () => {
    const { broker, clock, quiet } = await open();
    const levels = broker.queue('levels', { priorities: 3 });
    const plain = broker.queue('plain');
    const exchange = broker.exchange('events').bind(levels, '#').bind(plain, '#');
    const headers = { tenant: 'a', n: 1.5, flag: false, none: null };
    await exchange.publish('low', 1);
    await exchange.publish('high', 2, { key: 'k', headers, priority: 9 });
    await exchange.publish('short', 3, { ttl: 10 });
    expect((await levels.receive())!).toMatchObject({
      body: 2,
      routingKey: 'high',
      key: 'k',
      headers,
      priority: 9,
    });
    expect(await waiting(plain)).toEqual([1, 2, 3]);
    await clock.advance(10);
    expect([await take(plain), await take(plain), await take(plain)]).toEqual([1, 2, undefined]);
    expect([await take(levels), await take(levels)]).toEqual([1, undefined]);
    await quiet();
    expect(await waiting(broker.queue('plain.dlq'))).toEqual([3]);
  });

  it('delays a message in every queue', async () => {
    const { broker, clock } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const exchange = broker.exchange('events', { type: 'fanout' }).bind(a).bind(b);
    await exchange.publish('', 1, { delay: '5s' });
    await exchange.publish('', 2, { deliverAt: new Date(clock.now() + 1000) });
    expect([a.stats().delayed, b.stats().delayed]).toEqual([2, 2]);
    await clock.advance('1s');
    expect((await a.receive())!.body).toBe(2);
    await clock.advance('4s');
    expect((await a.receive())!.body).toBe(1);
    expect(b.stats().ready).toBe(2);
  });

  it('does not share headers with the sender, nor between queues', async () => {
    const { broker } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const exchange = broker.exchange('events', { type: 'fanout' }).bind(a).bind(b);
    const headers = { n: 1 };
    const published = exchange.publish('', 1, { headers });
    headers.n = 2;
    await published;
    const first = (await a.receive())!.headers as { n: number };
    expect(first).toEqual({ n: 1 });
    try {
      first.n = 3;
    } catch {
      // Frozen is as good as a copy.
    }
    expect((await b.receive())!.headers).toEqual({ n: 1 });
  });

  it('stores nothing where one queue of several does not take the body', async () => {
    const { broker } = await open();
    const numbers = schemaOf((value: unknown) => {
      if (typeof value !== 'number') throw new Error('not a number');
      return value;
    });
    const exchange = broker.exchange('events', { type: 'fanout' });
    exchange.bind(broker.queue('any')).bind(broker.queue('numbers', { schema: numbers }));
    await expect(exchange.publish('', 'text')).rejects.toMatchObject({ code: 'ERR_VALIDATION' });
    await expect(exchange.publish('', undefined)).rejects.toMatchObject({ code: 'ERR_VALIDATION' });
    expect(broker.stats().queues.map(({ accepted }) => accepted)).toEqual([0, 0]);
    expect((await exchange.publish('', 1)).destinations).toEqual(['any', 'numbers']);
  });

  it.each<[string, unknown, PublishOptions, string]>([
    ['a body without JSON', undefined, {}, 'ERR_NOT_SERIALIZABLE'],
    ['a body that is too large', 'x'.repeat(200), {}, 'ERR_MESSAGE_TOO_LARGE'],
    ['headers that are too large', 'x', { headers: { h: 'x'.repeat(200) } }, 'ERR_MESSAGE_TOO_LARGE'],
    ['a signal that has aborted', 'x', { signal: AbortSignal.abort() }, 'ERR_ABORTED'],
  ])('refuses %s, routable or not', async (_, body, options, code) => {
    const { broker } = await open({ maxMessageBytes: 100 });
    const exchange = broker.exchange('events').bind(broker.queue('a'), 'known').bind(broker.queue('b'), 'known');
    await expect(exchange.publish('known', body, options)).rejects.toMatchObject({ code });
    await expect(exchange.publish('unknown', body, options)).rejects.toMatchObject({ code });
    expect(broker.stats().queues.map(({ accepted }) => accepted)).toEqual([0, 0]);
  });

  it('tries again, under one id, what may pass', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('orders', { maxLength: 1 });
    const exchange = broker.exchange('events').bind(queue, '#');
    await exchange.publish('a', 1);
    const second = watch(exchange.publish('a', 2, { id: 'second', retry: { attempts: 3, backoff: fixed(100) } }));
    await clock.advance(50);
    (await queue.receive())!.ack();
    expect(second.state).toBe('pending');
    await clock.advance(50);
    expect(second).toMatchObject({ state: 'resolved', value: { id: 'second', destinations: ['orders'] } });
  });

  it('rejects ERR_CLOSED when the broker is closed', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events');
    await broker.close();
    await expect(exchange.publish('a', 1)).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    for (const use of [() => exchange.bindings(), () => exchange.bind(exchange, '#')]) {
      expect(use).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
    }
  });

  it('keeps the order of one publisher, whatever exchanges are on the way', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    const inner = broker.exchange('inner', { type: 'fanout' }).bind(queue);
    const ways = [broker.exchange('a').bind(queue, '#'), broker.exchange('b', { type: 'fanout' }).bind(inner), inner];
    await Promise.all(
      Array.from({ length: 60 }, (_, n) => (n % 4 === 3 ? queue.send(n) : ways[n % 4]!.publish('key', n))),
    );
    expect(await waiting(queue)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  it('shows all of one turn in order, whether they go to one queue, to several, or are sent many at once', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const both = broker.exchange('both', { type: 'fanout' }).bind(queue).bind(broker.queue('aside'));
    const ways = [
      (n: number) => queue.send(n),
      (n: number) => both.publish('', n),
      (n: number) => queue.sendMany([{ body: n }]),
      (n: number) => queue.send(n, { priority: 1 }),
    ];
    const seen: number[] = [];
    queue.consume(({ body }) => void seen.push(body));
    await expectPairsInOrder(ways, seen, quiet);
  });
});

onEachStorage('An unroutable message', (open) => {
  it('gives a receipt without destinations, and an event', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events').bind(broker.queue('orders'), 'order.*');
    const told: BrokerEvents['unroutable'][] = [];
    broker.on('unroutable', (event) => told.push(event));
    const receipt = await exchange.publish('user.created', 1);
    expect(receipt).toMatchObject({ destinations: [], duplicate: false, durability: 'memory' });
    expect(told).toEqual([{ exchange: 'events', routingKey: 'user.created', id: receipt.id }]);
    await exchange.publish('order.created', 1);
    expect(told).toHaveLength(1);
  });

  it('is rejected where it is mandatory, and nothing happens', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events').bind(broker.queue('orders'), 'order.*');
    const told: unknown[] = [];
    broker.on('unroutable', (event) => told.push(event));
    const before = JSON.stringify(broker.stats());
    await expect(exchange.publish('user.created', 1, { mandatory: true })).rejects.toMatchObject({
      code: 'ERR_UNROUTABLE',
      message: expect.stringContaining('"user.created"'),
      details: { exchange: 'events', routingKey: 'user.created' },
    });
    expect(told).toEqual([]);
    expect(JSON.stringify(broker.stats())).toBe(before);
    expect((await exchange.publish('order.created', 1, { mandatory: true })).destinations).toEqual(['orders']);
  });

  it('names the exchange where it ended, on the way as well', async () => {
    const { broker } = await open();
    const outer = broker.exchange('outer', { type: 'fanout' });
    outer.bind(broker.exchange('left')).bind(broker.exchange('right'));
    const told: string[] = [];
    broker.on('unroutable', ({ exchange }) => told.push(exchange));
    const receipt = await outer.publish('key', 1);
    expect(receipt.destinations).toEqual([]);
    expect(told.sort()).toEqual(['left', 'right']);
    await expect(outer.publish('key', 1, { mandatory: true })).rejects.toMatchObject({ code: 'ERR_UNROUTABLE' });
  });

  it('is counted: published and unroutable', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events').bind(broker.queue('orders', { maxLength: 2 }), 'a');
    await exchange.publish('a', 1);
    await exchange.publish('b', 2);
    await exchange.publish('a', 3);
    expect(broker.stats().exchanges).toMatchObject([{ name: 'events', published: 3, unroutable: 1 }]);
  });
});

onEachStorage('An internal exchange', (open) => {
  it('refuses publish(), and takes messages from other exchanges', async () => {
    const { broker } = await open();
    const inner = broker.exchange('inner', { internal: true, type: 'fanout' }).bind(broker.queue('orders'));
    const outer = broker.exchange('outer').bind(inner, '#');
    await expect(inner.publish('a', 1)).rejects.toMatchObject({
      code: 'ERR_INTERNAL_EXCHANGE',
      message: expect.stringContaining('"inner"'),
    });
    expect((await outer.publish('a', 2)).destinations).toEqual(['orders']);
  });

  it('takes dead letters', async () => {
    const { broker, quiet } = await open();
    const graves = broker.queue('graves');
    broker.exchange('inner', { internal: true, type: 'fanout' }).bind(graves);
    const queue = broker.queue('orders', { deadLetter: 'inner' });
    await queue.send(1);
    (await queue.receive())!.reject();
    await quiet();
    expect(await waiting(graves)).toEqual([1]);
  });
});

onEachStorage('Consumers behind an exchange', (open) => {
  it('get each message once per queue, while publishing goes on', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events');
    const seen = new Map<string, number[]>();
    for (const [name, pattern] of [
      ['all', '#'],
      ['even', 'even.#'],
      ['odd', 'odd'],
    ] as const) {
      const queue = broker.queue<number>(name);
      exchange.bind(queue, pattern);
      seen.set(name, []);
      queue.consume(({ body }) => void seen.get(name)!.push(body), { concurrency: 3 });
    }
    const gate = deferred();
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    await Promise.all(
      numbers.map(async (n) => {
        if (n > 100) await gate.promise;
        else if (n === 100) gate.resolve();
        await exchange.publish(n % 2 === 0 ? 'even' : 'odd', n);
      }),
    );
    await broker.idle();
    const sorted = (name: string): number[] => seen.get(name)!.toSorted((a, b) => a - b);
    expect(sorted('all')).toEqual(numbers);
    expect(sorted('even')).toEqual(numbers.filter((n) => n % 2 === 0));
    expect(sorted('odd')).toEqual(numbers.filter((n) => n % 2 === 1));
  });
});
