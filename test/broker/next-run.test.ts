import { describe, expect, it } from 'vitest';
import { Broker } from '../../src/index.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { balanced, fill, waiting } from '../fixtures.js';

/** A first run that declares with `declare`, and the one after it, on the same storage. */
async function nextRun(declare: (broker: Broker) => void | Promise<void>): Promise<Broker> {
  const storage = new JournalStorage({ latency: seededRandom(7) });
  const first = await Broker.open({ storage, clock: new ManualClock() });
  await declare(first);
  await first.close({ timeout: 0 });
  return Broker.open({ storage, clock: new ManualClock() });
}

describe('In the next run', () => {
  it('durable exchanges, queues and their bindings are there before anybody declares them', async () => {
    const broker = await nextRun((first) => {
      const [all, some] = [first.queue('all'), first.queue('some')];
      const inner = first.exchange('inner', { type: 'fanout' }).bind(all);
      first.exchange('x', { alternate: 'lost' }).bind(inner, '#').bind(some, 'a.*').bind(some, 'b').unbind(some, 'b');
      first.exchange('h', { type: 'headers' }).bind(some, { match: 'any', headers: { a: 1 } });
    });
    expect(broker.stats().queues.map(({ name, declared }) => [name, declared])).toEqual([
      ['all', false],
      ['some', false],
    ]);
    expect((await broker.exchange('x').publish('a.b', 1)).destinations.toSorted()).toEqual(['all', 'some']);
    expect((await broker.exchange('x').publish('b', 2)).destinations).toEqual(['all']);
    expect((await broker.exchange('h').publish('', 3, { headers: { a: 1 } })).destinations).toEqual(['some']);
    expect(broker.exchange('h').bindings()).toEqual([
      { destination: 'some', match: { match: 'any', headers: { a: 1 } } },
    ]);
    expect(broker.queue('all').stats()).toMatchObject({ declared: true, ready: 2 });
    await broker.close({ timeout: 0 });
  });

  it('what is not durable is gone, and the bindings to it', async () => {
    const broker = await nextRun((first) => {
      const passing = first.queue('passing', { durable: false });
      first.exchange('x').bind(passing, '#').bind(first.queue('lasting'), '#');
      first.exchange('fleeting', { durable: false }).bind(first.queue('lasting'), '#');
    });
    expect(broker.stats().queues.map(({ name }) => name)).toEqual(['lasting']);
    expect(broker.stats().exchanges.map(({ name, bindings }) => [name, bindings])).toEqual([['x', 1]]);
    await broker.close({ timeout: 0 });
  });

  it('what was deleted stays away', async () => {
    const broker = await nextRun(async (first) => {
      first.exchange('x').bind(first.queue('q'), '#');
      await fill(first.queue<number>('q'), 3);
      await first.delete('q');
      await first.delete('x');
    });
    expect(broker.stats()).toMatchObject({ queues: [], exchanges: [] });
    await broker.close({ timeout: 0 });
  });

  it('the code wins: other options overwrite what is remembered', async () => {
    const broker = await nextRun(async (first) => {
      await fill(first.queue<number>('q', { maxLength: 5, overflow: 'reject', deadLetter: 'a' }), 3);
      first.exchange('x', { internal: true });
    });
    const queue = broker.queue<number>('q', { maxLength: 4, overflow: 'drop-head' });
    await queue.send(3);
    await queue.send(4);
    expect(await waiting(queue)).toEqual([1, 2, 3, 4]);
    expect(() => broker.queue('q', { maxLength: 5 })).toThrow(
      expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH' }),
    );
    expect((await broker.exchange('x', { internal: false }).publish('a', 1)).destinations).toEqual([]);
    expect(() => broker.exchange('q')).toThrow(expect.objectContaining({ code: 'ERR_DECLARATION_MISMATCH' }));
    balanced(broker);
    await broker.close({ timeout: 0 });
  });

  it('what close() gave up on is there again, at no cost in attempts', async () => {
    const broker = await nextRun(async (first) => {
      const queue = first.queue<number>('q');
      await fill(queue, 2);
      const delivered = new Promise((resolve) => first.once('delivered', resolve));
      queue.consume(() => new Promise(() => undefined));
      await delivered;
    });
    const queue = broker.queue<number>('q');
    const [one, two] = [(await queue.receive())!, (await queue.receive())!];
    expect([one.body, one.attempt, two.body, two.attempt]).toEqual([0, 1, 1, 1]);
    await broker.close({ timeout: 0 });
  });
});
