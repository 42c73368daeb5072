import { expect, it } from 'vitest';
import { structured } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

onEachStorage('Sending to a queue', (open) => {
  it('resolves with a receipt that names the queue, the id, and what the message survives', async () => {
    const { broker } = await open();
    const receipt = await broker.queue('orders').send({ total: 3 });
    const { durability } = broker.stats().storage;
    expect(receipt).toEqual({ id: expect.any(String), duplicate: false, destinations: ['orders'], durability });
    expect(receipt.id).not.toBe('');
  });

  it('makes the message visible before the promise resolves', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('first');
    expect(queue.stats()).toMatchObject({ ready: 1, accepted: 1 });
    expect(await waiting(queue)).toEqual(['first']);
  });

  it('keeps the order of sends that are not awaited one by one', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await Promise.all(Array.from({ length: 300 }, (_, n) => queue.send(n)));
    expect(await waiting(queue)).toEqual(Array.from({ length: 300 }, (_, n) => n));
  });

  it('takes the id that is given, and makes one that is unique and sorts by time where none is', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    const ids: string[] = [];
    for (let n = 0; n < 50; n++) {
      ids.push((await queue.send(n)).id);
      if (n % 10 === 0) await clock.advance(7);
    }
    expect(new Set(ids).size).toBe(50);
    expect(ids.toSorted()).toEqual(ids);
    expect((await queue.send(50, { id: 'order-17' })).id).toBe('order-17');
    expect((await queue.peek()).map(({ id }) => id)).toEqual([...ids, 'order-17']);
  });

  it('accepts one id twice where nothing deduplicates, and settles each by itself', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('one', { id: 'same' });
    await queue.send('two', { id: 'same' });
    const first = (await queue.receive())!;
    const second = (await queue.receive())!;
    expect([first.id, second.id]).toEqual(['same', 'same']);
    expect(first.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ unacked: 1, acked: 1 });
    expect(second.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ unacked: 0, acked: 2 });
  });

  it('delivers what was sent: body, headers, key, priority and time of acceptance', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<{ total: number }>('orders');
    await queue.send(
      { total: 3 },
      { key: 'customer-1', headers: { tenant: 'a', n: 1, ok: true, none: null }, priority: 4 },
    );
    const accepted = new Date(clock.now());
    await clock.advance(500);
    const message = (await queue.receive())!;
    expect(message.body).toEqual({ total: 3 });
    expect(message.headers).toEqual({ tenant: 'a', n: 1, ok: true, none: null });
    expect(message).toMatchObject({ key: 'customer-1', priority: 4, source: 'orders', attempt: 1, deliveries: 1 });
    expect(message.timestamp).toEqual(accepted);
    expect(message.deaths).toEqual([]);
    expect(message.routingKey).toBeUndefined();
  });

  it('gives a message without options no key, no headers and priority 0', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    await queue.send('plain');
    const message = (await queue.receive())!;
    expect(message.headers).toEqual({});
    expect(message.key).toBeUndefined();
    expect(message.priority).toBe(0);
  });

  it('keeps what was sent as it was then, whatever the sender changes later', async () => {
    const { broker } = await open();
    const queue = broker.queue<{ items: string[] }>('orders');
    const body = { items: ['apple'] };
    const headers: Record<string, string> = { tenant: 'a' };
    const sent = queue.send(body, { headers });
    body.items.push('worm');
    headers['tenant'] = 'b';
    await sent;
    const message = (await queue.receive())!;
    expect(message.body).toEqual({ items: ['apple'] });
    expect(message.headers).toEqual({ tenant: 'a' });
  });

  it('decodes anew for every delivery: what one handler changes, the next does not see', async () => {
    const { broker } = await open();
    const queue = broker.queue<{ items: string[] }>('orders');
    await queue.send({ items: [] });
    const first = (await queue.receive())!;
    first.body.items.push('scribble');
    first.requeue();
    expect((await queue.receive())!.body).toEqual({ items: [] });
  });

  it('follows the rules of JSON.stringify inside a body', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const when = new Date(0);
    await queue.send({ when, none: undefined, nan: NaN, list: [undefined], own: { toJSON: () => 'told' } });
    expect(await waiting(queue)).toEqual([{ when: when.toJSON(), nan: null, list: [null], own: 'told' }]);
  });

  it('keeps a __proto__ key in body and headers as plain data', async () => {
    const { broker } = await open();
    const queue = broker.queue<object>('orders');
    const hostile = JSON.parse('{ "__proto__": { "admin": true } }') as object;
    await queue.send(hostile, { headers: JSON.parse('{ "__proto__": "x" }') as Record<string, string> });
    const message = (await queue.receive())!;
    expect(Object.getOwnPropertyNames(message.body)).toEqual(['__proto__']);
    expect((message.body as { admin?: boolean }).admin).toBeUndefined();
    expect(Object.entries(message.headers)).toEqual([['__proto__', 'x']]);
  });

  it('carries bytes as bytes, copied at send and for every delivery', async () => {
    const { broker } = await open();
    const queue = broker.queue<Uint8Array>('orders');
    const bytes = Uint8Array.of(1, 2, 3);
    const sent = queue.send(bytes);
    bytes.fill(9);
    await sent;
    const first = (await queue.receive())!;
    expect(first.body).toBeInstanceOf(Uint8Array);
    expect([...first.body]).toEqual([1, 2, 3]);
    first.body.fill(0);
    first.requeue();
    expect([...(await queue.receive())!.body]).toEqual([1, 2, 3]);
  });

  it('carries dates, maps and cycles with the structured codec', async () => {
    const { broker } = await open({ codec: structured });
    const queue = broker.queue<{ when: Date; seen: Map<string, bigint>; self?: unknown }>('orders');
    const body: { when: Date; seen: Map<string, bigint>; self?: unknown } = {
      when: new Date(5),
      seen: new Map([['a', 1n]]),
    };
    body.self = body;
    await queue.send(body);
    const { body: received } = (await queue.receive())!;
    expect(received.when).toEqual(new Date(5));
    expect(received.seen.get('a')).toBe(1n);
    expect(received.self).toBe(received);
  });

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a bigint', 1n],
    ['a bigint inside', { deep: [1n] }],
    ['a cycle', cyclic],
  ])('refuses a body that JSON cannot hold: %s', async (_, body) => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    await expect(queue.send(body)).rejects.toMatchObject({
      code: 'ERR_NOT_SERIALIZABLE',
    });
    expect(queue.stats().accepted).toBe(0);
  });

  it('refuses a message whose body and headers have more bytes than maxMessageBytes, and takes one that has as many', async () => {
    const { broker } = await open({ maxMessageBytes: 40 });
    const queue = broker.queue<string>('orders');
    await queue.send('x'.repeat(38));
    const tooLarge = { code: 'ERR_MESSAGE_TOO_LARGE', details: { bytes: 41, maxMessageBytes: 40 } };
    await expect(queue.send('x'.repeat(39))).rejects.toMatchObject(tooLarge);
    await expect(queue.send('é'.repeat(19) + 'x')).rejects.toMatchObject(tooLarge);
    await expect(queue.send('x'.repeat(20), { headers: { tenant: 'abcdef' } })).rejects.toMatchObject({
      code: 'ERR_MESSAGE_TOO_LARGE',
    });
    expect(queue.stats().accepted).toBe(1);
  });
});
