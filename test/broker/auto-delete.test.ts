import { expect, it } from 'vitest';
import { Broker, MemoryStorage } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/faulty-storage.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

it('A queue that deletes itself, and cannot, reports it: no rejection is left unhandled', async () => {
  const storage = new FaultyStorage(new MemoryStorage());
  const clock = new ManualClock();
  const broker = await Broker.open({ storage, clock });
  const errors: Error[] = [];
  broker.on('error', ({ error }) => errors.push(error));
  const gone = new Error('no disk');
  const consumer = broker.queue('q', { autoDelete: true }).consume(() => undefined);
  storage.failWhen('write', (batch) => batch.some(({ type }) => type === 'remove'), gone);
  await consumer.close();
  await clock.advance(0);
  expect(broker.stats().queues).toEqual([]);
  expect(errors).toEqual([gone]);
  await broker.close();
});
