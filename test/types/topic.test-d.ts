/* oxlint-disable vitest/expect-expect, typescript/unbound-method -- what does not compile is the assertion, and verbs are taken out of messages to see that */
import { describe, expectTypeOf, test } from 'vitest';
import type {
  Broker,
  BrokerEvents,
  Consumer,
  ConsumerGroup,
  Delivery,
  GroupStats,
  Located,
  Message,
  Queue,
  Receipt,
  Source,
  StandardSchema,
  Topic,
  TopicMessageOptions,
  TopicStats,
} from '../../src/index.js';

interface Animal {
  readonly name: string;
}
interface Dog extends Animal {
  readonly barks: boolean;
}
type TopicReceipt = Receipt & Located;

declare const broker: Broker;
declare const dogs: Topic<Dog>;
declare const walks: ConsumerGroup<Dog>;

describe('A topic', () => {
  test('has the type it is declared with; unknown without', async () => {
    expectTypeOf(broker.topic('t')).toEqualTypeOf<Topic<unknown>>();
    expectTypeOf(broker.topic<Dog>('t')).toEqualTypeOf<Topic<Dog, Dog>>();
    expectTypeOf(broker.topic<Dog>('t', { partitions: 8, retention: { time: '1d' } })).toEqualTypeOf<Topic<Dog>>();
    expectTypeOf(dogs.name).toEqualTypeOf<string>();
    expectTypeOf(dogs.partitions).toEqualTypeOf<number>();
    expectTypeOf(dogs.stats()).toEqualTypeOf<TopicStats>();
    expectTypeOf(await dogs.publish({ name: 'Rex', barks: true })).toExtend<TopicReceipt>();
    // @ts-expect-error: not every animal is a dog
    await dogs.publish({ name: 'Tom' });
    // @ts-expect-error: in arrays neither
    await dogs.publishMany([{ body: { name: 'Tom' } }]);
    const receipts = await dogs.publishMany([{ body: { name: 'Rex', barks: true }, key: 'Rex', partition: 1 }]);
    expectTypeOf(receipts[0]!.offset).toEqualTypeOf<number>();
  });

  test('can be read as one of what its messages are, and written as one of less', () => {
    expectTypeOf<Topic<Dog, never>>().toExtend<Topic<Animal, never>>();
    expectTypeOf<Topic<Animal, Animal>>().toExtend<Topic<Animal, Dog>>();
    expectTypeOf<Topic<Dog>>().toExtend<Topic<unknown, Dog>>();
    expectTypeOf<Topic<Animal>>().not.toExtend<Topic<Dog>>();
    expectTypeOf<Topic<Dog>>().not.toExtend<Topic<Animal>>();
    expectTypeOf<Topic<Dog>>().toExtend<Topic<any, any>>();
    expectTypeOf<Topic<any, any>>().toExtend<Topic<Dog>>();
    expectTypeOf<Topic<Dog>>().not.toExtend<Queue<Dog>>();
    expectTypeOf<Queue<Dog>>().not.toExtend<Topic<Dog>>();
  });

  test('with a schema takes what goes in, and gives what comes out', async () => {
    const schema = {} as StandardSchema<{ at: string }, { at: Date }>;
    const topic = broker.topic('t', { schema, partitions: 2 });
    expectTypeOf(topic).toEqualTypeOf<Topic<{ at: Date }, { at: string }>>();
    await topic.publish({ at: '2026-01-01' });
    // @ts-expect-error: what comes out does not go in
    await topic.publish({ at: new Date() });
    topic.group('g').consume(({ body }) => expectTypeOf(body).toEqualTypeOf<{ at: Date }>());
    for await (const { body } of topic.read()) expectTypeOf(body).toEqualTypeOf<{ at: Date }>();
    // @ts-expect-error: a function is none
    broker.topic('t', { schema: (value: unknown) => value });
  });

  test('keeps what it is given, in order: no delay, ttl or priority', async () => {
    const rex = { name: 'Rex', barks: true };
    await dogs.publish(rex, { id: 'a', key: 'k', headers: { a: 1 }, persistent: false, partition: 0 });
    // @ts-expect-error: no delay
    await dogs.publish(rex, { delay: '5s' });
    // @ts-expect-error: no ttl
    await dogs.publish(rex, { ttl: '5s' });
    // @ts-expect-error: no priority
    await dogs.publishMany([{ body: rex, priority: 1 }]);
    expectTypeOf<keyof TopicMessageOptions>().toEqualTypeOf<
      'id' | 'key' | 'headers' | 'persistent' | 'signal' | 'partition'
    >();
  });

  test('is no source: messages are taken from its groups', () => {
    // @ts-expect-error: which group?
    dogs.consume(() => undefined);
    // @ts-expect-error: nothing is settled in a topic
    void dogs.receive();
  });

  test('is read without a group: messages, and where they are, but no verbs', async () => {
    expectTypeOf(dogs.read()).toEqualTypeOf<AsyncIterableIterator<Message<Dog> & Located>>();
    dogs.read({ from: 'latest', partition: 0, follow: false, signal: AbortSignal.timeout(5) });
    dogs.read({ from: new Date() });
    dogs.read({ from: 17, partition: 3 });
    for await (const message of dogs.read({ from: 'earliest' })) {
      expectTypeOf(message.offset).toEqualTypeOf<number>();
      // @ts-expect-error: it was only looked at
      message.ack();
    }
    // @ts-expect-error: there is no such place
    dogs.read({ from: 'middle' });
  });
});

describe('A consumer group', () => {
  test('has the type of its topic', async () => {
    expectTypeOf(dogs.group('g')).toEqualTypeOf<ConsumerGroup<Dog>>();
    expectTypeOf(dogs.group('g', { ordering: 'key', assignor: 'range', from: 5 })).toEqualTypeOf<ConsumerGroup<Dog>>();
    expectTypeOf(walks).toExtend<Source<Delivery<Dog> & Located>>();
    expectTypeOf(await walks.receive()).toEqualTypeOf<(Delivery<Dog> & Located) | undefined>();
    expectTypeOf(walks.stats()).toEqualTypeOf<GroupStats>();
  });

  test('knows its topic, which nobody publishes to through it', () => {
    expectTypeOf(walks.topic).toEqualTypeOf<Topic<Dog, never>>();
    expectTypeOf(walks.topic.partitions).toEqualTypeOf<number>();
    // @ts-expect-error: it is there to be read
    void walks.topic.publish({ name: 'Rex', barks: true });
    expectTypeOf(walks.topic.group('other')).toEqualTypeOf<ConsumerGroup<Dog>>();
  });

  test('can be read as one of what its messages are', () => {
    expectTypeOf<ConsumerGroup<Dog>>().toExtend<ConsumerGroup<Animal>>();
    expectTypeOf<ConsumerGroup<Animal>>().not.toExtend<ConsumerGroup<Dog>>();
    expectTypeOf<ConsumerGroup<Dog>>().toExtend<ConsumerGroup>();
  });

  test('delivers messages, and where they are', () => {
    const consumer = dogs.group('g').consume((delivery) => {
      expectTypeOf(delivery).toEqualTypeOf<Delivery<Dog> & Located>();
      return delivery.partition;
    });
    expectTypeOf(consumer).toEqualTypeOf<Consumer>();
    walks.consume(({ body, partition, offset }) => `${partition}/${offset} ${body.name}`, { concurrency: 5 });
    walks.consumeBatch((batch) => expectTypeOf(batch).toEqualTypeOf<readonly (Delivery<Dog> & Located)[]>());
    const forAnimals = (message: Delivery<Animal>): string => message.body.name;
    walks.consume(forAnimals);
    walks.consume(({ ack }) => {
      // @ts-expect-error: it has lost its message
      ack();
    });
    // @ts-expect-error: its offset stays
    walks.consume((delivery) => (delivery.offset = 5));
  });

  test('has positions', async () => {
    for (const { partition, committed, end, lag, member } of walks.offsets()) {
      expectTypeOf([partition, committed, end, lag]).toEqualTypeOf<number[]>();
      expectTypeOf(member).toEqualTypeOf<string | undefined>();
    }
    for (const position of ['earliest', 'latest', new Date()] as const) await walks.seek(position);
    await walks.seek(17, 3);
    // @ts-expect-error: there is no such place
    await walks.seek('beginning');
    expectTypeOf(walks.delete()).toEqualTypeOf<Promise<void>>();
  });

  test('has dead letters of its own type, that nobody sends to', () => {
    expectTypeOf(walks.deadLetters).toEqualTypeOf<Queue<Dog, never> | undefined>();
    // @ts-expect-error: they come by dying only
    void walks.deadLetters?.send({ name: 'Rex', barks: true });
    dogs.group('g', { deadLetter: broker.queue('graves') });
    dogs.group('g', { deadLetter: broker.topic('graves') });
    dogs.group('g', { deadLetter: false });
    // @ts-expect-error: there is no such order
    dogs.group('g', { ordering: 'priority' });
  });

  test('tells who has which partitions', () => {
    broker.on('rebalanced', ({ topic, group, assignment }) => {
      expectTypeOf([topic, group]).toEqualTypeOf<string[]>();
      expectTypeOf(assignment['a']).toEqualTypeOf<readonly number[] | undefined>();
    });
    expectTypeOf<'GROUP_OVERTAKEN'>().toExtend<BrokerEvents['warning']['code']>();
  });
});
