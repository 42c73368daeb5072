import { expect, it } from 'vitest';
import { fixed, type Delivery, type Located } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

onEachStorage('What dies in a group', (open) => {
  const once = { attempts: 1 };
  const fail = (): never => {
    throw new Error('no');
  };

  it('goes to the queue of its group, each group has its own', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 2 });
    for (const name of ['a', 'b']) topic.group(name, { retry: once }).consume(fail);
    await topic.publish(1, { partition: 1, key: 'k', headers: { h: 1 }, id: 'one' });
    await quiet();
    for (const name of ['a', 'b']) {
      const [dead] = await topic.group(name).deadLetters!.peek();
      expect(dead).toMatchObject({ id: 'one', body: 1, key: 'k', headers: { h: 1 }, source: `readings.${name}.dlq` });
      expect(dead!.deaths).toMatchObject([
        { source: 'readings', group: name, partition: 1, offset: 0, reason: 'attempts', attempts: 1 },
      ]);
    }
    expect(topic.stats().partitions[1]).toMatchObject({ first: 0, next: 1 });
  });

  it('has no queue made for it by who only asks, when the broker is closed', async () => {
    const { broker, quiet } = await open();
    const source = broker.topic('readings').group('a');
    await broker.close();
    expect(source.deadLetters).toBeUndefined();
    await quiet();
  });

  it('goes where its options say: a queue, an exchange, a topic, or nowhere', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const graves = broker.topic<number>('graves', { partitions: 4 });
    const exchange = broker.exchange('x').bind(broker.queue('routed'), '#');
    const to: string[] = [];
    broker.on('deadLettered', (event) => to.push(`${event.group} ${event.to}`));
    const groups = [
      topic.group('a', { retry: once, deadLetter: 'by hand' }),
      topic.group('b', { retry: once, deadLetter: exchange }),
      topic.group('c', { retry: once, deadLetter: graves }),
      topic.group('d', { retry: once, deadLetter: false }),
    ];
    for (const group of groups) group.consume(fail);
    const { id } = await topic.publish(7, { key: 'k' });
    await quiet();
    expect(groups.map(({ deadLetters }) => deadLetters?.name)).toEqual(['by hand', undefined, undefined, undefined]);
    expect(to.toSorted()).toEqual(['a by hand', 'b routed', 'c graves', 'd null']);
    expect(await broker.queue('by hand').peek()).toMatchObject([{ id, body: 7 }]);
    expect(await broker.queue('routed').peek()).toMatchObject([{ id, body: 7 }]);
    const kept = [];
    for await (const message of graves.read({ follow: false })) kept.push(message);
    expect(kept).toMatchObject([{ id, body: 7, key: 'k', deaths: [{ source: 'readings', group: 'c' }] }]);
    expect(groups.map((group) => group.stats().deadLettered)).toEqual([1, 1, 1, 0]);
    expect(groups[3]!.stats()).toMatchObject({ dropped: 1, lag: 0 });
  });

  it('holds its partition back no longer, and comes back to its place', async () => {
    const { broker, clock, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a', { retry: { attempts: 2, backoff: fixed(10) } });
    const log: string[] = [];
    let healthy = false;
    const note = ({ body, offset, attempt }: Delivery<number> & Located): void => {
      log.push(`${body}@${offset}#${attempt}`);
      if (body === 1 && !healthy) fail();
    };
    group.consume(note);
    await topic.publishMany([0, 1, 2].map((body) => ({ body })));
    await quiet();
    await clock.advance(10);
    await quiet();
    expect(log).toEqual(['0@0#1', '1@1#1', '1@1#2', '2@2#1']);
    expect(group.offsets()).toMatchObject([{ committed: 3, lag: 0 }]);
    healthy = true;
    await group.deadLetters!.redrive();
    await group.idle();
    expect(log.slice(4)).toEqual(['1@1#1']);
    expect(group.stats()).toMatchObject({ acked: 3, deadLettered: 1, lag: 0 });
  });

  it('stays a dead letter where retention has deleted it, and can go elsewhere', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { retention: { messages: 1 } });
    const group = topic.group('a', { retry: { ...once, retryIf: () => false } });
    group.consume(({ body }) => {
      if (body === 0) fail();
    });
    await topic.publish(0);
    await quiet();
    await topic.publish(1);
    await quiet();
    const dead = group.deadLetters!;
    expect(await dead.redrive()).toBe(0);
    expect(dead.stats()).toMatchObject({ ready: 1, removed: 0 });
    expect(await dead.redrive({ to: 'elsewhere' }).catch((error: { code: string }) => error.code)).toBe(
      'ERR_UNKNOWN_DESTINATION',
    );
    expect(await dead.redrive({ to: broker.queue('elsewhere') })).toBe(1);
    expect(await broker.queue('elsewhere').peek()).toMatchObject([{ body: 0 }]);
  });

  it('stays a dead letter where its group is deleted', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a', { retry: once });
    const consumer = group.consume(fail);
    await topic.publish(0);
    await quiet();
    await consumer.close();
    await group.delete();
    const dead = broker.queue('readings.a.dlq');
    expect(await dead.redrive()).toBe(0);
    topic.group('a', { from: 'latest' });
    // A new group of this name is another one, and yet has this place.
    expect(await dead.redrive()).toBe(1);
  });
});
