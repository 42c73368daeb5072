import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

onEachStorage('Members of a group', (open) => {
  it('get a partition when nothing of it is in hand any more; one that stays goes on', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a');
    const log: string[] = [];
    const release: (() => void)[] = [];
    group.consume(
      async ({ body, partition }) => {
        log.push(`one ${partition}:${body}`);
        await new Promise<void>((resolve) => release.push(resolve));
      },
      { name: 'one', concurrency: 2 },
    );
    for (const body of [0, 1]) for (const partition of [0, 1]) await topic.publish(body, { partition });
    await quiet();
    expect(log.toSorted()).toEqual(['one 0:0', 'one 1:0']);
    group.consume(({ body, partition }) => void log.push(`two ${partition}:${body}`), { name: 'two' });
    await quiet();
    expect(log).toHaveLength(2);
    for (const resolve of release.splice(0)) resolve();
    await quiet();
    expect(log.slice(2).toSorted()).toEqual(['one 0:1', 'two 1:1']);
    for (const resolve of release) resolve();
    await quiet();
    expect(group.stats()).toMatchObject({ members: 2, lag: 0, unacked: 0 });
  });

  it('lose their partitions when they fall silent, and get some again when they are heard of', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { ackTimeout: 1000, retry: { backoff: fixed(0) } });
    const log: string[] = [];
    let wake: () => void = () => undefined;
    group.consume(
      async ({ partition, body }) => {
        log.push(`silent ${partition}:${body}`);
        await new Promise<void>((resolve) => (wake = resolve));
      },
      { name: 'a' },
    );
    group.consume(({ partition, body }) => void log.push(`lively ${partition}:${body}`), { name: 'b' });
    for (const partition of [0, 1]) await topic.publish(7, { partition });
    await quiet();
    expect(log.toSorted()).toEqual(['lively 1:7', 'silent 0:7']);
    await clock.advance(1000);
    await quiet();
    expect(log.at(-1)).toBe('lively 0:7');
    expect(group.offsets().map(({ member }) => member)).toEqual(['b', 'b']);
    wake();
    await quiet();
    expect(new Set(group.offsets().map(({ member }) => member))).toEqual(new Set(['a', 'b']));
    expect(group.stats()).toMatchObject({ lag: 0, retried: 1, acked: 2 });
  });

  it('join by receive(), and leave when they have nothing in hand and ask for nothing', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a');
    await topic.publish(1);
    const held = (await group.receive({ wait: 10 }))!;
    await quiet();
    expect(group.stats().members).toBe(1);
    await expect(group.delete()).rejects.toMatchObject({ code: 'ERR_IN_USE' });
    held.ack();
    await quiet();
    expect(group.stats().members).toBe(0);
    await group.delete();
    await expect(group.receive()).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
    expect(topic.stats().groups).toEqual([]);
  });

  it('are idle when what one of them left to the others is handled as well', async () => {
    const { broker } = await open();
    const topic = broker.topic<string>('readings', { partitions: 2 });
    const group = topic.group('a');
    const seen: string[] = [];
    group.consume(({ body }) => void seen.push(body), { name: 'stays' });
    const pulled = group.receive({ wait: '1s' });
    const partition = group.offsets().find(({ member }) => member !== 'stays')!.partition;
    for (const body of ['pulled', 'left']) await topic.publish(body, { partition });
    (await pulled)!.ack();
    await group.idle();
    expect(seen).toEqual(['left']);
  });

  it('read with an iterator, which leaves when its loop ends', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 3 });
    for (let body = 0; body < 5; body++) await topic.publish(body);
    const seen: number[] = [];
    for await (const delivery of topic.group('a')) {
      seen.push(delivery.body);
      delivery.ack();
      if (seen.length === 5) break;
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
    await quiet();
    expect(topic.group('a').stats()).toMatchObject({ members: 0, lag: 0 });
  });

  it('are woken for what another member’s acknowledgement brings them', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<string>('readings', { partitions: 2 });
    const group = topic.group('a', { assignor: 'range' });
    const seen: string[] = [];
    for (const name of ['one', 'two']) group.consume(({ body }) => void seen.push(`${name}: ${body}`), { name });
    await quiet();
    broker.once('acked', () => void topic.publish('answer', { partition: 1 }));
    await topic.publish('question', { partition: 0 });
    await quiet();
    expect(seen).toEqual(['one: question', 'two: answer']);
  });

  it('share out anew by the assignor that is declared later', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic('readings', { partitions: 4 });
    const group = topic.group('a');
    for (const name of ['one', 'two']) group.consume(() => undefined, { name });
    topic.group('a', { assignor: 'round-robin' });
    await quiet();
    expect(group.offsets().map(({ member }) => member)).toEqual(['one', 'two', 'one', 'two']);
  });

  it('with different names each', async () => {
    const { broker } = await open();
    const group = broker.topic('readings').group('a');
    group.consume(() => undefined, { name: 'x' });
    expect(() => group.consume(() => undefined, { name: 'x' })).toThrow(TypeError);
  });
});

onEachStorage('Order in a group', (open) => {
  it('by key: others go on while one fails', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<string>('readings');
    const group = topic.group('a', { ordering: 'key', retry: { backoff: fixed(100) } });
    const log: string[] = [];
    group.consume(
      ({ body, attempt }) => {
        log.push(body);
        if (body === 'k1' && attempt === 1) throw new Error('no');
      },
      { concurrency: 3 },
    );
    for (const body of ['k1', 'k2', 'l1', 'l2']) await topic.publish(body, { key: body[0]! });
    await quiet();
    expect(log.toSorted()).toEqual(['k1', 'l1', 'l2']);
    await clock.advance(100);
    await quiet();
    expect(log.slice(3)).toEqual(['k1', 'k2']);
    expect(group.offsets()).toMatchObject([{ committed: 4, lag: 0 }]);
  });

  it('none: everything at once, and the committed offset waits for the first', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a', { ordering: 'none' });
    for (let body = 0; body < 3; body++) await topic.publish(body);
    const held = [];
    for (let n = 0; n < 3; n++) held.push((await group.receive({ wait: 10 }))!);
    held[2]!.ack();
    held[1]!.ack();
    await quiet();
    expect(group.offsets()).toMatchObject([{ committed: 0, lag: 3 }]);
    held[0]!.ack();
    await quiet();
    expect(group.offsets()).toMatchObject([{ committed: 3, lag: 0 }]);
  });

  it('by partition, in batches: a failed one comes back one by one, and nothing passes it', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { retry: { attempts: 2, backoff: fixed(0) } });
    for (let body = 0; body < 4; body++) await topic.publish(body, { partition: 0 });
    const batches: number[][] = [];
    group.consumeBatch(
      (batch) => {
        batches.push(batch.map(({ body }) => body));
        if (batch.some(({ body }) => body === 1)) throw new Error('no');
      },
      { size: 3 },
    );
    await quiet();
    expect(batches).toEqual([[0, 1, 2], [0], [1], [1], [2], [3]]);
    expect(group.stats()).toMatchObject({ deadLettered: 1, acked: 3, lag: 0 });
  });
});
