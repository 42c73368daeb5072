import { afterEach, describe, expect, it, vi } from 'vitest';
import { Broker, MemoryStorage, type BrokerEvents, type Queue } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { onEachStorage, until } from '../fixtures.js';

type Accepted = BrokerEvents['accepted'];

onEachStorage('Listeners', (open) => {
  it('are called in the order they came, for every queue, until they are taken away', async () => {
    const { broker } = await open();
    const [a, b] = [broker.queue('a'), broker.queue('b')];
    const told: string[] = [];
    const first = ({ source }: Accepted): void => void told.push(`first ${source}`);
    const second = ({ source }: Accepted): void => void told.push(`second ${source}`);
    expect(broker.on('accepted', first).on('accepted', second)).toBe(broker);
    await a.send(1);
    await b.send(1);
    expect(broker.off('accepted', first)).toBe(broker);
    await a.send(2);
    expect(told).toEqual(['first a', 'second a', 'first b', 'second b', 'second a']);
  });

  it('of once() are called once, and can be taken away before', async () => {
    const { broker } = await open();
    const queue = broker.queue('a');
    const told: string[] = [];
    const never = (): void => void told.push('never');
    expect(broker.once('accepted', () => told.push('once'))).toBe(broker);
    broker.once('accepted', never).off('accepted', never);
    await queue.send(1);
    await queue.send(2);
    expect(told).toEqual(['once']);
  });

  it('of once() are called once, even if they cause the event again', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('a');
    let told = 0;
    broker.once('accepted', () => {
      told++;
      void queue.send(2);
    });
    await queue.send(1);
    await quiet();
    expect(told).toBe(1);
    expect(queue.stats().accepted).toBe(2);
  });

  it('may come and go while an event is told', async () => {
    const { broker } = await open();
    const queue = broker.queue('a');
    const told: string[] = [];
    const second = (): void => void told.push('second');
    broker.on('accepted', () => {
      told.push('first');
      broker.off('accepted', second);
      broker.once('accepted', () => told.push('late'));
    });
    broker.on('accepted', second);
    await queue.send(1);
    told.length = 0;
    await queue.send(2);
    expect(told.slice(0, 2)).toEqual(['first', 'late']);
    expect(told).not.toContain('second');
  });

  it('that are unknown can be taken away, without effect', async () => {
    const { broker } = await open();
    const told: string[] = [];
    broker.on('accepted', () => told.push('a'));
    broker.off('accepted', () => undefined).off('acked', () => undefined);
    await broker.queue('a').send(1);
    expect(told).toEqual(['a']);
  });

  it('that throw or reject are reported, change nothing, and do not keep the next from being called', async () => {
    const { broker, quiet, reported } = await open();
    const queue = broker.queue<number>('a');
    const told: string[] = [];
    broker.on('accepted', () => {
      throw new Error('thrown');
    });
    broker.on('accepted', (async () => {
      throw new Error('rejected');
    }) as unknown as () => void);
    broker.on('accepted', () => {
      throw 'text';
    });
    broker.on('accepted', () => told.push('last'));
    const { destinations } = await queue.send(1);
    await quiet();
    expect(destinations).toEqual(['a']);
    expect(told).toEqual(['last']);
    expect(reported().map(({ message, cause }) => cause ?? message)).toEqual(['thrown', 'text', 'rejected']);
    expect(queue.stats()).toMatchObject({ accepted: 1, ready: 1 });
  });

  it('hear nothing of what another broker does', async () => {
    const { broker } = await open();
    const { broker: other } = await open();
    let told = 0;
    broker.on('accepted', () => void told++);
    await other.queue('a').send(1);
    expect(told).toBe(0);
  });
});

onEachStorage('Events', (open) => {
  it('come after the state changed', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('a');
    const seen: unknown[] = [];
    broker.on('accepted', () => seen.push(queue.stats().accepted));
    broker.on('delivered', () => seen.push(queue.stats().unacked));
    broker.on('acked', () => seen.push(queue.stats().unacked));
    await queue.send(1);
    (await queue.receive())!.ack();
    expect(seen).toEqual([1, 1, 0]);
  });

  it('name their queue, exchange and message', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue('a', { maxLength: 1, overflow: 'block', retry: { attempts: 1 } });
    const exchange = broker.exchange('x');
    const told: unknown[] = [];
    const names = ['accepted', 'delivered', 'acked', 'deadLettered', 'unroutable', 'blocked', 'unblocked'] as const;
    for (const name of names) broker.on(name, (event) => told.push([name, event]));
    await queue.send(1, { id: 'one' });
    const second = queue.send(2, { id: 'two' });
    await quiet();
    (await queue.receive())!.nack({ error: 'bad' });
    await second;
    (await queue.receive())!.ack();
    await exchange.publish('k', 3, { id: 'three' });
    await quiet();
    const one = { source: 'a', id: 'one' };
    const two = { source: 'a', id: 'two' };
    const each = (name: string): unknown[] =>
      (told as [string, unknown][]).filter(([one]) => one === name).map(([, event]) => event);
    expect(each('accepted')).toEqual([
      expect.objectContaining(one),
      expect.objectContaining(two),
      expect.objectContaining({ source: 'a.dlq', id: 'one' }),
    ]);
    expect(each('delivered')).toEqual([
      { ...one, attempt: 1, consumer: 'receive' },
      { ...two, attempt: 1, consumer: 'receive' },
    ]);
    expect(each('deadLettered')).toEqual([{ ...one, reason: 'attempts', to: 'a.dlq', error: 'bad' }]);
    expect(each('acked')).toEqual([{ ...two, duration: 0 }]);
    expect(each('unroutable')).toEqual([{ exchange: 'x', routingKey: 'k', id: 'three' }]);
    expect([each('blocked'), each('unblocked')]).toEqual([[{ source: 'a' }], [{ source: 'a' }]]);
  });

  it('are plain: JSON writes them, and nothing of the inside of the broker is in them', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue('a', { maxLength: 1, overflow: 'block' });
    const names = [
      'accepted',
      'delivered',
      'acked',
      'deadLettered',
      'unroutable',
      'blocked',
      'unblocked',
      'closed',
    ] as const;
    const told: string[] = [];
    for (const name of names) broker.on(name, (event) => told.push(JSON.stringify(event)));
    await queue.send(1);
    const second = queue.send(2);
    await quiet();
    (await queue.receive())!.reject();
    await second;
    await broker.exchange('x').publish('k', 3);
    (await queue.receive())!.ack();
    await quiet();
    await broker.close();
    expect(new Set(told.flatMap((json) => Object.keys(JSON.parse(json) as object))).size).toBeLessThan(15);
    expect(told.every((json) => json.length < 200)).toBe(true);
    expect(told.length).toBeGreaterThan(8);
  });
});

describe('An error that nobody hears', () => {
  const warnings: unknown[] = [];
  afterEach(() => {
    vi.restoreAllMocks();
    warnings.length = 0;
  });

  async function failing(): Promise<{ broker: Broker; queue: Queue; fail: (error: Error) => void }> {
    const storage = new FaultyStorage(new MemoryStorage());
    const broker = await Broker.open({ storage, clock: new ManualClock() });
    const queue = broker.queue('a');
    vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(warning));
    return { broker, queue, fail: (error) => storage.failNext('write', error) };
  }

  it('becomes a warning of the process, never a throw', async () => {
    const { broker, queue, fail } = await failing();
    const error = new Error('the grave is closed');
    await queue.send(1);
    fail(error);
    (await queue.receive())!.reject();
    await until(() => warnings.length > 0);
    expect(warnings).toEqual([error]);
    await broker.close({ timeout: 0 });
  });

  it('is heard by a listener instead, and only while there is one', async () => {
    const { broker, queue, fail } = await failing();
    const heard: Error[] = [];
    const listener = ({ error }: BrokerEvents['error']): void => void heard.push(error);
    const errors = ['a', 'b', 'c'].map((message) => new Error(message));
    broker.on('error', listener);
    for (const error of errors) {
      await queue.send(1);
      fail(error);
      (await queue.receive())!.reject();
      if (error === errors[1]) broker.off('error', listener);
    }
    await until(() => warnings.length > 0);
    expect(heard).toEqual(errors.slice(0, 2));
    expect(warnings).toEqual(errors.slice(2));
    await broker.close({ timeout: 0 });
  });

  it('of an error listener itself goes to the process: no circle', async () => {
    const { broker, queue } = await failing();
    let called = 0;
    broker.on('error', () => {
      called++;
      throw new Error('the listener of errors');
    });
    broker.on('error', (async () => {
      throw new Error('and an async one');
    }) as unknown as () => void);
    broker.on('accepted', () => {
      throw new Error('a listener');
    });
    await queue.send(1);
    await until(() => warnings.length > 1);
    expect(called).toBe(1);
    expect(warnings).toEqual([new Error('the listener of errors'), new Error('and an async one')]);
    await broker.close({ timeout: 0 });
  });

  it('may be anything: what is no Error arrives as the cause of one', async () => {
    const { broker, queue } = await failing();
    const thrown: unknown[] = ['text', 42, null, undefined, { code: 7 }, Symbol('s')];
    broker.on('accepted', () => {
      throw thrown[queue.stats().accepted - 1];
    });
    for (const _ of thrown) await queue.send(1);
    await until(() => warnings.length === thrown.length);
    for (const warning of warnings) expect(warning).toBeInstanceOf(Error);
    expect(warnings.map((warning) => (warning as Error).cause)).toEqual(thrown);
    await broker.close({ timeout: 0 });
  });
});
