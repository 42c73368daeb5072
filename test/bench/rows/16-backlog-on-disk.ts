import { Broker } from '../../../src/index.js';
import { FileStorage } from '../../../src/storage/file-storage.js';
import { scratch } from '../disk.js';
import type { Contender, Row } from '../row.js';
import { BODY } from '../senders/sender.js';

const NAME = 'waiting on the disk';
const MESSAGES = 10_000_000;
const SENT_AT_ONCE = 1000;
const MEBI = 1024 * 1024;

/** Queues them, weighs the process, closes; opens again, drains them, and says how much it took at the most. */
const backlog: Contender = {
  setUp: (scale) => async () => {
    const directory = scratch();
    const count = scale.quick ? MESSAGES / 20 : MESSAGES;
    const filling = await Broker.open({ storage: new FileStorage(directory) });
    const full = filling.queue('orders');
    const send = async (messages: number): Promise<void> => {
      for (let sent = 0; sent < messages; sent += SENT_AT_ONCE) {
        await Promise.all(Array.from({ length: SENT_AT_ONCE }, () => full.send(BODY)));
      }
    };
    // What a short backlog takes, and the buffers of both sides: there once.
    await send(count / 10);
    const before = held();
    await send(count - count / 10);
    const bytes = Math.max(0, held() - before) / (count - count / 10);
    const rss = process.memoryUsage.rss() / MEBI;
    await filling.close();

    const draining = await Broker.open({ storage: new FileStorage(directory) });
    let left = count;
    await new Promise<void>((resolve) => {
      const handler = async (): Promise<void> => {
        if (--left === 0) resolve();
      };
      draining.queue('orders').consume(handler, { concurrency: 16 });
    });
    await draining.close();
    return { bytes, rss, peak: process.resourceUsage().maxRSS / 1024, messages: count };
  },
};

/** Typed arrays live outside of the heap, and count. */
function held(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A backlog far larger than memory should have to do with. */
export const row: Row = {
  number: 16,
  title: '10,000,000 × 200 B queued, closed, reopened and drained: memory',
  bare: 'none',
  contests: [
    {
      name: NAME,
      figure: 'bytes',
      unit: 'B/message',
      lives: 1,
      rounds: 1,
      warmUps: 0,
      contenders: { sluice: backlog },
    },
  ],
  judge: (results) => {
    const most = (figure: string) => results.median(NAME, 'sluice', figure);
    const check = { better: 'lower' } as const;
    return [
      { ...check, what: 'per message that waits', value: most('bytes'), unit: 'B', target: 8, floor: 24 },
      { ...check, what: 'the process while all wait', value: most('rss'), unit: 'MB', target: 150, floor: 500 },
      {
        ...check,
        what: 'its peak, drained after a reopening',
        value: most('peak'),
        unit: 'MB',
        target: 150,
        floor: 500,
      },
    ];
  },
};
