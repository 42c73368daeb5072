import { afterEach, describe, expect, it } from 'vitest';
import { runInNewContext } from 'node:vm';
import {
  Broker,
  json,
  reference,
  SluiceError,
  structured,
  type Codec,
  type Headers,
  type MessageOptions,
  type QueueOptions,
  type StandardSchema,
} from '../../src/index.js';
import { balanced, onEachStorage, watch } from '../fixtures.js';
import { Trap } from './values.js';

const own = Object.getOwnPropertyNames(Object.prototype).join();

afterEach(() => {
  const polluted = 'polluted' in {} || Object.getOwnPropertyNames(Object.prototype).join() !== own;
  if (polluted) throw new Error('this test has polluted Object.prototype');
});

function trap(): never {
  throw new Trap('a getter was asked');
}

/** Gives its values in turn, and the last one from then on. */
function changing(name: string, ...values: readonly unknown[]): object {
  let reads = 0;
  return Object.defineProperty({}, name, { enumerable: true, get: () => values[Math.min(reads++, values.length - 1)] });
}

const circle: { self?: unknown } = {};
circle.self = circle;

/** Nested so deep that whoever recurses runs out of stack. */
function deep(levels = 200_000): unknown {
  let value: unknown = [];
  for (let n = 0; n < levels; n++) value = [value];
  return value;
}

type Body = readonly [what: string, body: () => unknown, refusedBy: readonly string[]];
const BODIES: readonly Body[] = [
  ['undefined', () => undefined, ['json']],
  ['a function', () => trap, ['json', 'structured']],
  ['a symbol', () => Symbol('s'), ['json', 'structured']],
  ['a bigint', () => 5n, ['json']],
  ['a bigint inside', () => ({ a: [5n] }), ['json']],
  ['a function inside', () => ({ a: [trap] }), ['structured']],
  ['a circle', () => circle, ['json']],
  [
    'a getter that throws',
    () => ({
      get a(): never {
        return trap();
      },
    }),
    ['json', 'structured'],
  ],
  ['a toJSON that throws', () => ({ toJSON: trap }), ['json', 'structured']],
  ['a Proxy that throws', () => new Proxy({}, { ownKeys: trap, get: trap }), ['json', 'structured']],
  ['an array nested 200,000 deep', () => deep(), ['json', 'structured']],
];

for (const codec of [json, structured, reference] satisfies Codec[]) {
  describe(`Bodies that ${codec.name} cannot hold`, () => {
    it.each(BODIES.filter(([, , refusedBy]) => refusedBy.includes(codec.name)))(
      'are refused with ERR_NOT_SERIALIZABLE, stored nowhere: %s',
      async (_, body) => {
        const broker = await Broker.open({ codec });
        const queue = broker.queue('q');
        const exchange = broker
          .exchange('x', { type: 'fanout' })
          .bind(queue)
          .bind(broker.queue('r', { priorities: 2 }));
        const before = JSON.stringify(broker.stats().queues);
        const refused = { code: 'ERR_NOT_SERIALIZABLE' };
        await expect(queue.send(body())).rejects.toMatchObject(refused);
        await expect(queue.send(body(), { headers: { a: 1 }, delay: 5 })).rejects.toMatchObject(refused);
        await expect(queue.sendMany([{ body: 1 }, { body: body() }])).rejects.toMatchObject(refused);
        await expect(exchange.publish('', body())).rejects.toMatchObject(refused);
        expect(JSON.stringify(broker.stats().queues)).toBe(before);
        await queue.send(1);
        await broker.close();
      },
    );

    it.each(BODIES.filter(([, , refusedBy]) => !refusedBy.includes(codec.name)))(
      'do not include %s',
      async (_, body) => {
        const broker = await Broker.open({ codec });
        await broker.queue('q').send(body());
        expect(await broker.queue('q').receive()).toBeDefined();
        await broker.close({ timeout: 0 });
      },
    );
  });
}

onEachStorage('An own __proto__', (open) => {
  const evil = '{"__proto__":{"polluted":true},"a":1}';

  it('in a body is plain data, and arrives as such', async () => {
    const { broker } = await open();
    const queue = broker.queue<object>('q');
    await queue.send(JSON.parse(evil) as object);
    const { body } = (await queue.receive())!;
    expect(Object.keys(body)).toEqual(['__proto__', 'a']);
    expect(Object.getPrototypeOf(body)).toBe(Object.prototype);
    expect((body as { polluted?: boolean }).polluted).toBeUndefined();
    expect(JSON.stringify(body)).toBe(evil);
  });

  it('in headers is a header, and arrives as such, again after a retry and a death', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue('q');
    const headers = JSON.parse('{"__proto__":"p","constructor":"c","toString":null}') as Headers;
    await queue.send(1, { headers });
    const first = (await queue.receive())!;
    expect(Object.entries(first.headers)).toEqual(Object.entries(headers));
    first.requeue();
    (await queue.receive())!.reject();
    await quiet();
    const dead = (await queue.deadLetters!.receive())!;
    expect(Object.entries(dead.headers)).toEqual(Object.entries(headers));
    expect(Object.getPrototypeOf(dead.headers)).toBe(Object.prototype);
  });

  it('in options is an unknown option, everywhere', async () => {
    const { broker } = await open();
    const queue = broker.queue('q');
    const exchange = broker.exchange('x');
    const options = JSON.parse('{"__proto__":{"durable":false}}') as object;
    expect(() => broker.queue('r', options)).toThrow('"__proto__"');
    expect(() => broker.exchange('y', options)).toThrow('"__proto__"');
    expect(() => broker.queue('r', { retry: options })).toThrow('"__proto__"');
    expect(() => queue.consume(() => undefined, options)).toThrow('"__proto__"');
    await expect(queue.send(1, options)).rejects.toThrow('"__proto__"');
    await expect(exchange.publish('a', 1, options)).rejects.toThrow('"__proto__"');
    await expect(queue.receive(options)).rejects.toThrow('"__proto__"');
    await expect(Broker.open(options)).rejects.toThrow('"__proto__"');
    expect(broker.stats().queues.map(({ name }) => name)).toEqual(['q']);
  });

  it('as an id or key is one like any other', async () => {
    const { broker } = await open();
    const queue = broker.queue('q', { ordering: 'key' });
    await queue.send(1, { id: '__proto__', key: '__proto__' });
    await queue.send(2, { id: 'constructor', key: 'constructor' });
    const [one, two] = [(await queue.receive())!, (await queue.receive())!];
    expect([one.id, one.key, two.id, two.key]).toEqual(['__proto__', '__proto__', 'constructor', 'constructor']);
  });
});

onEachStorage('Options with getters', (open) => {
  const NAMES = ['id', 'key', 'headers', 'priority', 'delay', 'deliverAt', 'ttl', 'persistent', 'signal', 'retry'];

  it.each(NAMES)('that throw are refused, and nothing is stored: %s', async (name) => {
    const { broker } = await open();
    const queue = broker.queue('q');
    const options = Object.defineProperty({}, name, { enumerable: true, get: trap }) as MessageOptions;
    const exchange = broker.exchange('x').bind(queue, '#');
    await expect(queue.send(1, options)).rejects.toThrow(Error);
    await expect(queue.sendMany([{ body: 1 }, Object.assign(options, { body: 1 })])).rejects.toThrow(Error);
    await expect(exchange.publish('a', 1, { headers: {}, ...Object.create(options) })).resolves.toBeDefined();
    expect(queue.stats().accepted).toBe(1);
  });

  it.each<[name: string, first: unknown, then: unknown]>([
    ['id', 'sound', undefined],
    ['id', 'sound', { not: 'a text' }],
    ['key', 'sound', 7],
    ['headers', { a: 1 }, { a: { b: 1 } }],
    ['headers', { a: 1 }, null],
    ['priority', 1, -5],
    ['priority', 1, 'high'],
    ['delay', 5, NaN],
    ['delay', 5, 'soon'],
    ['ttl', 5, -1],
    ['deliverAt', new Date(), 'now'],
    ['persistent', true, 'no'],
    ['retry', { attempts: 2 }, { attempts: 'many' }],
  ])('that change their mind harm nobody: %s', async (name, first, then) => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('q', { ordering: 'key' });
    const sent = [1, 2, 3, 4].map((reads) => {
      const values = Array.from({ length: reads }, () => first);
      return watch(queue.send('odd', changing(name, ...values, then) as MessageOptions));
    });
    await clock.advance('1s');
    expect(sent.filter(({ state }) => state === 'pending')).toEqual([]);
    await queue.send('sound', { key: 'k' });
    balanced(broker);
    for (let n = 0; n < 10; n++) {
      const message = await queue.receive();
      if (message === undefined) break;
      expect(typeof message.id).toBe('string');
      expect(Number.isNaN(message.timestamp.getTime())).toBe(false);
      message.ack();
    }
    expect(queue.stats()).toMatchObject({ ready: 0, unacked: 0 });
    await clock.advance('1s');
    balanced(broker);
  });

  it('of a declaration that throw declare nothing', async () => {
    const { broker } = await open();
    for (const name of ['durable', 'maxLength', 'retry', 'schema', 'deadLetter', 'ttl']) {
      const options = Object.defineProperty({}, name, { enumerable: true, get: trap }) as QueueOptions;
      expect(() => broker.queue('q', options)).toThrow(Trap);
    }
    expect(broker.stats().queues).toEqual([]);
  });
});

onEachStorage('sendMany()', (open) => {
  it('refuses an array with a hole, and stores nothing', async () => {
    const { broker } = await open();
    const queue = broker.queue('q');
    const holed: { body: number }[] = [];
    holed[1] = { body: 1 };
    await expect(queue.sendMany(holed)).rejects.toThrow('sendMany()[0]');
    expect(queue.stats().accepted).toBe(0);
  });

  it('takes none at all', async () => {
    const { broker } = await open();
    expect(await broker.queue('q').sendMany([])).toEqual([]);
  });

  it('stores nothing where one of many is wrong, and says which', async () => {
    const { broker } = await open();
    const queue = broker.queue('q');
    const many = Array.from({ length: 100 }, (_, body) => ({ body }));
    const wrong = many.with(71, { body: 71, priority: -1 } as { body: number });
    await expect(queue.sendMany(wrong)).rejects.toThrow('sendMany()[71].priority');
    await expect(queue.sendMany(many.with(3, { body: 5n as unknown as number }))).rejects.toMatchObject({
      code: 'ERR_NOT_SERIALIZABLE',
    });
    expect(queue.stats()).toMatchObject({ accepted: 0, bytes: 0 });
  });
});

onEachStorage('Texts of any kind', (open) => {
  const TEXTS = [
    '',
    '\0',
    '\ud800',
    '\udc00\ud800',
    '💥',
    'x'.repeat(100_000),
    '</script>',
    '"',
    '\\',
    '\u2028',
    'é',
    'e\u0301',
  ];

  it('come through as bodies, headers and in deaths as they are', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('q');
    for (const text of TEXTS) {
      await queue.send(text, { headers: { [text]: text }, key: text.slice(0, 1000) });
      const message = (await queue.receive())!;
      expect(message).toMatchObject({ body: text, headers: { [text]: text }, key: text.slice(0, 1000) });
      message.reject(text);
      await quiet();
      const dead = (await queue.deadLetters!.receive())!;
      expect(dead).toMatchObject({ body: text, headers: { [text]: text } });
      expect(dead.deaths[0]!.error!.message).toBe(text);
    }
  });
});

onEachStorage('What comes from another realm', (open) => {
  it('is taken as if it were from this one: options, dates, headers, arrays, bytes', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue('q');
    const foreign = runInNewContext(`({
      options: { headers: { a: 1 }, key: 'k', deliverAt: new Date(${clock.now() + 10}) },
      many: [{ body: 1 }, { body: 2 }],
      bytes: Uint8Array.of(1, 2, 3),
      match: { headers: { a: 1 } },
      error: new TypeError('foreign'),
    })`) as {
      options: MessageOptions;
      many: { body: number }[];
      bytes: Uint8Array;
      match: { headers: Headers };
      error: Error;
    };
    await queue.send('late', foreign.options);
    await queue.sendMany(foreign.many);
    await queue.send(foreign.bytes);
    broker.exchange('x', { type: 'headers' }).bind(queue, foreign.match);
    await clock.advance(10);
    const bodies: unknown[] = [];
    for (let n = 0; n < 4; n++) bodies.push((await queue.receive())!.body);
    expect(bodies).toEqual(['late', 1, 2, Uint8Array.of(1, 2, 3)]);
    await queue.send(1);
    (await queue.receive())!.nack({ error: foreign.error, delay: 0 });
  });
});

onEachStorage('A schema that is broken', (open) => {
  const schemaOf = (validate: (value: unknown) => unknown): StandardSchema => ({
    '~standard': { version: 1, vendor: 'test', validate },
  });

  it.each<[string, (value: unknown) => unknown]>([
    ['throws', trap],
    ['returns nothing', () => undefined],
    ['returns null', () => null],
    ['returns a promise', () => Promise.resolve({ value: 1 })],
    ['returns a promise that rejects', () => Promise.reject(new Error('later'))],
  ])('since it %s: send() rejects, and stores nothing', async (_, validate) => {
    const { broker } = await open();
    const queue = broker.queue('q', { schema: schemaOf(validate) });
    await expect(queue.send(1)).rejects.toThrow(Error);
    await expect(queue.sendMany([{ body: 1 }])).rejects.toThrow(Error);
    expect(queue.stats().accepted).toBe(0);
  });

  it.each([5, 'valid', true, undefined, null])('and returns %s: the error names the queue', async (result) => {
    const { broker } = await open();
    const queue = broker.queue('q', { schema: schemaOf(() => result) });
    await expect(queue.send(1)).rejects.toThrow('"q"');
    expect(queue.stats().accepted).toBe(0);
  });

  it('only when a message is delivered: it is dead-lettered as invalid, and the next one is fine', async () => {
    const { broker, quiet } = await open();
    let broken = false;
    const queue = broker.queue('q', {
      schema: schemaOf((value) => {
        if (broken && value === 'bad') return trap();
        return { value };
      }),
    });
    await queue.send('bad');
    await queue.send('good');
    broken = true;
    expect((await queue.receive())!.body).toBe('good');
    await quiet();
    expect((await queue.deadLetters!.peek())[0]!.deaths).toMatchObject([{ reason: 'invalid' }]);
  });
});

describe('Errors', () => {
  it('are one class with stable codes, that is known across copies of the package', () => {
    const error = new SluiceError('ERR_CLOSED', 'x', { details: { a: 1 }, cause: 'c' });
    expect([SluiceError.is(error), SluiceError.is(error, 'ERR_CLOSED'), SluiceError.is(error, 'ERR_TIMEOUT')]).toEqual([
      true,
      true,
      false,
    ]);
    for (const other of [undefined, null, 5, 'ERR_CLOSED', new Error('ERR_CLOSED'), { code: 'ERR_CLOSED' }]) {
      expect(SluiceError.is(other)).toBe(false);
    }
    expect([error.name, error.cause, error.details]).toEqual(['SluiceError', 'c', { a: 1 }]);
  });
});
