import { describe, expect, it } from 'vitest';
import { Broker } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { MACHINES } from './machines.js';

describe.each(MACHINES)('After many short runs on $name', ({ start }) => {
  it.each(['close', 'kill'] as const)(
    'that each end by a %s, what they wrote of themselves has not grown',
    async (end) => {
      const clock = new ManualClock();
      const machine = start(3);
      const run = async (): Promise<void> => {
        const broker = await Broker.open({ storage: machine.storage(), clock });
        if (end === 'kill') broker.on('error', () => undefined);
        const queue = broker.queue<number>('orders');
        const topic = broker.topic<number>('history', { retention: { consumed: true } });
        const group = topic.group('readers');
        const events = broker.exchange('events', { type: 'fanout' }).bind(queue).bind(topic);
        await events.publish('', 1);
        (await queue.receive())!.ack();
        (await group.receive())!.ack();
        await broker.flush();
        if (end === 'kill') await machine.kill();
        await broker.close({ timeout: 0 });
      };
      const sizes = async (): Promise<Record<string, number>> => {
        const storage = machine.storage();
        const ranges = await storage.open();
        await storage.close();
        return Object.fromEntries([...ranges].map(([log, { first, next }]) => [log, next - first]));
      };
      for (let runs = 0; runs < 25; runs++) await run();
      const before = await sizes();
      for (let runs = 0; runs < 50; runs++) await run();
      const after = await sizes();
      for (const [log, size] of Object.entries(after)) {
        expect(size, `entries in ${log}, ${before[log]} before`).toBeLessThan(log === 'catalog' ? 120 : 20);
      }
    },
  );
});
