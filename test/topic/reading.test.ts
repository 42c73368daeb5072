import { expect, it } from 'vitest';
import { Broker, MemoryStorage, type StoredEntry } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { onEachStorage, watch } from '../fixtures.js';

onEachStorage('Reading a topic without a group', (open) => {
  it('follows what comes until its signal aborts, the oldest first', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings', { partitions: 3 });
    for (let body = 0; body < 4; body++) await topic.publish(body);
    const stop = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { body } of topic.read({ signal: stop.signal })) seen.push(body);
    })();
    await quiet();
    await topic.publish(4);
    await quiet();
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    stop.abort();
    await reading;
  });

  it('begins at an offset, a date or the end', async () => {
    const { broker, clock } = await open();
    const topic = broker.topic<number>('readings');
    for (let body = 0; body < 5; body++) {
      await topic.publish(body);
      await clock.advance(100);
    }
    const read = async (from: 'latest' | number | Date): Promise<number[]> => {
      const found: number[] = [];
      for await (const { body, offset, partition } of topic.read({
        from,
        follow: false,
        ...(typeof from === 'number' ? { partition: 0 } : {}),
      })) {
        expect([partition, offset]).toEqual([0, body]);
        found.push(body);
      }
      return found;
    };
    expect(await read(3)).toEqual([3, 4]);
    expect(await read(99)).toEqual([]);
    expect(await read('latest')).toEqual([]);
    const start = clock.now() - 500;
    expect(await read(new Date(start + 200))).toEqual([2, 3, 4]);
    expect(await read(new Date(start + 201))).toEqual([3, 4]);
    expect(await read(new Date(0))).toEqual([0, 1, 2, 3, 4]);
  });

  it('begins at the end, where an offset lies beyond it, and follows from there', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    for (let body = 0; body < 3; body++) await topic.publish(body);
    const reading = topic.read({ from: 99, partition: 0 });
    const next = watch(reading.next());
    await quiet();
    await topic.publish(3);
    await quiet();
    expect(next).toMatchObject({ state: 'resolved', value: { value: { body: 3, offset: 3 } } });
    await reading.return!();
  });

  it('goes on in a topic that is declared only then', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { body } of topic.read()) seen.push(body);
    })();
    await quiet();
    broker.topic('readings', { durable: false, partitions: 2 });
    for (let body = 0; body < 4; body++) await topic.publish(body);
    await quiet();
    expect(seen).toEqual([0, 1, 2, 3]);
    await broker.close();
    await reading;
  });

  it('ends at once when it is left while it waits for the next', async () => {
    const { broker, quiet } = await open();
    const topic = broker.topic<number>('readings');
    const reading = topic.read();
    const next = watch(reading.next());
    await quiet();
    const left = watch(reading.return!('over'));
    await quiet();
    expect(next).toEqual({ state: 'resolved', value: { value: undefined, done: true } });
    expect(left).toEqual({ state: 'resolved', value: { value: 'over', done: true } });
    await topic.publish(1);
    expect(await reading.next()).toEqual({ value: undefined, done: true });
  });

  it('ends when the broker closes, and rejects when the topic is deleted', async () => {
    const { broker, quiet } = await open();
    const gone = broker.topic('gone').read()[Symbol.asyncIterator]().next();
    const closed = broker.topic('closed').read()[Symbol.asyncIterator]().next();
    const [goneLater, closedLater] = [broker.topic('gone').read(), broker.topic('closed').read()];
    await quiet();
    const outcome = gone.catch((error: unknown) => error);
    await broker.delete('gone');
    expect(await outcome).toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
    await expect(goneLater.next()).rejects.toMatchObject({ code: 'ERR_UNKNOWN_DESTINATION' });
    await broker.close();
    expect(await closed).toEqual({ done: true, value: undefined });
    expect(await closedLater.next()).toEqual({ done: true, value: undefined });
  });

  it('harms nobody when it is never begun, and the storage fails', async () => {
    const storage = new FaultyStorage(new JournalStorage());
    const { broker, quiet } = await open({ storage });
    const topic = broker.topic('readings');
    await topic.publish(1);
    await quiet();
    storage.failNext('read', new Error('no'));
    const reading = topic.read({ from: new Date(0) });
    await quiet();
    await expect(reading.next()).rejects.toThrow('no');
  });

  it('tells that what it reads ahead cannot be read when it comes to it, and nobody who has left by then', async () => {
    const storage = new FaultyStorage(new JournalStorage());
    const { broker, quiet } = await open({ storage });
    const topic = broker.topic<number>('readings');
    await topic.publishMany(Array.from({ length: 600 }, (_, body) => ({ body })));
    storage.failWhen('read', (_log, from) => from > 0, new Error('no'));
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { body } of topic.read({ follow: false })) seen.push(body);
    })();
    await expect(reading).rejects.toThrow('no');
    expect(seen.length).toBeGreaterThan(100);
    expect(seen).toEqual(Array.from(seen, (_, n) => n));
    for await (const { body } of topic.read({ follow: false })) if (body === 10) break;
    await quiet();
  });

  it('refuses at once what it cannot do', async () => {
    const { broker } = await open();
    const topic = broker.topic('readings', { partitions: 2 });
    expect(() => topic.read({ from: 3 })).toThrow(/an offset needs a partition/);
    expect(() => topic.read({ from: 'first' as never })).toThrow(TypeError);
    expect(() => topic.read({ from: new Date(Number.NaN) })).toThrow(TypeError);
    expect(() => topic.read({ partition: 2 })).toThrow(RangeError);
    expect(() => topic.read({ folow: true } as never)).toThrow(/has no "folow"/);
  });
});

/** Knows how much of it was read. */
class Weighed extends MemoryStorage {
  entries = 0;

  override read(...args: Parameters<MemoryStorage['read']>): readonly StoredEntry[] {
    const found = super.read(...args) as readonly StoredEntry[];
    this.entries += found.length;
    return found;
  }
}

it('Reading a topic of many partitions reads little ahead of each', async () => {
  const storage = new Weighed();
  const broker = await Broker.open({ storage });
  const topic = broker.topic<number>('readings', { partitions: 400 });
  await topic.publishMany(Array.from({ length: 10_000 }, (_, body) => ({ body })));
  const seen: number[] = [];
  const ahead: number[] = [];
  for await (const { body } of topic.read({ follow: false })) ahead.push(storage.entries - seen.push(body));
  expect(Math.max(...ahead)).toBeLessThan(5000);
  expect(seen).toEqual(Array.from({ length: 10_000 }, (_, body) => body));
  expect(storage.entries).toBe(10_000);
  await broker.close();
});
