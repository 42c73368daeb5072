import { expect, it } from 'vitest';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A message that goes through exchanges', (open) => {
  it('comes once to each queue, however many bindings match', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const exchange = broker.exchange('events');
    for (const pattern of ['#', 'order.*', 'order.created', '*.created']) exchange.bind(queue, pattern);
    const receipt = await exchange.publish('order.created', 1);
    expect(receipt.destinations).toEqual(['orders']);
    expect(queue.stats().accepted).toBe(1);
  });

  it('goes on through exchanges that are bound, by their own bindings', async () => {
    const { broker } = await open();
    const inner = broker.exchange('inner', { type: 'direct' });
    const outer = broker.exchange('outer');
    const queue = broker.queue('orders');
    outer.bind(inner, 'order.#');
    inner.bind(queue, 'order.created');
    expect((await outer.publish('order.created', 1)).destinations).toEqual(['orders']);
    expect((await outer.publish('order.paid', 2)).destinations).toEqual([]);
    expect((await outer.publish('user.created', 3)).destinations).toEqual([]);
    expect(await waiting(queue)).toEqual([1]);
    expect((await queue.receive())!).toMatchObject({ routingKey: 'order.created', source: 'orders' });
  });

  it('comes once where several ways lead to a queue', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const top = broker.exchange('top', { type: 'fanout' });
    for (const name of ['left', 'right']) {
      const side = broker.exchange(name, { type: 'fanout' });
      side.bind(queue);
      top.bind(side);
    }
    top.bind(queue);
    expect((await top.publish('', 1)).destinations).toEqual(['orders']);
    expect(queue.stats().accepted).toBe(1);
  });

  it('crosses exchanges of every type', async () => {
    const { broker } = await open();
    const topic = broker.exchange('topic');
    const direct = broker.exchange('direct', { type: 'direct' });
    const headers = broker.exchange('headers', { type: 'headers' });
    const fanout = broker.exchange('fanout', { type: 'fanout' });
    const queue = broker.queue('orders');
    topic.bind(direct, '#');
    direct.bind(headers, 'a.b');
    headers.bind(fanout, { headers: { go: true } });
    fanout.bind(queue);
    expect((await topic.publish('a.b', 1, { headers: { go: true } })).destinations).toEqual(['orders']);
    expect((await topic.publish('a.b', 2, { headers: { go: false } })).destinations).toEqual([]);
    expect((await topic.publish('a.c', 3, { headers: { go: true } })).destinations).toEqual([]);
  });

  it('takes a long way as well as a short one', async () => {
    const { broker } = await open();
    const chain = Array.from({ length: 50 }, (_, n) => broker.exchange(`x${n}`, { type: 'fanout' }));
    chain.forEach((exchange, n) => n > 0 && chain[n - 1]!.bind(exchange));
    chain.at(-1)!.bind(broker.queue('end'));
    expect((await chain[0]!.publish('', 1)).destinations).toEqual(['end']);
  });

  it('is routed by the bindings of the moment it is published', async () => {
    const { broker } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const inner = broker.exchange('inner', { type: 'fanout' }).bind(a);
    const outer = broker.exchange('outer').bind(inner, '#');
    expect((await outer.publish('key', 1)).destinations).toEqual(['a']);
    inner.bind(b);
    expect((await outer.publish('key', 2)).destinations).toEqual(['a', 'b']);
    inner.unbind(a);
    expect((await outer.publish('key', 3)).destinations).toEqual(['b']);
    const pending = outer.publish('key', 4);
    inner.unbind(b);
    expect((await pending).destinations).toEqual(['b']);
    expect((await outer.publish('key', 5)).destinations).toEqual([]);
  });
});

onEachStorage('A binding that would let messages run in a circle', (open) => {
  const CYCLE = { code: 'ERR_BINDING_CYCLE' };

  it.each([1, 2, 3, 10])('is refused: %i exchanges', async (length) => {
    const { broker } = await open();
    const ring = Array.from({ length }, (_, n) => broker.exchange(`x${n}`, { type: 'fanout' }));
    ring.forEach((exchange, n) => n > 0 && ring[n - 1]!.bind(exchange));
    const last = ring.at(-1)!;
    expect(() => last.bind(ring[0]!)).toThrow(expect.objectContaining(CYCLE));
    expect(last.bindings()).toEqual([]);
    last.bind(broker.queue('end'));
    expect((await ring[0]!.publish('', 1)).destinations).toEqual(['end']);
  });

  it('is refused even where the patterns could never meet, and says which exchanges', async () => {
    const { broker } = await open();
    const [a, b] = [broker.exchange('a'), broker.exchange('b')];
    a.bind(b, 'x');
    expect(() => b.bind(a, 'y')).toThrow(
      expect.objectContaining({ ...CYCLE, details: { exchange: 'b', destination: 'a' } }),
    );
  });

  it('is taken once the circle is open again', async () => {
    const { broker } = await open();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => broker.exchange(name, { type: 'fanout' }));
    a!.bind(b!);
    b!.bind(c!);
    expect(() => c!.bind(a!)).toThrow(expect.objectContaining(CYCLE));
    a!.unbind(b!);
    c!.bind(a!);
    expect(() => a!.bind(b!)).toThrow(expect.objectContaining(CYCLE));
    await broker.delete('c');
    a!.bind(b!);
    expect(a!.bindings()).toEqual([{ destination: 'b' }]);
  });

  it('is none where ways meet without a circle', async () => {
    const { broker } = await open();
    const [top, left, right, end] = ['top', 'left', 'right', 'end'].map((name) =>
      broker.exchange(name, { type: 'fanout' }),
    );
    top!.bind(left!).bind(right!).bind(end!);
    left!.bind(end!);
    right!.bind(end!);
    end!.bind(broker.queue('orders'));
    expect((await top!.publish('', 1)).destinations).toEqual(['orders']);
  });
});
