import { describe, expect, it } from 'vitest';
import { until } from '../fixtures.js';
import { Broker, fixed, type BrokerOptions, type ConsumerGroup } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { MACHINES } from '../broker/machines.js';

describe.each(MACHINES)('What comes back of topics and groups · $name', ({ start }) => {
  const lives = (seed = 1) => {
    const clock = new ManualClock();
    const machine = start(seed);
    const open = (options: BrokerOptions = {}) => Broker.open({ storage: machine.storage(), clock, ...options });
    return { clock, machine, open };
  };

  const take = async (group: ConsumerGroup<number>) => (await group.receive({ wait: 60_000 }))!;

  it('are partitions, messages and committed offsets', async () => {
    const { open } = lives();
    const before = await open();
    const topic = before.topic<number>('readings', { partitions: 3, retention: { bytes: 1000 } });
    const group = topic.group('a', { ordering: 'key' });
    for (let body = 0; body < 6; body++) await topic.publish(body, { partition: body % 3 });
    const left = new Set([0, 1, 2, 3, 4, 5]);
    for (let n = 0; n < 4; n++) {
      const delivery = await take(group);
      delivery.ack();
      left.delete(delivery.body);
    }
    const offsets = group.offsets().map(({ committed }) => committed);
    const { partitions } = topic.stats();
    await before.close();

    const after = await open();
    expect(after.stats().topics).toMatchObject([{ name: 'readings', partitions, groups: [{ name: 'a', lag: 2 }] }]);
    const again = after.topic<number>('readings');
    expect(again.partitions).toBe(3);
    expect(
      again
        .group('a')
        .offsets()
        .map(({ committed }) => committed),
    ).toEqual(offsets);
    const rest = [(await take(again.group('a'))).body, (await take(again.group('a'))).body];
    expect(new Set(rest)).toEqual(left);
    expect(() => after.topic('readings', { partitions: 2 })).toThrow(/cannot have fewer/);
    await after.close();
  });

  it('is what was settled out of order, and what fails', async () => {
    const { clock, machine, open } = lives(3);
    const before = await open();
    const topic = before.topic<number>('readings');
    const group = topic.group('a', { ordering: 'none', retry: { backoff: fixed(500) } });
    for (let body = 0; body < 5; body++) await topic.publish(body);
    const held = [];
    for (let n = 0; n < 5; n++) held.push(await take(group));
    held[1]!.ack();
    held[3]!.ack();
    held[2]!.nack();
    await before.flush();
    await machine.kill();
    void before.on('error', () => undefined).close({ timeout: 0 });

    const after = await open();
    const again = after.topic<number>('readings').group('a', { ordering: 'none', retry: { backoff: fixed(500) } });
    expect(again.offsets()).toMatchObject([{ committed: 0, end: 5, lag: 5 }]);
    // What was in hand when the process ended has failed once, like what was given back before; what was settled stays settled.
    expect(await again.receive()).toBeUndefined();
    await clock.advance(500);
    for (const body of [0, 2, 4]) {
      const delivery = await take(again);
      expect(delivery).toMatchObject({ body, attempt: 2, deliveries: 2 });
      delivery.ack();
    }
    expect(again.offsets()).toMatchObject([{ committed: 5, lag: 0 }]);
    await after.close();
  });

  it('is where a group was moved to, and what was given back to it from its dead letters', async () => {
    const { machine, open } = lives(4);
    const before = await open();
    const topic = before.topic<number>('readings');
    const group = topic.group('a');
    for (let body = 0; body < 5; body++) await topic.publish(body);
    (await take(group)).reject();
    (await take(group)).ack();
    expect(await group.deadLetters!.redrive()).toBe(1);
    await topic.group('b').seek(3, 0);
    await before.flush();
    await machine.kill();
    void before.on('error', () => undefined).close({ timeout: 0 });

    const after = await open();
    const again = after.topic<number>('readings');
    expect(await take(again.group('b'))).toMatchObject({ body: 3, offset: 3 });
    const first = await take(again.group('a'));
    expect(first).toMatchObject({ body: 0, offset: 0, attempt: 1 });
    first.ack();
    expect(await take(again.group('a'))).toMatchObject({ body: 2, offset: 2 });
    expect(after.queue('readings.a.dlq').stats()).toMatchObject({ ready: 0 });
    await after.close();
  });

  it('is where a group went back to, having settled what follows', async () => {
    const { open } = lives(8);
    const before = await open();
    const topic = before.topic<number>('readings');
    const group = topic.group('a');
    for (let body = 0; body < 5; body++) await topic.publish(body);
    for (let n = 0; n < 5; n++) (await take(group)).ack();
    await before.flush();
    await group.seek('earliest');
    (await take(group)).ack();
    await before.close();

    const after = await open();
    const again = after.topic<number>('readings').group('a');
    expect(again.offsets()).toMatchObject([{ committed: 1, end: 5, lag: 4 }]);
    expect((await take(again)).body).toBe(1);
    await after.close();
  });

  it('is nothing of what was deleted, nor of what was not to last', async () => {
    const { open } = lives(5);
    const before = await open();
    const topic = before.topic<number>('readings');
    await topic.publish(1);
    (await take(topic.group('gone'))).ack();
    await new Promise((resolve) => setImmediate(resolve));
    await topic.group('gone').delete();
    await before.topic('deleted').publish(1);
    before.topic('deleted').group('x');
    await before.delete('deleted');
    await before.topic('volatile', { durable: false }).publish(1);
    await topic.publish(2, { persistent: false });
    await topic.publish(3);
    before.exchange('events').bind(topic, '#');
    await before.close();

    const after = await open();
    expect(after.stats().topics).toMatchObject([{ name: 'readings', groups: [] }]);
    const seen = [];
    for await (const { body } of after.topic<number>('readings').read({ follow: false })) seen.push(body);
    expect(seen).toEqual([1, 3]);
    const group = after.topic<number>('readings').group('gone');
    expect([(await take(group)).body]).toEqual([1]);
    expect(await after.exchange('events').publish('x', 4)).toMatchObject({ destinations: ['readings'] });
    await after.close();
  });

  it('is nothing of the sums of a topic that was deleted, where another has its name', async () => {
    const { open } = lives(7);
    const before = await open();
    const topic = before.topic<number>('readings');
    // So many that the sums are about to be written down when it is deleted.
    await topic.publishMany(Array.from({ length: 1024 }, () => ({ body: 1_000_000 })));
    await before.delete('readings');
    await before.topic<number>('readings', { retention: { bytes: 5 } }).publishMany([{ body: 1 }, { body: 2 }]);
    await before.close();

    const after = await open();
    expect(after.stats().topics).toMatchObject([{ partitions: [{ first: 0, next: 2, bytes: 2 }] }]);
    await after.close();
  });

  it('is what a trim left: bytes are right, and what it dropped stays dropped', async () => {
    const { open } = lives(6);
    const before = await open();
    const topic = before.topic<number>('readings', { retention: { messages: 3 } });
    for (let body = 10; body < 20; body++) await topic.publish(body);
    await before.flush();
    await before.close();

    const after = await open();
    // What the first run did not come to goes when somebody can have begun to listen.
    await until(() => after.stats().topics[0]!.partitions[0]!.first === 7);
    expect(after.stats().topics).toMatchObject([{ partitions: [{ first: 7, next: 10, bytes: 6 }] }]);
    await after.close();
  });
});
