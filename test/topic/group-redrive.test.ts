import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('What is redriven to a group', (open) => {
  it('is delivered once where it is about to be delivered in any case', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const group = topic.group('a', { ordering: 'none' });
    await topic.publish(0);
    (await group.receive())!.reject();
    await quiet();
    await group.seek('earliest');
    // Not delivered yet; a dead letter more of it; in hand.
    expect(await group.deadLetters!.redrive()).toBe(1);
    (await group.receive())!.reject();
    await quiet();
    await group.seek('earliest');
    (await group.receive())!.reject();
    await quiet();
    expect(await group.deadLetters!.redrive()).toBe(2);
    const [one, other] = [await group.receive(), await group.receive()];
    expect([one?.body, other?.body]).toEqual([0, undefined]);
    one!.ack();
    expect(await group.receive()).toBeUndefined();
  });

  it('stays a dead letter where another topic has the name by now', async () => {
    const { broker, quiet } = await open();
    const before = broker.topic<string>('readings');
    await before.publish('old');
    (await before.group('a').receive())!.reject();
    await quiet();
    await broker.delete('readings');
    const group = broker.topic<string>('readings').group('a');
    await broker.topic<string>('readings').publish('new');
    (await group.receive())!.ack();
    expect(await group.deadLetters!.redrive()).toBe(0);
    expect(await waiting(group.deadLetters!)).toEqual(['old']);
    expect(await group.receive()).toBeUndefined();
    expect(await group.deadLetters!.redrive({ to: 'readings' })).toBe(1);
    expect(await group.receive()).toMatchObject({ body: 'old', offset: 1 });
  });

  it('stays a dead letter where its topic is deleted, and made again, while it is looked for', async () => {
    const { broker, quiet } = await open();
    const before = broker.topic<string>('readings');
    await before.publish('old');
    (await before.group('a').receive())!.reject();
    await quiet();
    const redriven = broker.queue('readings.a.dlq').redrive();
    void broker.delete('readings');
    const group = broker.topic<string>('readings').group('a');
    expect(await redriven).toBe(0);
    expect(await waiting(group.deadLetters!)).toEqual(['old']);
  });
});

onEachStorage('What is given back for later', (open) => {
  it('is not in hand any more: retention goes on', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { retention: { consumed: true, messages: 1 } });
    const group = topic.group('a', { retry: { backoff: fixed(1000) } });
    await topic.publish(0);
    const held = (await group.receive())!;
    await topic.publish(1);
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 0, next: 2 }]);
    held.requeue({ delay: 50 });
    await quiet();
    expect(topic.stats().partitions).toMatchObject([{ first: 1, next: 2 }]);
  });
});
