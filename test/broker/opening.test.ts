import { describe, expect, it } from 'vitest';
import {
  Broker,
  Consumer,
  Exchange,
  json,
  MemoryStorage,
  Queue,
  reference,
  structured,
  type BrokerOptions,
  type Codec,
} from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { onEachStorage } from '../fixtures.js';

describe('Broker.open()', () => {
  it('needs no options: memory, JSON and the time of the system', async () => {
    const broker = await Broker.open();
    expect(broker.stats()).toEqual({ queues: [], topics: [], exchanges: [], storage: { durability: 'memory' } });
    const before = Date.now();
    await broker.queue('orders').send({ at: new Date(0) });
    const message = (await broker.queue('orders').receive())!;
    expect(message.body).toEqual({ at: '1970-01-01T00:00:00.000Z' });
    expect(Math.abs(message.timestamp.getTime() - before)).toBeLessThan(60_000);
    await broker.close();
  });

  it('opens the storage before it resolves, once', async () => {
    const calls: string[] = [];
    class Watched extends MemoryStorage {
      override open(): ReturnType<MemoryStorage['open']> {
        calls.push('open');
        return super.open();
      }
    }
    const broker = await Broker.open({ storage: new Watched() });
    expect(calls).toEqual(['open']);
    await broker.close();
  });

  it('rejects with what the storage says, and may be tried again', async () => {
    const storage = new FaultyStorage(new JournalStorage());
    const gone = new Error('no such disk');
    storage.failNext('open', gone);
    await expect(Broker.open({ storage })).rejects.toBe(gone);
    await (await Broker.open({ storage })).close();
  });

  it.each<[BrokerOptions]>([
    [{ codec: reference, storage: new JournalStorage() }],
    [{ codec: { ...reference }, storage: new JournalStorage() }],
  ])('refuses the reference codec where messages outlive the process', async (options) => {
    await expect(Broker.open(options)).rejects.toThrow(TypeError);
  });

  it('makes instances of the classes that it exports, which nobody else can make', async () => {
    const broker = await Broker.open();
    const queue = broker.queue('orders');
    const consumer = queue.consume(() => undefined);
    expect(broker).toBeInstanceOf(Broker);
    expect(queue).toBeInstanceOf(Queue);
    expect(broker.exchange('events')).toBeInstanceOf(Exchange);
    expect(consumer).toBeInstanceOf(Consumer);
    await broker.close();
  });

  it('gives every broker names, a clock and events of its own', async () => {
    const clocks = [new ManualClock(0), new ManualClock(1000)];
    const brokers = await Promise.all(clocks.map((clock) => Broker.open({ clock })));
    const told: number[] = [];
    brokers.forEach((broker, n) => broker.on('accepted', () => told.push(n)));
    for (const broker of brokers) await broker.queue('orders').send(1);
    await brokers[0]!.queue('orders').send(2);
    const timestamps = await Promise.all(
      brokers.map(async (broker) => (await broker.queue('orders').receive())!.timestamp.getTime()),
    );
    expect(timestamps).toEqual([0, 1000]);
    expect(told).toEqual([0, 1, 0]);
    expect(brokers.map((broker) => broker.queue('orders').stats().accepted)).toEqual([2, 1]);
    for (const broker of brokers) await broker.close({ timeout: 0 });
  });
});

onEachStorage('A broker', (open) => {
  it('takes the codec that it was given', async () => {
    const { broker } = await open({ codec: structured });
    const queue = broker.queue('orders');
    const body = { at: new Date(7), set: new Set([1n]), map: new Map([['a', Uint8Array.of(1, 2)]]) };
    await queue.send(body);
    const message = (await queue.receive())!;
    expect(message.body).toEqual(body);
    expect(message.body).not.toBe(body);
  });

  it('takes a codec of your own: its name, encode() and decode()', async () => {
    const prefixed: Codec = {
      name: 'prefixed',
      encode: (body) => `> ${json.encode(body) as string}`,
      decode: (data) => json.decode((data as string).slice(2)),
    };
    const { broker } = await open({ codec: prefixed });
    const queue = broker.queue('orders');
    await queue.send({ a: 1 });
    expect((await queue.peek())[0]!.body).toEqual({ a: 1 });
    expect((await queue.receive())!.body).toEqual({ a: 1 });
  });

  it('refuses a message whose body and headers are larger than maxMessageBytes together, and takes one that just fits', async () => {
    const { broker } = await open({ maxMessageBytes: 100 });
    const queue = broker.queue('orders');
    await expect(queue.send('x'.repeat(99))).rejects.toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
    await expect(queue.send('é'.repeat(50))).rejects.toMatchObject({
      code: 'ERR_MESSAGE_TOO_LARGE',
      details: { maxMessageBytes: 100 },
    });
    await expect(queue.send('x'.repeat(90), { headers: { a: 'b' } })).rejects.toMatchObject({
      code: 'ERR_MESSAGE_TOO_LARGE',
    });
    await queue.send('x'.repeat(98));
    await queue.send('é'.repeat(49));
    await queue.send(new Uint8Array(100));
    expect(queue.stats().accepted).toBe(3);
  });

  it('takes up to 16 MiB by default', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    await queue.send(new Uint8Array(16 * 2 ** 20));
    await expect(queue.send(new Uint8Array(16 * 2 ** 20 + 1))).rejects.toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
    await queue.purge();
  });

  it('lends its retry policy to queues, field by field', async () => {
    const { broker, clock, reported } = await open({ retry: { attempts: 2, backoff: () => 7, retryIf: () => true } });
    const delays: string[] = [];
    broker.on('retried', ({ source, delay }) => delays.push(`${source} ${delay}`));
    const plain = broker.queue('plain');
    const own = broker.queue('own', { retry: { attempts: 3 } });
    const none = broker.queue('none', { retry: { retryIf: () => false } });
    for (const queue of [plain, own, none]) {
      queue.consume(() => Promise.reject(new Error('no')));
      await queue.send(1);
    }
    await clock.advance(100);
    expect(delays.sort()).toEqual(['own 7', 'own 7', 'plain 7']);
    expect([plain, own, none].map((queue) => queue.stats().deadLettered)).toEqual([1, 1, 1]);
    expect(reported()).toEqual([]);
  });
});
