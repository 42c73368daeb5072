import { expect, it } from 'vitest';
import type { ConsumerGroupOptions, TopicOptions } from '../../src/index.js';
import { onEachStorage, schemaOf } from '../fixtures.js';

const MISMATCH = { code: 'ERR_DECLARATION_MISMATCH' };

onEachStorage('Declaring a topic', (open) => {
  it.each<[TopicOptions, TopicOptions, string]>([
    [{ partitions: 4 }, { partitions: 3 }, 'topic "t" has 4 partitions, and cannot have fewer; got 3'],
    [{ partitions: 4 }, { durable: false }, 'topic "t" is declared with durable true; got false'],
    [{ retention: { messages: 5 } }, { retention: {} }, 'topic "t" is declared with retention { messages: 5 }; got {}'],
    [{ partitions: 4 }, { retention: { time: '8d' } }, "with retention { time: '7d' }; got { time: '8d' }"],
    [
      { retention: { messages: 5 } },
      { retention: { messages: 5, consumed: true } },
      'got { messages: 5, consumed: true }',
    ],
  ])('with %j, and then with %j, is a mismatch, which says what it is', async (first, second, message) => {
    const { broker } = await open();
    broker.topic('t', first);
    expect(() => broker.topic('t', second)).toThrow(
      expect.objectContaining({ ...MISMATCH, message: expect.stringContaining(message) }),
    );
  });

  it.each<[TopicOptions, TopicOptions]>([
    [{ partitions: 4 }, { durable: true }],
    [{ partitions: 4 }, { retention: { time: 7 * 86_400_000 } }],
    [{ retention: { messages: 5 } }, { retention: { messages: 5, bytes: undefined } }],
    [{ retention: { messages: 5, time: '1m' } }, { retention: { time: '60s', messages: 5 } }],
    [{ retention: undefined }, { retention: { time: '7d' } }],
    [{ schema: schemaOf((value) => value) }, { schema: schemaOf((value) => value) }],
  ])('with %j, and then with %j, says the same', async (first, second) => {
    const { broker } = await open();
    const topic = broker.topic('t', first);
    expect(broker.topic('t', second)).toBe(topic);
  });

  it('does not see what the caller changes in its options later', async () => {
    const { broker, quiet } = await open();
    const options = { durable: true, retention: { messages: 2 } };
    const topic = broker.topic<number>('t', options);
    options.durable = false;
    options.retention.messages = 5;
    broker.topic('t', { partitions: 2 });
    for (let body = 0; body < 4; body++) await topic.publish(body, { partition: 0 });
    await quiet();
    expect(topic.stats().partitions[0]).toMatchObject({ first: 2, next: 4 });
    expect(broker.topic('t', { durable: true, retention: { messages: 2 } })).toBe(topic);
  });
});

onEachStorage('Declaring a group', (open) => {
  it.each<[ConsumerGroupOptions, ConsumerGroupOptions, string]>([
    [{ ordering: 'key' }, { ordering: 'none' }, 'group "g" of topic "t" is declared with ordering "key"; got "none"'],
    [{ ordering: 'key' }, { assignor: 'range' }, 'assignor "sticky"; got "range"'],
    [{ from: 'latest' }, { from: 'earliest' }, 'from "latest"; got "earliest"'],
    [{ from: new Date(0) }, { from: new Date(1) }, 'from 1970-01-01T00:00:00.000Z; got 1970-01-01T00:00:00.001Z'],
    [{ retry: { attempts: 3 } }, { retry: { attempts: 4 } }, 'retry is declared with attempts 3; got 4'],
    [{ ordering: 'key' }, { deadLetter: 'x' }, 'deadLetter "t.g.dlq"; got "x"'],
    [{ ordering: 'key' }, { ackTimeout: '31m' }, 'ackTimeout 1800000; got "31m"'],
  ])('with %j, and then with %j, is a mismatch, which says what it is', async (first, second, message) => {
    const { broker } = await open();
    const topic = broker.topic('t');
    topic.group('g', first);
    expect(() => topic.group('g', second)).toThrow(
      expect.objectContaining({ ...MISMATCH, message: expect.stringContaining(message) }),
    );
  });

  it.each<[ConsumerGroupOptions, ConsumerGroupOptions]>([
    [{ ordering: 'key' }, { from: 'earliest', assignor: 'sticky', deadLetter: 't.g.dlq' }],
    [
      { ordering: undefined, retry: { attempts: undefined }, deadLetter: undefined },
      { ordering: 'partition', retry: { attempts: 5 }, deadLetter: 't.g.dlq' },
    ],
    [{ from: new Date(5) }, { from: new Date(5) }],
    [{ ackTimeout: '1m' }, { ackTimeout: 60_000, ordering: undefined }],
  ])('with %j, and then with %j, says the same', async (first, second) => {
    const { broker } = await open();
    const topic = broker.topic('t');
    const group = topic.group('g', first);
    expect(topic.group('g', second)).toBe(group);
  });
});
