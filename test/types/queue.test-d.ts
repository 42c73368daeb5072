/* oxlint-disable vitest/expect-expect, typescript/unbound-method -- what does not compile is the assertion, and verbs are taken out of messages to see that */
import { describe, expectTypeOf, test } from 'vitest';
import type {
  Broker,
  BrokerEvents,
  Consumer,
  ConsumerGroup,
  Delivery,
  Destination,
  Duration,
  Exchange,
  Message,
  MessageOptions,
  Queue,
  Receipt,
  SluiceError,
  StandardSchema,
  Topic,
} from '../../src/index.js';

interface Animal {
  readonly name: string;
}
interface Dog extends Animal {
  readonly barks: boolean;
}

declare const broker: Broker;
declare const animals: Queue<Animal>;
declare const dogs: Queue<Dog>;

describe('A queue', () => {
  test('has the type it is declared with; unknown without', async () => {
    expectTypeOf(broker.queue('q')).toEqualTypeOf<Queue<unknown>>();
    expectTypeOf(broker.queue<Dog>('q')).toEqualTypeOf<Queue<Dog, Dog>>();
    expectTypeOf(broker.queue<Dog>('q', { maxLength: 5 })).toEqualTypeOf<Queue<Dog>>();
    expectTypeOf(await dogs.receive()).toEqualTypeOf<Delivery<Dog> | undefined>();
    expectTypeOf(await dogs.peek()).toEqualTypeOf<Message<Dog>[]>();
    expectTypeOf(dogs.send({ name: 'Rex', barks: true })).toEqualTypeOf<Promise<Receipt>>();
    // @ts-expect-error: not every animal is a dog
    await dogs.send({ name: 'Tom' });
    // @ts-expect-error: in arrays neither
    await dogs.sendMany([{ body: { name: 'Tom' } }]);
    await dogs.sendMany([{ body: { name: 'Rex', barks: true }, delay: '5s', priority: 1 }]);
  });

  test('can be read as one of what its messages are, and written as one of less', () => {
    expectTypeOf<Queue<Dog, never>>().toExtend<Queue<Animal, never>>();
    expectTypeOf<Queue<Animal, Animal>>().toExtend<Queue<Animal, Dog>>();
    expectTypeOf<Queue<Dog>>().toExtend<Queue<unknown, Dog>>();
    expectTypeOf<Queue<Animal>>().not.toExtend<Queue<Dog>>();
    expectTypeOf<Queue<Dog>>().not.toExtend<Queue<Animal>>();
    expectTypeOf<Queue<Dog>>().toExtend<Queue<any, any>>();
    expectTypeOf<Queue<any, any>>().toExtend<Queue<Dog>>();
  });

  test('has dead letters of its own type, that nobody sends to', () => {
    expectTypeOf(dogs.deadLetters).toEqualTypeOf<Queue<Dog, never> | undefined>();
    // @ts-expect-error: they come by dying only
    void dogs.deadLetters?.send({ name: 'Rex', barks: true });
    void dogs.deadLetters?.redrive({ to: dogs, filter: ({ body }) => body.barks });
  });

  test('is an async iterable of deliveries', async () => {
    for await (const message of dogs) {
      expectTypeOf(message).toEqualTypeOf<Delivery<Dog>>();
      break;
    }
  });
});

describe('A schema', () => {
  const schema = {} as StandardSchema<{ at: string }, { at: Date }>;

  test('says what goes in and what comes out', async () => {
    const queue = broker.queue('q', { schema, maxLength: 5 });
    expectTypeOf(queue).toEqualTypeOf<Queue<{ at: Date }, { at: string }>>();
    await queue.send({ at: '2026-01-01' });
    // @ts-expect-error: what comes out does not go in
    await queue.send({ at: new Date() });
    queue.consume(({ body }) => expectTypeOf(body).toEqualTypeOf<{ at: Date }>());
    expectTypeOf(queue.deadLetters).toEqualTypeOf<Queue<{ at: Date }, never> | undefined>();
  });

  test('of an exchange binding counts with what goes in', () => {
    const queue = broker.queue('q', { schema });
    const exchange = broker.exchange<{ in: { at: string }; out: { at: Date } }>('x');
    exchange.bind(queue, 'in');
    // @ts-expect-error: a Date does not go in
    exchange.bind(queue, 'out');
  });

  test('of any library that follows the standard will do', () => {
    interface ZodLike<O, I> {
      readonly _zod: unknown;
      readonly '~standard': {
        readonly version: 1;
        readonly vendor: string;
        readonly validate: (value: unknown) => { value: O } | { issues: readonly { message: string }[] };
        readonly types?: { readonly input: I; readonly output: O } | undefined;
      };
    }
    const zod = {} as ZodLike<number, string>;
    expectTypeOf(broker.queue('q', { schema: zod })).toEqualTypeOf<Queue<number, string>>();
    // @ts-expect-error: a function is none
    broker.queue('q', { schema: (value: unknown) => value });
  });
});

describe('A handler', () => {
  test('gets what its consumer takes, and may return anything', () => {
    expectTypeOf(dogs.consume(() => undefined)).toEqualTypeOf<Consumer>();
    dogs.consume((message) => expectTypeOf(message).toEqualTypeOf<Delivery<Dog>>());
    dogs.consume(async ({ body }) => body.barks);
    dogs.consumeBatch((batch) => expectTypeOf(batch).toEqualTypeOf<readonly Delivery<Dog>[]>());
    const forAnimals = (message: Delivery<Animal>): string => message.body.name;
    dogs.consume(forAnimals);
    const forDogs = (message: Delivery<Dog>): boolean => message.body.barks;
    // @ts-expect-error: not every animal barks
    animals.consume(forDogs);
  });

  test('does not compile with options of the other kind, or misspelt', () => {
    // @ts-expect-error: batches only
    dogs.consume(() => undefined, { size: 5 });
    // @ts-expect-error: a typo
    dogs.consume(() => undefined, { concurency: 5 });
    dogs.consumeBatch(() => undefined, { size: 5, wait: '1s', concurrency: 2 });
  });
});

describe('The verbs of a delivery', () => {
  const message = {} as Delivery<Dog>;

  test('are methods, and say whether they did anything', () => {
    expectTypeOf(message.ack()).toEqualTypeOf<boolean>();
    expectTypeOf(message.nack({ delay: '5s', error: 'anything' })).toEqualTypeOf<boolean>();
    expectTypeOf(message.reject('because')).toEqualTypeOf<boolean>();
    expectTypeOf(message.requeue({ delay: 5 })).toEqualTypeOf<boolean>();
    expectTypeOf(message.extend('1m')).toEqualTypeOf<boolean>();
  });

  test('do not compile when they are taken out of it', () => {
    const { ack, nack, reject, requeue, extend } = message;
    // @ts-expect-error: it has lost its message
    ack();
    // @ts-expect-error: it has lost its message
    nack();
    // @ts-expect-error: it has lost its message
    reject();
    // @ts-expect-error: it has lost its message
    requeue();
    // @ts-expect-error: it has lost its message
    extend();
    dogs.consume(({ ack: destructured }) => {
      // @ts-expect-error: it has lost its message
      destructured();
    });
    expectTypeOf(message.ack.bind(message)).toBeCallableWith();
  });

  test('are not there for a message that nobody has in hand', async () => {
    const [looked] = await dogs.peek();
    // @ts-expect-error: it was only looked at
    looked!.ack();
  });

  test('leave what is known of a message read-only', () => {
    // @ts-expect-error: an id stays
    message.id = 'other';
    // @ts-expect-error: headers stay
    message.headers.a = 1;
  });
});

describe('Durations, headers and events', () => {
  test('a duration is milliseconds or a number with its unit', () => {
    for (const one of [5, '5ms', '1.5s', '10m', '2h', '7d'] as const) expectTypeOf(one).toExtend<Duration>();
    for (const one of ['5', '5 s', 'soon', '5w', ''] as const) expectTypeOf(one).not.toExtend<Duration>();
    expectTypeOf<string>().not.toExtend<Duration>();
  });

  test('headers are flat', () => {
    expectTypeOf<{ headers: { a: 1; b: 's'; c: true; d: null } }>().toExtend<MessageOptions>();
    expectTypeOf<{ headers: { a: undefined } }>().not.toExtend<MessageOptions>();
    expectTypeOf<{ headers: { a: Date } }>().not.toExtend<MessageOptions>();
  });

  test('every option may be undefined: what is computed can be handed on', () => {
    const maybe = undefined as string | undefined;
    void dogs.send({ name: 'Rex', barks: true }, { key: maybe, id: maybe, ttl: undefined, signal: undefined });
    broker.queue('q', { deadLetter: maybe, maxLength: undefined, schema: undefined });
    broker.exchange('x', { alternate: maybe, type: undefined });
  });

  test('a listener knows its event', () => {
    broker.on('deadLettered', (event) => expectTypeOf(event).toEqualTypeOf<BrokerEvents['deadLettered']>());
    broker.once('closed', ({ abandoned }) => expectTypeOf(abandoned[0]!.id).toEqualTypeOf<string>());
    expectTypeOf(broker.on('acked', () => undefined)).toEqualTypeOf<Broker>();
    // @ts-expect-error: there is no such event
    broker.on('finished', () => undefined);
  });

  test('a code can be asked for', () => {
    const error = {} as unknown as SluiceError;
    expectTypeOf(error).toExtend<Error>();
    // @ts-expect-error: there is no such code
    if (error.code === 'ERR_OOPS') return;
  });
});

describe('A destination', () => {
  test('is any handle that takes messages', () => {
    expectTypeOf<Queue<Dog>>().toExtend<Destination>();
    expectTypeOf<Exchange<{ a: Dog }>>().toExtend<Destination>();
    expectTypeOf<Exchange>().toExtend<Destination>();
    expectTypeOf<Topic<Dog>>().toExtend<Destination>();
    expectTypeOf<Topic<Dog, never>>().toExtend<Destination>();
    expectTypeOf<ConsumerGroup<Dog>>().not.toExtend<Destination>();
    expectTypeOf<string>().not.toExtend<Destination>();
    expectTypeOf<Broker>().not.toExtend<Destination>();
    broker.queue('q', { deadLetter: broker.exchange('graves') });
    broker.queue('q', { deadLetter: broker.topic('graves') });
    broker.queue('q', { deadLetter: false });
    broker.exchange('x', { alternate: animals }).bind(broker.topic('t'), '#');
    broker.exchange('x', { alternate: broker.topic('unrouted') });
    void dogs.deadLetters?.redrive({ to: broker.topic('t') });
    // @ts-expect-error: a consumer has a name, too, but takes no messages
    broker.queue('q', { deadLetter: {} as Consumer });
    // @ts-expect-error: true is no place
    broker.queue('q', { deadLetter: true });
  });
});
