import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { onEachStorage, watch } from '../fixtures.js';

onEachStorage('A consumer group', (open) => {
  it('reads all of a topic, from the earliest, each group at its own pace', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    for (let body = 0; body < 6; body++) await topic.publish(body);
    const seen: Record<string, number[]> = { a: [], b: [] };
    for (const name of ['a', 'b']) {
      topic.group(name).consume(({ body }) => {
        seen[name]!.push(body);
      });
    }
    await quiet();
    await topic.publish(6);
    await quiet();
    for (const name of ['a', 'b']) {
      expect(seen[name]!.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(topic.group(name).offsets()).toEqual([
        { partition: 0, committed: 4, end: 4, lag: 0, member: 'consumer-1' },
        { partition: 1, committed: 3, end: 3, lag: 0, member: 'consumer-1' },
      ]);
    }
    expect(topic.stats().groups[0]).toEqual({
      name: 'a',
      topic: 'readings',
      members: 1,
      lag: 0,
      unacked: 0,
      delayed: 0,
      delivered: 7,
      acked: 7,
      retried: 0,
      deadLettered: 0,
      dropped: 0,
    });
  });

  it('holds a partition back while a message fails, and goes on in the others', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<string>('readings', { partitions: 2 });
    const group = topic.group('a', { retry: { attempts: 2, backoff: fixed(100) } });
    const log: string[] = [];
    group.consume(
      ({ body, attempt }) => {
        log.push(`${body}:${attempt}`);
        if (body === 'bad') throw new Error('no');
      },
      { concurrency: 4 },
    );
    await topic.publish('bad', { partition: 0 });
    await topic.publish('after', { partition: 0 });
    await topic.publish('other', { partition: 1 });
    await quiet();
    expect(log).toEqual(['bad:1', 'other:1']);
    await clock.advance(100);
    await quiet();
    expect(log).toEqual(['bad:1', 'other:1', 'bad:2', 'after:1']);
    const [dead] = await group.deadLetters!.peek();
    expect(group.deadLetters!.name).toBe('readings.a.dlq');
    expect(dead!.deaths[0]).toMatchObject({
      source: 'readings',
      group: 'a',
      partition: 0,
      offset: 0,
      reason: 'attempts',
    });
    expect(topic.stats().groups[0]).toMatchObject({ deadLettered: 1, acked: 2, retried: 1, lag: 0 });
  });

  it('gives what died back to that group alone when it is redriven', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<string>('readings');
    const log: string[] = [];
    let healthy = false;
    for (const name of ['a', 'b']) {
      topic.group(name).consume((delivery) => {
        log.push(`${name} ${delivery.body}@${delivery.offset}#${delivery.attempt}`);
        if (name === 'a' && !healthy) delivery.reject();
      });
    }
    await topic.publish('x');
    await topic.publish('y');
    await quiet();
    log.length = 0;
    healthy = true;
    expect(await topic.group('a').deadLetters!.redrive()).toBe(2);
    await quiet();
    expect(log).toEqual(['a x@0#1', 'a y@1#1']);
    expect(topic.group('a').offsets()).toMatchObject([{ committed: 2, end: 2 }]);
    expect(topic.group('a').deadLetters!.stats()).toMatchObject({ ready: 0, removed: 2 });
  });

  it('seeks, fencing what is in hand', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a');
    await topic.publishMany([0, 1, 2].map((body) => ({ body })));
    const first = (await group.receive({ wait: 10 }))!;
    first.ack();
    const second = (await group.receive({ wait: 10 }))!;
    expect(second).toMatchObject({ body: 1, partition: 0, offset: 1 });
    await group.seek('earliest');
    expect(second.signal.aborted).toBe(true);
    expect(second.ack()).toBe(false);
    const again = (await group.receive({ wait: 10 }))!;
    expect(again).toMatchObject({ body: 0, attempt: 1, deliveries: 1 });
    again.ack();
    await group.seek(2, 0);
    expect(group.offsets()).toMatchObject([{ committed: 2, end: 3, lag: 1 }]);
    await group.seek(99, 0);
    expect(group.offsets()).toMatchObject([{ committed: 3, end: 3, lag: 0 }]);
    await expect(group.seek(0)).rejects.toThrow(TypeError);
    await quiet();
    expect(group.stats()).toMatchObject({ unacked: 0 });
  });

  it('that is moved gives who waits what is there then, however little time there was to take it', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a');
    await topic.publish(1);
    const seen: number[] = [];
    const loop = (async () => {
      for await (const delivery of group) {
        seen.push(delivery.body);
        delivery.ack();
      }
    })();
    // What is taken is not in a handler's hands before the storage knows: the group is moved in between.
    await group.seek('latest');
    await group.seek('earliest');
    await quiet();
    expect(seen).toContain(1);
    await topic.publish(2);
    await quiet();
    expect(seen.at(-1)).toBe(2);
    await broker.close({ timeout: 0 });
    await loop;
  });

  it('that was moved stays there, though somebody declares where it begins', async () => {
    const { broker } = await open();
    const topic = broker.topic<number>('readings');
    await topic.publishMany([{ body: 1 }, { body: 2 }, { body: 3 }]);
    await topic.group('a').seek(1, 0);
    expect(await topic.group('a', { from: 'latest' }).receive()).toMatchObject({ body: 2 });
  });

  it('that is being moved is moved, though somebody declares where it begins meanwhile', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    await topic.publishMany([{ body: 1 }, { body: 2 }, { body: 3 }]);
    const moved = watch(topic.group('a').seek('latest'));
    topic.group('a', { from: new Date(0) });
    await quiet();
    expect(moved.state).toBe('resolved');
    expect(topic.group('a').offsets()).toMatchObject([{ committed: 3 }]);
  });

  it('that is moved keeps who waits, though he had just left with what was taken from him', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a');
    for (let round = 0; round < 30; round++) {
      await topic.publishMany([{ body: 1 }, { body: 2 }]);
      const first = (await group.receive())!;
      const waits = watch(group.receive({ wait: '1h' }));
      await quiet();
      // What is taken next is on its way, for a different time each round, when the group is moved.
      first.ack();
      for (let turns = 0; turns < round % 6; turns++) await Promise.resolve();
      await group.seek('earliest');
      await quiet();
      expect(waits).toMatchObject({ state: 'resolved', value: expect.anything() });
      waits.value!.ack();
      await quiet();
    }
  });

  it('begins where it is declared to begin, though somebody had a handle of it before', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings');
    await topic.publish(1);
    await clock.advance(10);
    const from = new Date(clock.now());
    await topic.publish(2);
    for (const [name, position] of Object.entries({ late: 'latest', dated: from } as const)) {
      const seen: number[] = [];
      expect(topic.group(name).stats().lag).toBeGreaterThan(0);
      const group = topic.group(name, { from: position });
      group.consume(({ body }) => void seen.push(body));
      await quiet();
      await topic.publish(3);
      await quiet();
      expect(seen).toEqual(name === 'late' ? [3] : [2, 3, 3]);
      expect(group.offsets()).toMatchObject([{ lag: 0, member: 'consumer-1' }]);
    }
  });

  it('gets what comes while it is looked up where it begins', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    await topic.publishMany(Array.from({ length: 20 }, (_, body) => ({ body })));
    // A handle of it came before, and it began somewhere.
    topic.group('a');
    const published = watch(topic.publish(20, { partition: 0 }));
    const group = topic.group('a', { from: new Date(0) });
    const later = watch(topic.publishMany([{ body: 21 }, { body: 22 }]));
    const seen: number[] = [];
    group.consume(({ body }) => void seen.push(body));
    await quiet();
    expect([published.state, later.state]).toEqual(['resolved', 'resolved']);
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 23 }, (_, body) => body));
    expect(group.stats().lag).toBe(0);
  });

  it('shares partitions out when members come and go', async () => {
    const { broker, quiet } = await open();
    const rebalanced: unknown[] = [];
    broker.on('rebalanced', ({ assignment }) => rebalanced.push(assignment));
    const topic = broker.topic<number>('readings', { partitions: 4 });
    const group = topic.group('a', { assignor: 'range' });
    const one = group.consume(() => undefined, { name: 'one' });
    group.consume(() => undefined, { name: 'two' });
    await quiet();
    expect(group.offsets().map(({ member }) => member)).toEqual(['one', 'one', 'two', 'two']);
    await one.close();
    expect(group.offsets().map(({ member }) => member)).toEqual(['two', 'two', 'two', 'two']);
    broker.topic('readings', { partitions: 6 });
    expect(group.offsets().map(({ member }) => member)).toEqual(Array(6).fill('two'));
    expect(rebalanced).toEqual([
      { one: [0, 1, 2, 3] },
      { one: [0, 1], two: [2, 3] },
      { two: [0, 1, 2, 3] },
      { two: [0, 1, 2, 3, 4, 5] },
    ]);
  });

  it('begins at a date, an offset or the end; idle() waits for it to begin', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    for (let body = 0; body < 6; body++) {
      await topic.publish(body);
      await clock.advance(1000);
    }
    const from = { date: new Date(clock.now() - 3000), offset: 2, latest: 'latest', earliest: 'earliest' } as const;
    const seen = new Map<string, number[]>();
    const idle = Object.entries(from).map(async ([name, position]) => {
      const group = topic.group(name, { from: position });
      group.consume(({ body }) => void seen.set(name, [...(seen.get(name) ?? []), body]));
      await group.idle();
      return [name, seen.get(name)?.toSorted((a, b) => a - b)];
    });
    await quiet();
    expect(await Promise.all(idle)).toEqual([
      ['date', [3, 4, 5]],
      ['offset', [4, 5]],
      ['latest', undefined],
      ['earliest', [0, 1, 2, 3, 4, 5]],
    ]);
  });
});
