import { describe, expect, it } from 'vitest';
import { Broker, MemoryStorage } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import type { Awaitable, StorageOp } from '../../src/storage/storage.js';
import { fill, onEachStorage, watch } from '../fixtures.js';

/** A storage whose writes end when the test says so. */
class HeldStorage extends JournalStorage {
  readonly pausing: (() => void)[] = [];
  override async write(batch: readonly StorageOp[]): Promise<void> {
    await new Promise<void>((resolve) => this.pausing.push(resolve));
    return super.write(batch);
  }
  goOn(): void {
    for (const resume of this.pausing.splice(0)) resume();
  }
}

onEachStorage('flush()', (open) => {
  it('resolves where there is nothing to do', async () => {
    const { broker } = await open();
    await broker.flush();
    await fill(broker.queue<number>('a'), 3);
    await Promise.all([broker.flush(), broker.flush()]);
    expect(broker.queue('a').stats().ready).toBe(3);
  });

  it('rejects ERR_CLOSED when the broker is closed', async () => {
    const { broker } = await open();
    await broker.close();
    await expect(broker.flush()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
});

describe('flush()', () => {
  it('waits for the writes under way, acknowledgements included', async () => {
    const storage = new HeldStorage({ latency: seededRandom(1) });
    const clock = new ManualClock();
    const broker = await Broker.open({ storage, clock });
    const queue = broker.queue<number>('a');
    const sent = watch(queue.send(1));
    const flushed = watch(broker.flush());
    await clock.advance(0);
    expect([sent.state, flushed.state]).toEqual(['pending', 'pending']);
    storage.goOn();
    await clock.advance(0);
    expect([sent.state, flushed.state]).toEqual(['resolved', 'resolved']);
    const received = queue.receive();
    await clock.advance(0);
    storage.goOn();
    (await received)!.ack();
    const acked = watch(broker.flush());
    await clock.advance(0);
    expect(acked.state).toBe('pending');
    for (let n = 0; n < 5; n++) {
      storage.goOn();
      await clock.advance(0);
    }
    expect(acked.state).toBe('resolved');
    const closed = watch(broker.close({ timeout: 0 }));
    for (let n = 0; n < 5; n++) {
      storage.goOn();
      await clock.advance(0);
    }
    expect(closed.state).toBe('resolved');
  });

  it.each<[string, () => Awaitable<FaultyStorage>]>([
    ['at once', () => new FaultyStorage(new MemoryStorage())],
    ['later', () => new FaultyStorage(new JournalStorage())],
  ])('resolves after a write that failed %s: its sender was told', async (_, create) => {
    const storage = await create();
    const broker = await Broker.open({ storage, clock: new ManualClock() });
    storage.failNext('write');
    const sent = watch(broker.queue('a').send(1));
    await broker.flush();
    expect(sent).toMatchObject({ state: 'rejected', error: { code: 'ERR_STORAGE_FAILED' } });
    await broker.close({ timeout: 0 });
  });
});
