import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { deferred, onEachStorage } from '../fixtures.js';

onEachStorage('A member that is slow', (open) => {
  it('lags in its partitions only, and keeps them', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { assignor: 'range' });
    const other = topic.group('b');
    const gate = deferred();
    const seen: string[] = [];
    group.consume(() => gate.promise, { name: 'slow' });
    group.consume(({ partition, offset }) => void seen.push(`${partition}/${offset}`), { name: 'swift' });
    other.consume(() => undefined);
    for (let n = 0; n < 6; n++) await topic.publish(n);
    await quiet();
    expect(seen).toEqual(['1/0', '1/1', '1/2']);
    expect(group.offsets()).toMatchObject([
      { lag: 3, member: 'slow' },
      { lag: 0, member: 'swift' },
    ]);
    expect(other.stats().lag).toBe(0);
    gate.resolve();
    await quiet();
    expect(group.stats().lag).toBe(0);
  });

  it('works on as many partitions at once as it has slots, where order is by partition', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 4 });
    const running: number[] = [];
    const gate = deferred();
    topic.group('a').consume(
      ({ partition }) => {
        running.push(partition);
        return gate.promise;
      },
      { concurrency: 100 },
    );
    for (let n = 0; n < 12; n++) await topic.publish(n);
    await quiet();
    expect(running.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    gate.resolve();
  });

  it('and silent keeps its partitions where there is nobody else', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { ackTimeout: 50, retry: { attempts: 3, backoff: fixed(0) } });
    const seen: string[] = [];
    group.consume(
      ({ body, attempt }) => {
        seen.push(`${body}#${attempt}`);
        return body === 0 && attempt === 1 ? new Promise(() => undefined) : undefined;
      },
      { name: 'only', concurrency: 2 },
    );
    await topic.publish(0, { partition: 0 });
    await quiet();
    await clock.advance(50);
    await topic.publish(1, { partition: 1 });
    await quiet();
    expect(seen).toEqual(['0#1', '0#2', '1#1']);
    expect(group.offsets().map(({ member }) => member)).toEqual(['only', 'only']);
  });

  it('has as many members beside it as there are partitions; one more waits in case one leaves', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { assignor: 'sticky' });
    const seen: string[] = [];
    const members = ['one', 'two', 'three'].map((name) =>
      group.consume(({ body }) => void seen.push(`${name} ${body}`), { name }),
    );
    await topic.publish(0, { partition: 0 });
    await topic.publish(1, { partition: 1 });
    await quiet();
    expect(seen.toSorted()).toEqual(['one 0', 'two 1']);
    await members[0]!.close();
    await topic.publish(2, { partition: 0 });
    await quiet();
    expect(seen.at(-1)).toBe('three 2');
  });
});
