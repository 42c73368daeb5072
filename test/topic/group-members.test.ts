import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

onEachStorage('Members of a group', (open) => {
  it('that were silent have partitions again when something is heard of them', async () => {
    const { broker, clock, quiet } = await open();
    const group = broker.topic<number>('readings', { partitions: 2 }).group('a', {
      assignor: 'range',
      ackTimeout: 30,
      retry: { attempts: 2, backoff: fixed(1000) },
    });
    const held: Delivery[] = [];
    group.consume((delivery) => held.push(delivery), { name: 'hung', ack: 'manual', concurrency: 2 });
    await broker.topic<number>('readings').publish(0, { partition: 0 });
    await quiet();
    await clock.advance(30);
    // Nobody else is there: it goes on, and shows it.
    await broker.topic<number>('readings').publish(1, { partition: 1 });
    await quiet();
    expect(held[1]!.ack()).toBe(true);
    group.consume(() => undefined, { name: 'new' });
    expect(group.offsets().map(({ member }) => member)).toEqual(['hung', 'new']);
    await clock.advance(1000);
    await quiet();
    await clock.advance(30);
    expect(group.offsets().map(({ member }) => member)).toEqual(['new', 'new']);
    expect(held[0]!.extend()).toBe(false);
    expect(group.offsets().map(({ member }) => member)).toEqual(['hung', 'new']);
  });

  it('that pull are heard of when they ask again', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { assignor: 'range', ackTimeout: 30, retry: { backoff: fixed(1000) } });
    await topic.publish(0, { partition: 0 });
    const pulls = [group.receive({ wait: '1h' }), group.receive({ wait: '1h' })];
    await quiet();
    group.consume(() => undefined, { name: 'zoe' });
    await clock.advance(30);
    expect(group.offsets().map(({ member }) => member)).toEqual(['zoe', 'zoe']);
    pulls.push(group.receive({ wait: '1h' }));
    expect(group.offsets().map(({ member }) => member)).toEqual(['receive', 'zoe']);
    await broker.close({ timeout: 0 });
    expect(await Promise.all(pulls)).toMatchObject([{ body: 0 }, undefined, undefined]);
  });

  it('go on at once with a partition that comes back before it was handed over', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { assignor: 'range', ordering: 'none' });
    const seen: string[] = [];
    const never = new Promise<void>(() => undefined);
    const consume = (name: string) =>
      group.consume(
        ({ body }) => {
          seen.push(`${name} ${body}`);
          return never;
        },
        { name, concurrency: 4 },
      );
    consume('b');
    await topic.publish(0, { partition: 0 });
    await quiet();
    const other = consume('a');
    await topic.publish(1, { partition: 0 });
    await quiet();
    expect(seen).toEqual(['b 0']);
    await other.close();
    await quiet();
    expect(seen).toEqual(['b 0', 'b 1']);
  });
});
