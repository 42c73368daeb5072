import { expect, it } from 'vitest';
import type { Broker, ExchangeOptions, Queue, QueueOptions } from '../../src/index.js';
import { fill, onEachStorage, watch } from '../fixtures.js';

const MISMATCH = { code: 'ERR_DECLARATION_MISMATCH' };

/** Every name of the broker, with what it is. */
function everything(broker: Broker): string[] {
  const { queues, exchanges } = broker.stats();
  return [...queues.map(({ name }) => `queue ${name}`), ...exchanges.map(({ name, type }) => `${type} ${name}`)].sort();
}

onEachStorage('Queues and exchanges', (open) => {
  it('share one namespace: another kind under a known name is a mismatch, and declares nothing', async () => {
    const { broker } = await open();
    const queue = broker.queue('a');
    const exchange = broker.exchange('b', { type: 'direct' });
    for (const options of [undefined, {}, { durable: true }]) {
      expect(() => broker.exchange('a', options)).toThrow(expect.objectContaining(MISMATCH));
      expect(() => broker.queue('b', options)).toThrow(expect.objectContaining(MISMATCH));
    }
    expect(everything(broker)).toEqual(['direct b', 'queue a']);
    expect([broker.queue('a'), broker.exchange('b')]).toEqual([queue, exchange]);
  });

  it('names what has the name already', async () => {
    const { broker } = await open();
    broker.queue('a');
    expect(() => broker.exchange('a')).toThrow(
      expect.objectContaining({ details: { name: 'a', kind: 'queue' }, message: expect.stringContaining('"a"') }),
    );
  });
});

onEachStorage('Declaring an exchange', (open) => {
  it('gives the same object for the same name, with or without options', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { type: 'fanout' });
    expect(broker.exchange('events')).toBe(exchange);
    expect(broker.exchange('events', { type: 'fanout' })).toBe(exchange);
    expect(exchange.name).toBe('events');
  });

  it('adopts the options of the first declaration that has any', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events');
    broker.exchange('events', { type: 'fanout', internal: true });
    exchange.bind(broker.queue('orders'));
    await expect(exchange.publish('a', 1)).rejects.toMatchObject({ code: 'ERR_INTERNAL_EXCHANGE' });
    expect(() => broker.exchange('events', { internal: false })).toThrow(expect.objectContaining(MISMATCH));
  });

  it.each<[first: ExchangeOptions, second: ExchangeOptions]>([
    [{ type: 'fanout' }, { type: 'topic' }],
    [{}, { type: 'direct' }],
    [{ type: 'direct' }, { durable: false }],
    [{ durable: false }, { durable: true }],
    [{ internal: true }, { internal: false }],
    [{ type: 'topic' }, { internal: true }],
    [{ autoDelete: true }, { autoDelete: false }],
    [{ alternate: 'a' }, { alternate: 'b' }],
    [{ type: 'topic' }, { alternate: 'a' }],
  ])('refuses %j, and then %j, with ERR_DECLARATION_MISMATCH', async (first, second) => {
    const { broker } = await open();
    broker.exchange('events', first);
    const before = JSON.stringify(broker.stats());
    const [option] = Object.keys(second);
    expect(() => broker.exchange('events', second)).toThrow(
      expect.objectContaining({ ...MISMATCH, message: expect.stringContaining(option!) }),
    );
    expect(JSON.stringify(broker.stats())).toBe(before);
  });

  it.each<[first: ExchangeOptions, second: ExchangeOptions]>([
    [{ type: 'direct', internal: true }, { internal: true }],
    [{ type: 'direct' }, {}],
    [{ type: 'direct' }, { type: undefined }],
    [{ internal: true }, { type: 'topic', durable: true, autoDelete: false }],
    [{ alternate: 'a' }, { alternate: 'a' }],
  ])('takes %j, and then %j: the same where it was given', async (first, second) => {
    const { broker } = await open();
    const exchange = broker.exchange('events', first);
    expect(broker.exchange('events', second)).toBe(exchange);
  });

  it('compares an alternate handle and its name as one', async () => {
    const { broker } = await open();
    const lost = broker.queue('lost');
    const exchange = broker.exchange('events', { alternate: lost });
    expect(broker.exchange('events', { alternate: 'lost' })).toBe(exchange);
    expect(() => broker.exchange('events', { alternate: broker.queue('other') })).toThrow(
      expect.objectContaining(MISMATCH),
    );
  });

  it('lets its type come late, unless there are bindings of another', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const late = broker.exchange('late');
    broker.exchange('late', { type: 'direct' });
    late.bind(queue, 'a');
    const bound = broker.exchange('bound').bind(queue, 'a.*');
    expect(() => broker.exchange('bound', { type: 'fanout' })).toThrow(expect.objectContaining(MISMATCH));
    broker.exchange('bound', { internal: true });
    expect(bound.bindings()).toEqual([{ destination: 'orders', pattern: 'a.*' }]);
  });

  it('refuses an alternate of another broker, or one that was deleted, and declares nothing', async () => {
    const { broker } = await open();
    const { broker: other } = await open();
    const foreign = other.queue('lost');
    const gone = broker.queue('gone');
    await broker.delete('gone');
    expect(() => broker.exchange('events', { alternate: foreign })).toThrow(TypeError);
    expect(() => broker.exchange('events', { alternate: gone })).toThrow(
      expect.objectContaining({ code: 'ERR_UNKNOWN_DESTINATION' }),
    );
    expect(everything(broker)).toEqual([]);
  });
});

onEachStorage('A handle without options', (open) => {
  it('never mismatches, whoever comes first, and changes nothing', async () => {
    const { broker } = await open();
    broker.queue('q');
    broker.queue('q', { maxLength: 1, overflow: 'reject' });
    broker.queue('q');
    broker.exchange('x');
    broker.exchange('x', { type: 'direct' });
    broker.exchange('x');
    await broker.queue('q').send(1);
    await expect(broker.queue('q').send(2)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    expect(everything(broker)).toEqual(['direct x', 'queue q']);
  });

  it('leaves to a later declaration what is stored already', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('q');
    await fill(queue, 3);
    broker.queue('q', { maxLength: 3, overflow: 'drop-head', priorities: 2 });
    await queue.send(3, { priority: 1 });
    expect((await queue.peek()).map(({ body }) => body)).toEqual([1, 2, 3]);
    expect((await queue.receive())!.body).toBe(3);
  });

  it.each<QueueOptions>([{ durable: false }, { autoDelete: true }])(
    'that holds messages does not become %j',
    async (options) => {
      const { broker } = await open();
      const queue = broker.queue('q');
      await queue.send(1);
      expect(() => broker.queue('q', options)).toThrow(expect.objectContaining(MISMATCH));
      // What was refused has defined nothing.
      broker.queue('q', { maxLength: 1 });
      expect(broker.queue('q', { maxLength: 1 })).toBe(queue);
    },
  );

  it.each<[way: string, kind: 'queue' | 'topic', send: (broker: Broker) => Promise<unknown>]>([
    ['send()', 'queue', (broker) => broker.queue('one').send(1)],
    ['sendMany()', 'queue', (broker) => broker.queue('one').sendMany([{ body: 1 }])],
    ['an exchange', 'queue', (broker) => broker.exchange('x').bind(broker.queue('one'), '#').publish('a', 1)],
    ['publish()', 'topic', (broker) => broker.topic('one').publish(1)],
    ['publishMany()', 'topic', (broker) => broker.topic('one').publishMany([{ body: 1 }])],
    ['an exchange', 'topic', (broker) => broker.exchange('x').bind(broker.topic('one'), '#').publish('a', 1)],
  ])('to which a message is on its way by %s, as a %s, stays durable', async (_, kind, send) => {
    const { broker, quiet } = await open();
    const sent = watch(send(broker));
    const declare = (): unknown =>
      kind === 'queue' ? broker.queue('one', { durable: false }) : broker.topic('one', { durable: false });
    expect(declare).toThrow(expect.objectContaining(MISMATCH));
    await quiet();
    expect(sent.state).toBe('resolved');
  });

  it('that is empty does, and then its messages survive nothing', async () => {
    const { broker } = await open();
    const queue = broker.queue('q');
    const { durability } = await queue.send(1);
    expect(durability).toBe(broker.stats().storage.durability);
    (await queue.receive())!.ack();
    broker.queue('q', { durable: false, priorities: 3 });
    expect((await queue.send(2, { priority: 2 })).durability).toBe('memory');
    expect((await queue.receive())!.body).toBe(2);
  });
});

onEachStorage('A declaration with wrong or other options', (open) => {
  it('leaves the queue as it was: nothing of it is adopted', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('q', { maxLength: 2, overflow: 'block' });
    await fill(queue, 2);
    const blocked = watch(queue.send(3));
    const others: readonly QueueOptions[] = [
      { maxLength: 3 },
      { maxLength: 2, overflow: 'reject' },
      { overflow: 'block', ttl: 1 },
      { priorities: 2 },
    ];
    const before = JSON.stringify(broker.stats());
    for (const options of others) {
      expect(() => broker.queue('q', options)).toThrow(expect.objectContaining(MISMATCH));
    }
    expect(() => broker.queue('q', { maxLength: -1 })).toThrow(RangeError);
    expect(JSON.stringify(broker.stats())).toBe(before);
    await quiet();
    expect(blocked.state).toBe('pending');
    (await queue.receive())!.ack();
    await quiet();
    expect(blocked.state).toBe('resolved');
  });

  it('does not compare functions and schemas', async () => {
    const { broker } = await open();
    const schema = (): NonNullable<QueueOptions['schema']> => ({
      '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) },
    });
    const options = (): QueueOptions => ({
      retry: { attempts: 3, backoff: () => 5, retryIf: () => true },
      schema: schema(),
    });
    const queue: Queue = broker.queue('q', options());
    expect(broker.queue('q', options())).toBe(queue);
    expect(() => broker.queue('q', { retry: { attempts: 4, backoff: () => 5 } })).toThrow(
      expect.objectContaining(MISMATCH),
    );
  });

  it('compares only the keys that are given, those of `retry` too', async () => {
    const { broker } = await open();
    const queue = broker.queue('q', { maxLength: 3, retry: { attempts: 3, backoff: () => 5 } });
    expect(broker.queue('q', { retry: { attempts: 3 } })).toBe(queue);
    expect(broker.queue('q', { retry: { backoff: () => 5 } })).toBe(queue);
    expect(broker.queue('q', { retry: {} })).toBe(queue);
    expect(() => broker.queue('q', { retry: { attempts: 4 } })).toThrow(expect.objectContaining(MISMATCH));
  });

  it('does not see what the caller changes in its options later', async () => {
    const { broker } = await open();
    const options = { maxLength: 1, overflow: 'reject' as const, retry: { attempts: 2 } };
    const queue = broker.queue('q', options);
    const exchangeOptions: { type: 'fanout'; internal: boolean } = { type: 'fanout', internal: false };
    const exchange = broker.exchange('x', exchangeOptions);
    options.maxLength = 5;
    options.retry.attempts = 7;
    exchangeOptions.internal = true;
    await exchange.publish('', 1);
    expect(broker.queue('q', { maxLength: 1, retry: { attempts: 2 } })).toBe(queue);
    expect(broker.exchange('x', { internal: false })).toBe(exchange);
  });
});

onEachStorage('A name', (open) => {
  const NAMES = [
    '__proto__',
    'constructor',
    'hasOwnProperty',
    'toString',
    '../../etc/passwd',
    'C:\\nul',
    'a\0b',
    '\0',
    '\ud800',
    '\udfff\ud800',
    ' ',
    '.',
    '..',
    'a/b',
    'queue:0:a',
    '%2e%2e',
    'ﷺ',
    'é',
    'e\u0301',
    'É',
    'x'.repeat(255),
    '💥'.repeat(127),
    '0',
    'null',
    'a.dlq.dlq',
  ];

  it('may have any characters: all of these are queues of their own, and collide with nothing', async () => {
    const { broker } = await open();
    const keys = Object.keys(Object.prototype);
    for (const name of NAMES) await broker.queue(name).send(name);
    expect(broker.stats().queues.map(({ name, ready }) => [name, ready])).toEqual(NAMES.map((name) => [name, 1]));
    for (const name of NAMES) {
      const message = (await broker.queue(name).receive())!;
      expect([message.source, message.body]).toEqual([name, name]);
      message.ack();
    }
    await broker.delete('__proto__');
    expect(broker.stats().queues).toHaveLength(NAMES.length - 1);
    expect(Object.keys(Object.prototype)).toEqual(keys);
  });

  it('may have them for exchanges, alternates, dead letters, consumers and keys as well', async () => {
    const { broker, quiet } = await open();
    for (const [n, name] of NAMES.entries()) {
      const exchange = broker.exchange(`>${name}`.slice(0, 255), { alternate: name });
      const queue = broker.queue(name, { deadLetter: `<${name}`.slice(0, 255), ordering: 'key' });
      const consumer = queue.consume((message) => message.reject(), { name });
      expect(consumer.name).toBe(name);
      expect((await exchange.publish(name.slice(0, 255), n, { key: name })).destinations).toEqual([name]);
      await quiet();
      const dead = (await queue.deadLetters!.receive())!;
      expect(dead).toMatchObject({ body: n, key: name, deaths: [{ source: name }] });
    }
  });

  it('of a queue with a priority level never meets that of another', async () => {
    const { broker } = await open();
    const names = ['a', '0:a', '1:a', 'queue:0:a', 'a:0', '0', ':', ''].filter((name) => name !== '');
    const queues = names.map((name) => broker.queue(name, { priorities: 3 }));
    for (const queue of queues) {
      for (const priority of [0, 1, 2]) await queue.send(`${queue.name} ${priority}`, { priority });
    }
    for (const queue of queues) {
      const bodies: unknown[] = [];
      for (let n = 0; n < 3; n++) bodies.push((await queue.receive())!.body);
      expect(bodies).toEqual([`${queue.name} 2`, `${queue.name} 1`, `${queue.name} 0`]);
    }
  });
});
