import { expect, it } from 'vitest';
import type { Broker, Exchange, Headers, HeadersMatch, Queue } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

/** A queue bound to `exchange` with each of `arguments_`. */
function bound(broker: Broker, name: string, exchange: Exchange, ...given: readonly (string | HeadersMatch)[]): Queue {
  const queue = broker.queue(name);
  for (const one of given) {
    if (typeof one === 'string') exchange.bind(queue, one);
    else exchange.bind(queue, one);
  }
  return queue;
}

onEachStorage('A direct exchange', (open) => {
  it('forwards to the queues bound with the very routing key', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'direct' });
    const created = bound(broker, 'created', exchange, 'order.created');
    const both = bound(broker, 'both', exchange, 'order.created', 'order.paid');
    const literal = bound(broker, 'literal', exchange, 'order.*', '#');
    const empty = bound(broker, 'empty', exchange, '');
    for (const key of ['order.created', 'order.paid', 'order.shipped', 'Order.created', 'order.*', '']) {
      await exchange.publish(key, key);
    }
    expect(await waiting(created)).toEqual(['order.created']);
    expect(await waiting(both)).toEqual(['order.created', 'order.paid']);
    expect(await waiting(literal)).toEqual(['order.*']);
    expect(await waiting(empty)).toEqual(['']);
  });

  it.each(['__proto__', 'constructor', 'toString', '\0', '💥', '\ud800', 'ä', 'x'.repeat(255)])(
    'takes %j as a key like any other',
    async (key) => {
      const { broker } = await open();
      const exchange = broker.exchange('events', { type: 'direct' });
      const queue = bound(broker, 'orders', exchange, key);
      expect((await exchange.publish(key, 1)).destinations).toEqual(['orders']);
      expect((await exchange.publish(`${key}`.slice(1), 1)).destinations).toEqual([]);
      expect((await queue.receive())!.routingKey).toBe(key);
    },
  );
});

onEachStorage('A fanout exchange', (open) => {
  it('forwards to every queue, whatever the key', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'fanout' });
    const queues = ['a', 'b', 'c'].map((name) => broker.queue(name));
    for (const queue of queues) exchange.bind(queue);
    expect((await exchange.publish('', 1)).destinations).toEqual(['a', 'b', 'c']);
    expect((await exchange.publish('any.key', 2)).destinations).toEqual(['a', 'b', 'c']);
    for (const queue of queues) expect(await waiting(queue)).toEqual([1, 2]);
  });

  it('encodes the body once, and gives each queue its own of it', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'fanout' });
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    exchange.bind(a).bind(b);
    let encoded = 0;
    const body = { n: { deep: 1 }, toJSON: () => (encoded++, { n: { deep: 1 } }) };
    await exchange.publish('', body);
    const first = (await a.receive())!.body as typeof body;
    first.n.deep = 2;
    expect((await b.receive())!.body).toEqual({ n: { deep: 1 } });
    expect(encoded).toBe(1);
  });
});

onEachStorage('A topic exchange', (open) => {
  it('is what an exchange is by default', async () => {
    const { broker } = await open();
    broker.exchange('events');
    expect(broker.stats().exchanges).toEqual([
      { name: 'events', type: 'topic', bindings: 0, published: 0, unroutable: 0 },
    ]);
  });

  // The rules themselves: test/routing. Here: that they hold from publish() to receive().
  it('forwards by pattern: * is one word, # any number of them', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events');
    const patterns = ['order.*', 'order.#', '*.created', '#', 'order', '', '*.*.*', 'order.*.#'];
    const queues = patterns.map((pattern) => bound(broker, `of ${pattern}`, exchange, pattern));
    const keys = ['order', 'order.created', 'user.created', 'order.item.added', '', 'order.'];
    const sent = new Map<string, readonly string[]>();
    for (const key of keys) sent.set(key, (await exchange.publish(key, key)).destinations);
    const expected: Record<string, readonly string[]> = {
      'order.*': ['order.created', 'order.'],
      'order.#': ['order', 'order.created', 'order.item.added', 'order.'],
      '*.created': ['order.created', 'user.created'],
      '#': keys,
      order: ['order'],
      '': [''],
      '*.*.*': ['order.item.added'],
      'order.*.#': ['order.created', 'order.item.added', 'order.'],
    };
    for (const [n, pattern] of patterns.entries()) {
      expect([pattern, await waiting(queues[n]!)]).toEqual([pattern, expected[pattern]]);
      for (const key of keys) {
        expect([pattern, key, sent.get(key)!.includes(`of ${pattern}`)]).toEqual([
          pattern,
          key,
          expected[pattern]!.includes(key),
        ]);
      }
    }
  });
});

onEachStorage('A headers exchange', (open) => {
  it('forwards by headers, not by key', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'headers' });
    const all = bound(broker, 'all', exchange, { headers: { format: 'pdf', pages: 3 } });
    const any = bound(broker, 'any', exchange, { match: 'any', headers: { format: 'pdf', pages: 3 } });
    const present = bound(broker, 'present', exchange, { headers: { format: null } });
    const everything = bound(broker, 'everything', exchange, { headers: {} });
    const cases: readonly (Headers | undefined)[] = [
      { format: 'pdf', pages: 3, extra: true },
      { format: 'pdf', pages: '3' },
      { format: 'doc' },
      { pages: 3 },
      {},
      undefined,
    ];
    for (const [n, headers] of cases.entries())
      await exchange.publish('key', n, headers === undefined ? {} : { headers });
    expect(await waiting(all)).toEqual([0]);
    expect(await waiting(any)).toEqual([0, 1, 3]);
    expect(await waiting(present)).toEqual([0, 1, 2]);
    expect(await waiting(everything)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('leaves x- headers out, but in the -with-x forms', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'headers' });
    const without = bound(broker, 'without', exchange, { headers: { 'x-tenant': 'a', kind: 1 } });
    const withX = bound(broker, 'with', exchange, { match: 'all-with-x', headers: { 'x-tenant': 'a', kind: 1 } });
    await exchange.publish('', 'a', { headers: { 'x-tenant': 'a', kind: 1 } });
    await exchange.publish('', 'b', { headers: { 'x-tenant': 'b', kind: 1 } });
    expect(await waiting(without)).toEqual(['a', 'b']);
    expect(await waiting(withX)).toEqual(['a']);
  });

  it('knows a header named __proto__ only where somebody set it', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'headers' });
    const headers = JSON.parse('{"__proto__":"a"}') as Headers;
    const queue = bound(broker, 'orders', exchange, { headers });
    bound(broker, 'others', exchange, { headers: { constructor: null, toString: null } as unknown as Headers });
    expect((await exchange.publish('', 1, { headers })).destinations).toEqual(['orders']);
    expect((await exchange.publish('', 2, { headers: {} })).destinations).toEqual([]);
    const { headers: received } = (await queue.receive())!;
    expect(Object.entries(received)).toEqual([['__proto__', 'a']]);
    expect(Object.getPrototypeOf(received)).toBe(Object.prototype);
  });

  it('is asked anew for every message, however often the key came', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'headers' });
    const entry = broker.exchange('entry', { type: 'fanout' }).bind(exchange);
    bound(broker, 'a', exchange, { headers: { to: 'a' } });
    bound(broker, 'b', exchange, { headers: { to: 'b' } });
    for (const to of ['a', 'b', 'a']) {
      expect((await entry.publish('same', 1, { headers: { to } })).destinations).toEqual([to]);
    }
  });
});
