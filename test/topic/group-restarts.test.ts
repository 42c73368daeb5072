import { describe, expect, it } from 'vitest';
import {
  Broker,
  fixed,
  type BrokerEvents,
  type ConsumerGroupOptions,
  type Delivery,
  type TopicOptions,
} from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { MACHINES, type Machine } from '../broker/machines.js';

describe.each(MACHINES)('After a restart on $name, a group', ({ start }) => {
  it('that was declared with options goes on where it was', async () => {
    const runs = new Runs(start(1));
    await runs.begin({}, { ordering: 'none' });
    await runs.publish(3);
    (await runs.take())!.ack();
    await runs.end();
    await runs.begin({}, { ordering: 'none' });
    expect(runs.group.offsets()[0]).toMatchObject({ committed: 1, end: 3 });
    expect(runs.group.stats()).toMatchObject({ delivered: 1, acked: 1 });
    await runs.end();
  });

  it('is where it was moved back to', async () => {
    const runs = new Runs(start(2));
    await runs.begin();
    await runs.publish(3);
    for (let n = 0; n < 3; n++) (await runs.take())!.ack();
    await runs.end();
    await runs.begin();
    await runs.group.seek(1, 0);
    await runs.end();
    await runs.begin();
    expect(runs.group.offsets()[0]).toMatchObject({ committed: 1, end: 3 });
    expect(await runs.take()).toMatchObject({ body: 1 });
    await runs.end();
  });

  it.each(['close', 'kill'] as const)(
    'begins at its date where a %s came before that was looked up',
    async (ending) => {
      const runs = new Runs(start(14));
      await runs.begin();
      await runs.publish(3);
      await runs.clock.advance(1000);
      const from = new Date(runs.clock.now());
      await runs.publish(2);
      const errors: Error[] = [];
      runs.broker.on('error', ({ error }) => errors.push(error));
      // What is declared is on its way before the date is found.
      runs.topic.group('late', { from });
      const flushed = runs.broker.flush();
      if (ending === 'kill') {
        await flushed;
        await runs.machine.kill();
      }
      await runs.end();
      // Who is killed may say what he likes.
      expect(ending === 'close' ? errors : []).toEqual([]);
      await runs.begin();
      await runs.settled();
      expect(runs.topic.group('late', { from }).offsets()[0]).toMatchObject({ committed: 3, end: 5 });
      await runs.end();
    },
  );

  it('that was deleted has left nothing behind', async () => {
    const runs = new Runs(start(3));
    await runs.begin();
    await runs.publish(2);
    const held: Delivery[] = [];
    const consumer = runs.group.consume((delivery) => held.push(delivery), { ack: 'manual' });
    await runs.settled();
    held[0]!.ack();
    void consumer.close();
    await runs.group.delete();
    await runs.end();
    expect(await runs.logs()).not.toContainEqual(expect.stringMatching(/^group:/));
  });

  it('does not get what was not to outlive its run, although it failed before', async () => {
    const runs = new Runs(start(4));
    await runs.begin({}, { ordering: 'key' });
    await runs.topic.publish('passing', { key: 'a', persistent: false });
    await runs.topic.publish('lasting', { key: 'a' });
    (await runs.take())!.requeue();
    await runs.end();
    await runs.begin({}, { ordering: 'key' });
    expect(await runs.take()).toMatchObject({ body: 'lasting' });
    await runs.end();
  });

  it('counts a death that was on its way while the group was moved once', async () => {
    const runs = new Runs(start(5));
    await runs.begin();
    await runs.publish(1);
    (await runs.take())!.reject();
    await runs.group.seek('earliest');
    (await runs.take())!.ack();
    await runs.end();
    await runs.begin();
    expect(runs.group.stats()).toMatchObject({ deadLettered: 1, acked: 1 });
    await runs.end();
  });

  it('does not get a redriven message again that died again', async () => {
    const runs = new Runs(start(6));
    await runs.begin();
    await runs.publish(1);
    (await runs.take())!.reject();
    await runs.settled();
    await runs.group.deadLetters!.redrive();
    const again = (await runs.take())!;
    again.reject();
    // Everything is written down anew while it is on its way.
    await runs.group.seek('latest', 1);
    await runs.end();
    await runs.begin();
    expect(await runs.take()).toBeUndefined();
    expect(runs.group.deadLetters!.stats()).toMatchObject({ ready: 1 });
    await runs.end();
  });

  it('answers who waits for a read when it is moved', async () => {
    const runs = new Runs(start(10));
    await runs.begin();
    await runs.publish(3);
    await runs.end();
    await runs.begin();
    const answer = runs.group.receive();
    await runs.group.seek('latest');
    await runs.settled();
    expect(await Promise.race([answer, Promise.resolve('nobody')])).toBeUndefined();
    await runs.end();
  });

  it('does not look for what is not there any more, was not to outlive its run, and failed in it', async () => {
    const runs = new Runs(start(9));
    const retention = { messages: 2 };
    await runs.begin({ retention });
    await runs.topic.publish('passing', { partition: 0, persistent: false });
    (await runs.take())!.requeue();
    await runs.end();
    await runs.begin({ retention });
    // Written down anew with the first settled, before anybody comes to it.
    await runs.topic.publish('other', { partition: 1 });
    (await runs.take())!.ack();
    await runs.publish(1);
    (await runs.take())!.ack();
    await runs.publish(1);
    await runs.end();
    await runs.begin({ retention });
    const errors: unknown[] = [];
    runs.broker.on('error', ({ error }: BrokerEvents['error']) => errors.push(error));
    expect(await runs.take()).toMatchObject({ partition: 0, offset: 2 });
    expect(errors).toEqual([]);
    await runs.end();
  });

  it('gets what was redriven, and waited for its key', async () => {
    const runs = new Runs(start(12));
    const options = { ordering: 'key', retry: { attempts: 2, backoff: fixed('1h') } } as const;
    await runs.begin({}, options);
    for (const body of [0, 1]) await runs.topic.publish(body, { partition: 0, key: 'a' });
    (await runs.take())!.reject();
    await runs.settled();
    (await runs.take())!.nack();
    await runs.group.deadLetters!.redrive();
    expect(await runs.take()).toBeUndefined();
    // Everything is written down anew.
    await runs.group.seek('latest', 1);
    await runs.end();
    await runs.begin({}, options);
    await runs.clock.advance('1h');
    for (const body of [1, 0]) {
      const next = await runs.take();
      expect(next).toMatchObject({ body });
      next!.ack();
    }
    await runs.end();
  });

  it('is told what it missed while nothing ran', async () => {
    const runs = new Runs(start(7));
    await runs.begin({ retention: { time: 100 } });
    await runs.publish(3);
    (await runs.take())!.ack();
    await runs.end();
    await runs.clock.advance(100);
    await runs.begin({ retention: { time: 100 } });
    const missed: unknown[] = [];
    runs.broker.on('warning', ({ code, details }: BrokerEvents['warning']) => missed.push([code, details['missed']]));
    await runs.settled();
    expect(missed).toEqual([['GROUP_OVERTAKEN', 2]]);
    await runs.end();
  });

  it('is told what it missed when it had something in hand that kept the rest', async () => {
    const runs = new Runs(start(8));
    await runs.begin({ partitions: 1, retention: { messages: 1 } });
    await runs.publish(1);
    await runs.take();
    await runs.publish(1);
    await runs.end();
    // Whoever listens does so before anything else.
    runs.broker = await Broker.open({ storage: runs.machine.storage(), clock: runs.clock });
    const missed: unknown[] = [];
    runs.broker.on('warning', ({ details }: BrokerEvents['warning']) => missed.push(details['missed']));
    await runs.settled();
    expect(missed).toEqual([1]);
    await runs.end();
  });
});

/** Brokers one after the other on one machine, with a topic and a group. */
class Runs {
  readonly clock = new ManualClock();
  broker!: Broker;
  readonly machine: Machine;

  constructor(machine: Machine) {
    this.machine = machine;
  }

  async begin(topic: TopicOptions = {}, group: ConsumerGroupOptions = {}): Promise<void> {
    this.broker = await Broker.open({ storage: this.machine.storage(), clock: this.clock });
    this.broker.topic('readings', { partitions: 2, ...topic }).group('a', group);
  }

  get topic() {
    return this.broker.topic<unknown>('readings');
  }
  get group() {
    return this.topic.group('a');
  }

  async publish(count: number): Promise<void> {
    for (let body = 0; body < count; body++) await this.topic.publish(body, { partition: 0 });
  }

  async take() {
    const taken = this.group.receive({ wait: 10 });
    await this.settled();
    await this.clock.advance(10);
    return taken;
  }

  /** Names of the logs that there are. */
  async logs(): Promise<string[]> {
    const storage = this.machine.storage();
    const logs = await storage.open();
    await storage.close();
    return [...logs.keys()];
  }

  async settled(): Promise<void> {
    for (let round = 0; round < 5; round++) await this.clock.advance(0);
  }

  async end(): Promise<void> {
    await this.broker.close({ timeout: 0 });
  }
}
