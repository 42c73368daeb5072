import { expect, it } from 'vitest';
import type { Destination, Exchange, ExchangeOptions, HeadersMatch } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

const GONE = { code: 'ERR_UNKNOWN_DESTINATION' };

onEachStorage('bind()', (open) => {
  it('returns the exchange, so that bindings can be chained', async () => {
    const { broker } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const exchange = broker.exchange('events');
    expect(exchange.bind(a, 'x').bind(b, '#').unbind(a, 'x')).toBe(exchange);
  });

  it('makes the same binding once', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const topic = broker.exchange('topic').bind(queue, 'x').bind(queue, 'x').bind(queue, 'y');
    const fanout = broker.exchange('fanout', { type: 'fanout' }).bind(queue).bind(queue);
    const headers = broker.exchange('headers', { type: 'headers' });
    headers.bind(queue, { headers: { a: 1, b: 2 } }).bind(queue, { match: 'all', headers: { b: 2, a: 1 } });
    expect([topic, fanout, headers].map((exchange) => exchange.bindings().length)).toEqual([2, 1, 1]);
    expect(broker.stats().exchanges.map(({ name, bindings }) => [name, bindings])).toEqual([
      ['topic', 2],
      ['fanout', 1],
      ['headers', 1],
    ]);
  });

  it.each<[type: ExchangeOptions['type'], wrong: readonly unknown[]]>([
    ['direct', [undefined, null, 5, {}, { headers: {} }, Symbol('key'), ['a'], 10n]],
    ['topic', [undefined, null, 5, {}, { headers: {} }, Symbol('key'), ['a'], 10n]],
    ['fanout', ['', '#', null, 5, {}, { headers: {} }]],
    [
      'headers',
      [
        undefined,
        null,
        '#',
        5,
        {},
        [],
        { headers: 'a=1' },
        { headers: [] },
        { headers: new Map() },
        { headers: { a: {} } },
        { headers: { a: undefined } },
        { headers: { a: 1n } },
        { header: { a: 1 } },
        { headers: {}, match: true },
        { headers: {}, Match: 'any' },
      ],
    ],
  ])(
    'of a %s exchange throws TypeError for anything that is not of its type, and binds nothing',
    async (type, wrong) => {
      const { broker } = await open();
      const queue = broker.queue('orders');
      const exchange = broker.exchange('events', type === undefined ? {} : { type });
      const before = JSON.stringify(broker.stats());
      for (const argument of wrong) {
        expect(() => exchange.bind(queue, argument as string)).toThrow(TypeError);
        expect(() => exchange.unbind(queue, argument as string)).toThrow(TypeError);
      }
      expect(exchange.bindings()).toEqual([]);
      expect(JSON.stringify(broker.stats())).toBe(before);
    },
  );

  it('throws RangeError for patterns over 255 characters, and a match that there is not', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const exchange = broker.exchange('events');
    exchange.bind(queue, 'x'.repeat(255));
    expect(() => exchange.bind(queue, 'x'.repeat(256))).toThrow(RangeError);
    const headers = broker.exchange('headers', { type: 'headers' });
    expect(() => headers.bind(queue, { match: 'none' as 'any', headers: {} })).toThrow(RangeError);
    expect(() => headers.bind(queue, { headers: { a: NaN } })).toThrow(RangeError);
    expect(exchange.bindings().length + headers.bindings().length).toBe(1);
  });

  it.each([undefined, null, 'orders', 5, {}, [], { name: 'orders' }, Symbol('orders')])(
    'throws TypeError where the destination is %s',
    async (destination) => {
      const { broker } = await open();
      broker.queue('orders');
      const exchange = broker.exchange('events');
      expect(() => exchange.bind(destination as Destination, '#')).toThrow(TypeError);
      expect(() => exchange.unbind(destination as Destination, '#')).toThrow(TypeError);
      expect(exchange.bindings()).toEqual([]);
    },
  );

  it('throws TypeError for a destination of another broker, even where the name is the same', async () => {
    const { broker } = await open();
    const { broker: other } = await open();
    broker.queue('orders');
    const exchange = broker.exchange('events');
    expect(() => exchange.bind(other.queue('orders'), '#')).toThrow(TypeError);
    expect(() => exchange.bind(other.exchange('inner'), '#')).toThrow(TypeError);
    expect(exchange.bindings()).toEqual([]);
  });

  it('throws ERR_UNKNOWN_DESTINATION for a handle that was deleted, even if the name is made again', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events');
    const [queue, inner] = [broker.queue('orders'), broker.exchange('inner')];
    await broker.delete('orders');
    await broker.delete('inner');
    broker.queue('orders');
    broker.exchange('inner');
    for (const gone of [queue, inner] as Destination[]) {
      expect(() => exchange.bind(gone, '#')).toThrow(expect.objectContaining(GONE));
      expect(() => exchange.unbind(gone, '#')).toThrow(expect.objectContaining(GONE));
    }
  });
});

onEachStorage('unbind()', (open) => {
  it('takes one binding away, and leaves the others', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const exchange = broker.exchange('events').bind(queue, 'a').bind(queue, 'b');
    exchange.unbind(queue, 'a');
    await exchange.publish('a', 1);
    await exchange.publish('b', 2);
    expect(await waiting(queue)).toEqual([2]);
  });

  it('finds a headers binding by what it says, not by the object', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const exchange = broker.exchange('events', { type: 'headers' });
    exchange.bind(queue, { match: 'any', headers: { a: 1, b: 2 } });
    exchange.unbind(queue, { match: 'all', headers: { a: 1, b: 2 } });
    expect(exchange.bindings()).toHaveLength(1);
    exchange.unbind(queue, { match: 'any', headers: { b: 2, a: 1 } });
    expect(exchange.bindings()).toEqual([]);
  });

  it('changes nothing where there is no such binding', async () => {
    const { broker } = await open();
    const [queue, other] = [broker.queue('orders'), broker.queue('other')];
    const exchange = broker.exchange('events').bind(queue, 'a');
    exchange.unbind(queue, 'b').unbind(other, 'a').unbind(queue, 'b');
    expect(exchange.bindings()).toEqual([{ destination: 'orders', pattern: 'a' }]);
  });

  it('leaves what was published before where it is', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const exchange = broker.exchange('events').bind(queue, '#');
    await exchange.publish('a', 1);
    exchange.unbind(queue, '#');
    expect(await waiting(queue)).toEqual([1]);
  });
});

onEachStorage('bindings()', (open) => {
  it('lists them in the order of binding, with what was given', async () => {
    const { broker } = await open();
    const [queue, inner] = [broker.queue('orders'), broker.exchange('inner')];
    const topic = broker.exchange('topic').bind(queue, 'b').bind(inner, '#').bind(queue, 'a').bind(queue, '');
    expect(topic.bindings()).toEqual([
      { destination: 'orders', pattern: 'b' },
      { destination: 'inner', pattern: '#' },
      { destination: 'orders', pattern: 'a' },
      { destination: 'orders', pattern: '' },
    ]);
    const fanout = broker.exchange('fanout', { type: 'fanout' }).bind(queue);
    expect(fanout.bindings()).toEqual([{ destination: 'orders' }]);
    const match: HeadersMatch = { match: 'any', headers: { a: null, b: 'x' } };
    const headers = broker.exchange('headers', { type: 'headers' }).bind(queue, match);
    expect(headers.bindings()).toEqual([{ destination: 'orders', match }]);
  });

  it('is a copy, and keeps one of its own', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const given = { a: 1 };
    const exchange = broker.exchange('events', { type: 'headers' }).bind(queue, { headers: given });
    given.a = 2;
    const listed = exchange.bindings() as { destination: string }[];
    listed[0]!.destination = 'elsewhere';
    listed.length = 0;
    expect(exchange.bindings()).toEqual([{ destination: 'orders', match: { headers: { a: 1 } } }]);
    expect((await exchange.publish('', 1, { headers: { a: 1 } })).destinations).toEqual(['orders']);
  });
});

onEachStorage('Deleting an exchange', (open) => {
  it('takes the bindings at both its ends with it, and leaves queues alone', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const inner = broker.exchange('inner').bind(queue, '#');
    const outer = broker.exchange('outer').bind(inner, '#').bind(queue, 'direct');
    await inner.publish('a', 1);
    await broker.delete('inner');
    expect(outer.bindings()).toEqual([{ destination: 'orders', pattern: 'direct' }]);
    expect((await outer.publish('a', 2)).destinations).toEqual([]);
    expect(await waiting(queue)).toEqual([1]);
    expect(broker.stats().exchanges.map(({ name }) => name)).toEqual(['outer']);
  });

  it('leaves handles that refuse everything, even if the name is made again', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const exchange = broker.exchange('events').bind(queue, '#');
    await broker.delete('events');
    const again = broker.exchange('events');
    expect(again).not.toBe(exchange);
    expect(again.bindings()).toEqual([]);
    await expect(exchange.publish('a', 1)).rejects.toMatchObject(GONE);
    const uses: readonly ((one: Exchange) => unknown)[] = [
      (one) => one.bind(queue, '#'),
      (one) => one.unbind(queue, '#'),
      (one) => one.bindings(),
    ];
    for (const use of uses) expect(() => use(exchange)).toThrow(expect.objectContaining(GONE));
    expect(() => broker.exchange('other', { alternate: exchange })).toThrow(expect.objectContaining(GONE));
    expect(queue.stats().accepted).toBe(0);
  });

  it('makes room for another kind under its name', async () => {
    const { broker } = await open();
    broker.exchange('events');
    await broker.delete('events');
    const queue = broker.queue('events');
    await queue.send(1);
    expect(await waiting(queue)).toEqual([1]);
  });

  it('rejects where nothing has the name, and the second time', async () => {
    const { broker } = await open();
    broker.exchange('events');
    await expect(broker.delete('event')).rejects.toMatchObject(GONE);
    await broker.delete('events');
    await expect(broker.delete('events')).rejects.toMatchObject(GONE);
  });

  it('lets go what waits for room behind it: it was published already', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue('orders', { maxLength: 1, overflow: 'block' });
    const exchange = broker.exchange('events').bind(queue, '#');
    await exchange.publish('a', 1);
    const second = exchange.publish('a', 2);
    await quiet();
    await broker.delete('events');
    (await queue.receive())!.ack();
    expect((await second).destinations).toEqual(['orders']);
    expect(await waiting(queue)).toEqual([2]);
  });
});
