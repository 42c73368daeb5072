import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

onEachStorage('Retention', (open) => {
  it('keeps so many messages of the topic, the newest', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2, retention: { messages: 3 } });
    for (let body = 0; body < 8; body++) await topic.publish(body);
    await quiet();
    expect(topic.stats().partitions.map(({ first, next }) => [first, next])).toEqual([
      [3, 4],
      [2, 4],
    ]);
    expect(await bodies(topic.read({ follow: false }))).toEqual([5, 6, 7]);
  });

  it('keeps so many bytes of bodies', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<string>('readings', { retention: { bytes: 10 } });
    for (const body of ['aaa', 'bb', 'c', 'dddd']) await topic.publish(body);
    await quiet();
    // Bodies are JSON: quotes count.
    expect(topic.stats().partitions).toEqual([{ first: 2, next: 4, bytes: 9 }]);
  });

  it('keeps messages for so long, 7 days by default', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const short = broker.topic<number>('short', { retention: { time: '1m' } });
    const ever = broker.topic<number>('ever', { retention: {} });
    for (const one of [topic, short, ever]) await one.publish(1);
    await clock.advance('59s');
    await short.publish(2);
    await clock.advance('1s');
    await quiet();
    expect(short.stats().partitions).toMatchObject([{ first: 1, next: 2 }]);
    await clock.advance('7d');
    await quiet();
    expect([topic, short, ever].map((one) => one.stats().partitions[0])).toEqual([
      { first: 1, next: 1, bytes: 0 },
      { first: 2, next: 2, bytes: 0 },
      { first: 0, next: 1, bytes: 1 },
    ]);
  });

  it('deletes what every group has passed, and nothing where there is no group', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { retention: { consumed: true } });
    for (let body = 0; body < 5; body++) await topic.publish(body);
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 0, next: 5 }]);
    const slow = topic.group('slow');
    topic.group('fast').consume(() => undefined);
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 0, next: 5 }]);
    for (let n = 0; n < 3; n++) (await slow.receive({ wait: 5 }))!.ack();
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 3, next: 5 }]);
    await slow.delete().catch(() => undefined);
    await quiet();
  });

  it('deletes what was passed in any order of partitions, by the slowest of the groups in each', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 5, retention: { consumed: true } });
    const [fast, slow] = [topic.group('fast'), topic.group('slow')];
    const firsts = (): number[] => topic.stats().partitions.map(({ first }) => first);
    const publish = async (): Promise<void> => {
      for (let n = 0; n < 20; n++) await topic.publish(n, { partition: n % 5 });
      await quiet();
    };
    let stuck = false;
    fast.consume(() => undefined);
    const consumer = slow.consume(
      ({ partition }) => (stuck && partition === 3 ? new Promise(() => undefined) : undefined),
      { concurrency: 5 },
    );
    await publish();
    expect(firsts()).toEqual([4, 4, 4, 4, 4]);
    stuck = true;
    await publish();
    expect(firsts()).toEqual([8, 8, 8, 4, 8]);
    await consumer.close({ timeout: 0 });
    slow.consume(() => undefined);
    await publish();
    expect(firsts()).toEqual([12, 12, 12, 12, 12]);
    expect(topic.stats().partitions.every(({ bytes }) => bytes === 0)).toBe(true);
  });

  it('does not count what was consumed against the other limits', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2, retention: { consumed: true, messages: 4 } });
    const group = topic.group('a');
    for (let body = 0; body < 2; body++) await topic.publish(body, { partition: 0 });
    for (let body = 2; body < 4; body++) await topic.publish(body, { partition: 1 });
    const held = [];
    for (let n = 0; n < 2; n++) held.push((await group.receive({ wait: 5 }))!);
    for (const one of held) one.ack();
    await topic.publishMany([4, 5].map((body) => ({ body, partition: 1 })));
    await quiet();
    const kept = topic.stats().partitions.map(({ first, next }) => next - first);
    expect(kept[0]! + kept[1]!).toBe(4);
  });

  it('tells a group that it was overtaken, and how much it missed', async () => {
    const { broker, quiet } = await open();
    const warnings: unknown[] = [];
    broker.on('warning', ({ code, details }) => warnings.push([code, details]));
    const topic = broker.topic<number>('readings', { retention: { messages: 2 } });
    const group = topic.group('a');
    for (let body = 0; body < 5; body++) await topic.publish(body);
    await quiet();
    expect(group.offsets()).toEqual([{ partition: 0, committed: 3, end: 5, lag: 2 }]);
    const [first] = warnings as [[string, { readonly missed: number; readonly to: number }]];
    expect(warnings).toHaveLength(1);
    const { missed, to } = first[1];
    expect(first).toEqual([
      'GROUP_OVERTAKEN',
      { topic: 'readings', group: 'a', partition: 0, missed: to, from: 0, to: expect.any(Number) },
    ]);
    // The rest is told when it goes on.
    const seen: number[] = [];
    group.consume(({ body }) => void seen.push(body));
    await quiet();
    expect(seen).toEqual([3, 4]);
    const rest =
      missed === 3 ? [] : [{ topic: 'readings', group: 'a', partition: 0, missed: 3 - missed, from: to, to: 3 }];
    expect(warnings.slice(1)).toEqual(rest.map((details) => ['GROUP_OVERTAKEN', details]));
  });

  it('tells the rest when the broker closes', async () => {
    const { broker, quiet } = await open();
    let missed = 0;
    broker.on('warning', ({ details }) => (missed += details['missed'] as number));
    const topic = broker.topic<number>('readings', { retention: { messages: 2 } });
    topic.group('a');
    for (let body = 0; body < 6; body++) {
      await topic.publish(body);
      await quiet();
    }
    await broker.close();
    expect(missed).toBe(4);
  });

  it('never takes what a group has in hand, and what comes after it waits for that', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { retention: { messages: 2 } });
    const group = topic.group('a', { retry: { backoff: fixed(0) } });
    await topic.publish(0);
    const held = (await group.receive({ wait: 5 }))!;
    for (let body = 1; body < 6; body++) await topic.publish(body);
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 0, next: 6 }]);
    held.ack();
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 4, next: 6 }]);
    expect(group.offsets()).toMatchObject([{ committed: 4 }]);
  });

  it('never takes what was given back to a group from its dead letters, before that is settled', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { retention: { consumed: true } });
    const [one, other] = [topic.group('one', { retry: { attempts: 1 } }), topic.group('other')];
    await topic.publish(1);
    (await one.receive({ wait: 5 }))!.reject();
    await quiet();
    expect(await one.deadLetters!.redrive()).toBe(1);
    (await other.receive({ wait: 5 }))!.ack();
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 0, next: 1 }]);
    (await one.receive({ wait: 5 }))!.ack();
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 1, next: 1 }]);
  });

  it('lets a group go on whose failing message it deleted', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings', { retention: { messages: 2 } });
    const seen: number[] = [];
    topic.group('a', { retry: { backoff: fixed(1000) } }).consume(({ body }) => {
      seen.push(body);
      if (body === 0) throw new Error('no');
    });
    await topic.publish(0);
    await quiet();
    for (let body = 1; body < 4; body++) await topic.publish(body);
    await quiet();
    expect(seen.at(-1)).toBe(3);
    await clock.advance(1000);
    await quiet();
    expect(seen.filter((body) => body === 0)).toEqual([0]);
    expect(topic.group('a').stats()).toMatchObject({ lag: 0, unacked: 0 });
  });
});

async function bodies(read: AsyncIterable<{ readonly body: number }>): Promise<number[]> {
  const found: number[] = [];
  for await (const { body } of read) found.push(body);
  return found;
}
