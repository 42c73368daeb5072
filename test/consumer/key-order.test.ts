import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { deferred, onEachStorage, schemaOf, waiting, type Deferred } from '../fixtures.js';

const keyed = (key: string, bodies: readonly string[]): { body: string; key: string }[] =>
  bodies.map((body) => ({ body, key }));

onEachStorage('A queue that keeps order by key', (open) => {
  it('handles messages of one key one after the other, and different keys in parallel', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const gates = new Map<string, Deferred>();
    queue.consume(
      async ({ body }) => {
        const gate = deferred();
        gates.set(body, gate);
        await gate.promise;
        gates.delete(body);
      },
      { concurrency: 10 },
    );
    await queue.sendMany([...keyed('a', ['a1', 'a2', 'a3']), ...keyed('b', ['b1', 'b2'])]);
    await quiet();
    expect([...gates.keys()]).toEqual(['a1', 'b1']);
    gates.get('a1')!.resolve();
    await quiet();
    expect([...gates.keys()]).toEqual(['b1', 'a2']);
    gates.get('b1')!.resolve();
    gates.get('a2')!.resolve();
    await quiet();
    expect([...gates.keys()].toSorted()).toEqual(['a3', 'b2']);
  });

  it('keeps it whoever consumes: never two of a key in hand', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    await queue.sendMany(keyed('a', ['a1', 'a2']));
    const first = (await queue.receive())!;
    const handled: string[] = [];
    for (let n = 0; n < 3; n++) queue.consume(({ body }) => void handled.push(body), { concurrency: 2 });
    await quiet();
    expect(await queue.receive()).toBeUndefined();
    expect(handled).toEqual([]);
    first.ack();
    await quiet();
    expect(handled).toEqual(['a2']);
  });

  it('lets messages without a key hold nobody back, nor wait for anybody', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const started: string[] = [];
    queue.consume(
      ({ body }) => {
        started.push(body);
        return new Promise(() => undefined);
      },
      { concurrency: 4 },
    );
    await queue.sendMany([{ body: 'none 1' }, ...keyed('a', ['a1', 'a2']), { body: 'none 2' }, { body: 'none 3' }]);
    await quiet();
    expect(started).toEqual(['none 1', 'a1', 'none 2', 'none 3']);
  });

  it('holds a key through the backoff of its message, while other keys go on', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key', retry: { backoff: fixed('1s') } });
    const log: string[] = [];
    queue.consume(
      ({ body, attempt }) => {
        log.push(`${body}#${attempt}`);
        if (body === 'a1' && attempt < 3) throw new Error('no');
      },
      { concurrency: 3 },
    );
    await queue.sendMany([...keyed('a', ['a1', 'a2']), ...keyed('b', ['b1', 'b2'])]);
    await clock.advance('1s');
    expect(log).toEqual(['a1#1', 'b1#1', 'b2#1', 'a1#2']);
    await clock.advance('1s');
    expect(log).toEqual(['a1#1', 'b1#1', 'b2#1', 'a1#2', 'a1#3', 'a2#1']);
  });

  it('frees a key when its message is dead-lettered', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    await queue.sendMany(keyed('a', ['a1', 'a2', 'a3']));
    const handled: string[] = [];
    queue.consume((message) => {
      handled.push(message.body);
      if (message.body === 'a2') message.reject();
    });
    await quiet();
    expect(handled).toEqual(['a1', 'a2', 'a3']);
    expect(await waiting(queue.deadLetters!)).toEqual(['a2']);
  });

  it('holds a key through requeue, with or without a delay', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    await queue.sendMany(keyed('a', ['a1', 'a2']));
    (await queue.receive())!.requeue();
    const again = (await queue.receive())!;
    expect(again.body).toBe('a1');
    again.requeue({ delay: '1s' });
    await quiet();
    expect(await queue.receive()).toBeUndefined();
    await clock.advance('1s');
    expect((await queue.receive())!.body).toBe('a1');
    expect(await queue.receive()).toBeUndefined();
  });

  it('lets a delayed message take its place when it is due, and hold nobody back before', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    await queue.send('a1, later', { key: 'a', delay: '1s' });
    await queue.sendMany(keyed('a', ['a2', 'a3', 'a4']));
    const held = (await queue.receive())!;
    expect(held.body).toBe('a2');
    expect(await queue.receive()).toBeUndefined();
    await clock.advance('1s');
    expect(await queue.receive()).toBeUndefined();
    held.ack();
    await quiet();
    const order: string[] = [];
    queue.consume(({ body }) => void order.push(body));
    await quiet();
    expect(order).toEqual(['a1, later', 'a3', 'a4']);
  });

  it('delivers the next of a key after an ack timeout; the late verb returns false', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key', ackTimeout: '1s', retry: { attempts: 1 } });
    await queue.sendMany(keyed('a', ['a1', 'a2']));
    const late = (await queue.receive())!;
    expect(await queue.receive()).toBeUndefined();
    await clock.advance('1s');
    expect((await queue.receive())!.body).toBe('a2');
    expect(late.ack()).toBe(false);
    expect(queue.stats()).toMatchObject({ deadLettered: 1, unacked: 1 });
  });

  it('keeps order of starts alone with ack `none`', async () => {
    const { broker, quiet, reported } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const started: string[] = [];
    queue.consume(
      ({ body }) => {
        started.push(body);
        return body === 'a2' ? Promise.reject(new Error('no')) : new Promise(() => undefined);
      },
      { ack: 'none', concurrency: 5 },
    );
    await queue.sendMany(keyed('a', ['a1', 'a2', 'a3']));
    await quiet();
    expect(started).toEqual(['a1', 'a2', 'a3']);
    expect(reported().map(({ message }) => message)).toEqual(['no']);
  });

  it('gives each message of a batch back once when its consumer closes', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const consumer = queue.consumeBatch(() => new Promise(() => undefined), { size: 3 });
    await queue.sendMany(keyed('a', ['a1', 'a2', 'a3']));
    await quiet();
    await consumer.close({ timeout: 0 });
    expect(queue.stats()).toMatchObject({ ready: 3, unacked: 0, bytes: 3 * JSON.stringify('a1').length });
    const again: string[] = [];
    queue.consume(({ body }) => void again.push(body));
    await queue.idle();
    expect(again).toEqual(['a1', 'a2', 'a3']);
  });

  it('frees a key when its message expires on its way back', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key', retry: { backoff: fixed('1s') } });
    await queue.send('a1', { key: 'a', ttl: 500 });
    await queue.send('a2', { key: 'a' });
    (await queue.receive())!.nack();
    await clock.advance('1s');
    expect((await queue.receive())!.body).toBe('a2');
    await clock.advance(0);
    expect(await waiting(queue.deadLetters!)).toEqual(['a1']);
  });

  it.each(['', '__proto__', 'constructor', 'ключ', '\0'])('takes %j as a key like any other', async (key) => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    await queue.sendMany(keyed(key, ['1', '2']));
    const first = (await queue.receive())!;
    expect(await queue.receive()).toBeUndefined();
    first.ack();
    expect((await queue.receive())!.body).toBe('2');
  });
});

onEachStorage('A batch under key order', (open) => {
  it('may hold several of one key, in order, and nobody else gets one of them', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const batches: string[][] = [];
    const gate = deferred();
    queue.consumeBatch(
      (batch) => {
        batches.push(batch.map(({ body }) => body));
        return gate.promise;
      },
      { size: 3, concurrency: 2 },
    );
    await queue.sendMany([...keyed('a', ['a1', 'a2']), ...keyed('b', ['b1', 'b2']), ...keyed('a', ['a3'])]);
    await quiet();
    expect(batches).toEqual([['a1', 'a2', 'b1']]);
    expect(await queue.receive()).toBeUndefined();
    gate.resolve();
    await quiet();
    expect(batches.flat()).toEqual(['a1', 'a2', 'b1', 'b2', 'a3']);
  });

  it('gives back, with one that is nacked, all later ones of its key', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key', retry: { backoff: fixed('1s') } });
    const batches: string[][] = [];
    queue.consumeBatch((batch: readonly Delivery<string>[]) => {
      batches.push(batch.map(({ body }) => body));
      for (const message of batch) if (message.body === 'a2' && message.attempt === 1) message.nack();
    });
    await queue.sendMany([...keyed('a', ['a1', 'a2', 'a3']), ...keyed('b', ['b1'])]);
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ acked: 2, unacked: 0 });
    await clock.advance('1s');
    expect(batches).toEqual([
      ['a1', 'a2', 'a3', 'b1'],
      ['a2', 'a3'],
    ]);
    expect(queue.stats()).toMatchObject({ acked: 4, retried: 1 });
  });

  it('comes back one by one in order of each key when it fails', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const batches: string[][] = [];
    queue.consumeBatch((batch) => {
      batches.push(batch.map(({ body }) => body));
      if (batch.length > 1) throw new Error('no');
    });
    await queue.sendMany([...keyed('a', ['a1', 'a2']), ...keyed('b', ['b1']), ...keyed('a', ['a3'])]);
    await quiet();
    expect(batches).toEqual([['a1', 'a2', 'b1', 'a3'], ['a1'], ['a2'], ['b1'], ['a3']]);
  });

  it('fails, and those that wait behind what comes back one by one stay behind it', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const batches: string[][] = [];
    queue.consumeBatch(
      (batch) => {
        batches.push(batch.map(({ body }) => body));
        if (batches.length === 1) throw new Error('once');
      },
      { size: 2 },
    );
    await queue.sendMany(keyed('a', ['1', '2', '3', '4', '5', '6']));
    await quiet();
    expect(batches).toEqual([['1', '2'], ['1'], ['2'], ['3', '4'], ['5', '6']]);
  });

  it('is taken on where one of it was given back and others looked at that in the meantime', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const batches: (readonly Delivery<string>[])[] = [];
    const consumer = queue.consumeBatch((batch) => void batches.push(batch), { ack: 'manual', size: 2 });
    await queue.sendMany(keyed('a', ['1', '2']));
    await quiet();
    const [first, second] = batches[0]!;
    second!.requeue();
    await quiet();
    expect(await queue.receive()).toBeUndefined();
    first!.ack();
    await quiet();
    expect(batches.map((batch) => batch.map(({ body }) => body))).toEqual([['1', '2'], ['2']]);
    await consumer.close();
  });

  it('does not go on with a key before what nobody can read of it is with the dead letters', async () => {
    const { broker, quiet } = await open();
    let strict = false;
    const schema = schemaOf((value: string) => {
      if (strict && value === 'bad') throw new Error('bad');
      return value;
    });
    const queue = broker.queue('orders', { ordering: 'key', schema });
    const seen: string[] = [];
    broker.on('delivered', ({ id }) => seen.push(id));
    broker.on('deadLettered', ({ id }) => seen.push(id));
    await queue.sendMany([
      { body: 'any', id: 'any' },
      { body: 'bad', id: 'bad', key: 'a' },
      { body: 'next', id: 'next', key: 'a' },
    ]);
    strict = true;
    queue.consumeBatch(() => undefined, { size: 3 });
    await quiet();
    expect(seen).toEqual(['any', 'bad', 'next']);
  });

  it('wakes another consumer for the next of its key when it is done', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    const batches: (readonly Delivery<string>[])[] = [];
    const consumer = queue.consumeBatch((batch) => void batches.push(batch), { ack: 'manual', size: 2 });
    await queue.sendMany(keyed('a', ['1', '2', '3']));
    await quiet();
    const next = queue.receive({ wait: '1s' });
    consumer.pause();
    for (const message of batches[0]!) message.ack();
    expect((await next)!.body).toBe('3');
  });

  it('is kept among those that a redrive has looked at, whoever looks at them after it', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { ordering: 'key' });
    broker.queue('aside');
    await queue.sendMany([...keyed('a', ['1', '2', '3']), ...keyed('b', ['other']), ...keyed('a', ['4'])]);
    expect(await queue.redrive({ to: 'aside', filter: ({ body }) => body === '1' })).toBe(1);
    const second = (await queue.receive())!;
    // Passes over the third, and does not come to the fourth.
    expect((await queue.receive())!.body).toBe('other');
    second.ack();
    await quiet();
    const bodies = [second.body];
    for (let one = await queue.receive(); one !== undefined; one = await queue.receive()) {
      bodies.push(one.body);
      one.ack();
    }
    expect(bodies).toEqual(['2', '3', '4']);
  });
});
