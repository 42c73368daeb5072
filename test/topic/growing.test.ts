import { expect, it } from 'vitest';
import { onEachStorage } from '../fixtures.js';

onEachStorage('A topic that grows', (open) => {
  it('gives its new partitions to the members, from their beginning', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const group = topic.group('a', { from: 'latest', assignor: 'range' });
    const seen: string[] = [];
    for (const name of ['one', 'two']) {
      group.consume(({ body, partition }) => void seen.push(`${name} ${partition}:${body}`), { name });
    }
    broker.topic('readings', { partitions: 4 });
    expect(topic.partitions).toBe(4);
    for (let partition = 0; partition < 4; partition++) await topic.publish(partition * 10, { partition });
    await quiet();
    expect(seen.toSorted()).toEqual(['one 0:0', 'one 1:10', 'two 2:20', 'two 3:30']);
  });

  it('keeps the order of each key before and after', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
    for (let body = 0; body < 3; body++) for (const key of keys) await topic.publish(body, { key });
    broker.topic('readings', { partitions: 5 });
    for (let body = 3; body < 6; body++) for (const key of keys) await topic.publish(body, { key });
    const seen = new Map<string, number[]>();
    topic.group('a').consume(({ key, body }) => void seen.set(key!, [...(seen.get(key!) ?? []), body]));
    await quiet();
    for (const key of keys) {
      expect(seen.get(key)!.filter((body) => body < 3)).toEqual([0, 1, 2]);
      expect(seen.get(key)!.filter((body) => body >= 3)).toEqual([3, 4, 5]);
    }
  });

  it('never shrinks, and stays as it is where nothing is said', async () => {
    const { broker } = await open();
    const topic = broker.topic('readings', { partitions: 3 });
    expect(() => broker.topic('readings', { partitions: 2 })).toThrow(
      expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH' }),
    );
    expect(broker.topic('readings')).toBe(topic);
    expect(broker.topic('readings', {}).partitions).toBe(3);
  });

  it('is read in its new partitions by who follows it', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const bodies: number[] = [];
    const reading = (async () => {
      for await (const { body } of topic.read()) bodies.push(body);
    })();
    await topic.publish(1);
    await quiet();
    broker.topic('readings', { partitions: 3 });
    for (let partition = 0; partition < 3; partition++) await topic.publish(partition + 2, { partition });
    await quiet();
    expect(bodies).toEqual([1, 2, 3, 4]);
    await broker.close();
    await reading;
  });
});
