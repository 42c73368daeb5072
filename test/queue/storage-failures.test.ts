import { expect, it } from 'vitest';
import { MemoryStorage, type Storage } from '../../src/index.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { FaultyStorage } from '../../src/testing/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

const INNER: readonly [string, () => Storage][] = [
  ['at once', () => new MemoryStorage()],
  ['later', () => new JournalStorage({ latency: seededRandom(7) })],
];

for (const [when, create] of INNER) {
  onEachStorage(`A storage that fails ${when}`, (open) => {
    it('rejects the send, stores nothing, and takes the next', async () => {
      const storage = new FaultyStorage(create());
      const { broker } = await open({ storage });
      const queue = broker.queue<number>('orders');
      storage.failNext('write');
      await expect(queue.send(1)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
      expect(queue.stats()).toMatchObject({ accepted: 0, ready: 0, bytes: 0 });
      await queue.send(2);
      expect(await waiting(queue)).toEqual([2]);
      expect((await queue.receive())!.body).toBe(2);
    });

    it('rejects those alone of many sends whose write failed, and the others arrive in order', async () => {
      const storage = new FaultyStorage(create());
      const { broker, quiet } = await open({ storage });
      const queue = broker.queue<number>('orders');
      storage.failEvery('write', 3);
      const sends = Array.from({ length: 30 }, (_, n) => watch(queue.send(n)));
      await quiet();
      const stored = sends.flatMap(({ state }, n) => (state === 'resolved' ? n : []));
      expect(sends.filter(({ state }) => state === 'rejected')).toHaveLength(10);
      storage.heal();
      expect(await waiting(queue)).toEqual(stored);
      const handled: number[] = [];
      queue.consume(({ body }) => void handled.push(body));
      await quiet();
      expect(handled).toEqual(stored);
    });

    it('rejects a publish to several queues as a whole', async () => {
      const storage = new FaultyStorage(create());
      const { broker } = await open({ storage });
      const queues = ['a', 'b'].map((name) => broker.queue<number>(name));
      const exchange = broker.exchange('all', { type: 'fanout' }).bind(queues[0]!).bind(queues[1]!);
      storage.failNext('write');
      await expect(exchange.publish('', 1)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
      expect(queues.map((queue) => queue.stats().accepted)).toEqual([0, 0]);
    });

    it('gives back the room that a rejected send had taken', async () => {
      const storage = new FaultyStorage(create());
      const { broker } = await open({ storage });
      const queue = broker.queue<number>('orders', { maxLength: 1 });
      storage.failNext('write');
      await expect(queue.send(1)).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
      await queue.send(2);
      await expect(queue.send(3)).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
    });

    it('reports a read that failed, and reads again after a second', async () => {
      const storage = new FaultyStorage(create());
      const { broker, clock, reported } = await open({ storage });
      const queue = broker.queue<number>('orders');
      await fill(queue, 3000);
      storage.failNext('read');
      let handled = 0;
      let inOrder = true;
      queue.consume(({ body }) => void (inOrder &&= body === handled++));
      await clock.advance(0);
      expect(reported()).toMatchObject([{ code: 'ERR_STORAGE_FAILED' }]);
      expect(handled).toBeLessThan(3000);
      await clock.advance('1s');
      expect([handled, inOrder]).toEqual([3000, true]);
    });

    it('loses nothing to reads that fail again and again', async () => {
      const storage = new FaultyStorage(create());
      const { broker, clock, reported } = await open({ storage });
      const queue = broker.queue<number>('orders');
      await fill(queue, 3000);
      storage.failEvery('read', 2);
      const handled: number[] = [];
      queue.consume(({ body }) => void handled.push(body), { concurrency: 2 });
      await clock.advance('2m');
      expect(handled).toEqual(Array.from({ length: 3000 }, (_, n) => n));
      expect(reported().length).toBeGreaterThan(2);
    });

    it('loses no retry whose body could not be read', async () => {
      const storage = new FaultyStorage(create());
      const { broker, clock, reported } = await open({ storage });
      const queue = broker.queue<number>('orders', { retry: { backoff: () => 1000 } });
      await fill(queue, 500);
      const again: number[] = [];
      queue.consume(({ body, attempt }) => {
        if (attempt === 1) throw new Error('no');
        again.push(body);
      });
      await clock.advance(0);
      expect(queue.stats().delayed).toBe(500);
      storage.failNext('read');
      await clock.advance('1s');
      expect(reported()).toHaveLength(1);
      await clock.advance('1s');
      expect(again).toEqual(Array.from({ length: 500 }, (_, n) => n));
    });

    it('keeps what a full queue drops, where it cannot be written to the dead letters', async () => {
      const storage = new FaultyStorage(create());
      const { broker, clock, quiet, reported } = await open({ storage });
      const queue = broker.queue<number>('orders', { maxLength: 1, overflow: 'drop-head', deadLetter: 'graves' });
      await queue.send(1);
      storage.failWhen('write', (batch) => batch.some(({ log }) => log.includes('graves')));
      await queue.send(2);
      await quiet();
      expect(reported()).toHaveLength(1);
      expect(queue.stats()).toMatchObject({ ready: 1, delayed: 1, deadLettered: 0 });
      storage.heal();
      await clock.advance('1s');
      await queue.send(3);
      await quiet();
      expect(await waiting(queue)).toEqual([3]);
      expect(await waiting(broker.queue<number>('graves'))).toEqual([1, 2]);
    });

    it('rejects peek() where a read fails, and leaves the queue as it was', async () => {
      const storage = new FaultyStorage(create());
      const { broker } = await open({ storage });
      const queue = broker.queue<number>('orders');
      await fill(queue, 3);
      storage.failNext('read');
      await expect(queue.peek()).rejects.toMatchObject({ code: 'ERR_STORAGE_FAILED' });
      expect(await waiting(queue)).toEqual([0, 1, 2]);
    });

    it('reports what could not be dropped, and drops it later', async () => {
      const storage = new FaultyStorage(create());
      const { broker, quiet, reported } = await open({ storage });
      const queue = broker.queue<number>('orders');
      await fill(queue, 600);
      storage.failWhen('write', (batch) => batch.some(({ type }) => type === 'drop'));
      const consumer = queue.consume(() => undefined);
      await quiet();
      expect(queue.stats().acked).toBe(600);
      expect(reported().length).toBeGreaterThan(0);
      storage.heal();
      await queue.send(600);
      await quiet();
      await consumer.close();
      await broker.flush();
      expect(reported()).toEqual([]);
      const [log] = [...(await storage.open())].filter(([name]) => name.includes('orders'));
      expect(log![1].first).toBe(601);
    });
  });
}
