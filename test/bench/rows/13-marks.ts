import { Broker, FileStorage } from '../../../src/index.js';
import { scratch } from '../disk.js';
import type { Contender, Measure, Row, Scale, Variant } from '../row.js';
import { BODY } from '../senders/sender.js';
import { DISKS, onDisk } from '../sending.js';
import { now } from '../time.js';

interface Work {
  readonly what: string;
  readonly concurrency: number;
  /** How long a handler takes, ms. 0: it returns at once. */
  readonly takes: number;
  /** Messages of a run. */
  readonly messages: number;
}

const WORKS: readonly Work[] = [
  { what: 'trivial handlers', concurrency: 1, takes: 0, messages: 20_000 },
  { what: 'trivial handlers', concurrency: 16, takes: 0, messages: 20_000 },
  { what: 'handlers of 1 ms', concurrency: 1, takes: 1, messages: 200 },
  { what: 'handlers of 1 ms', concurrency: 16, takes: 1, messages: 3200 },
];
const SENT_AT_ONCE = 1000;

/** A backlog, consumed with ack `auto`, until the last acknowledgement is on the disk. */
function consumed({ concurrency, takes, messages }: Work, variant: Variant): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const broker = await Broker.open({ storage: new FileStorage(scratch()) });
    const queue = broker.queue('orders');
    const count = scale.quick ? messages / 4 : messages;
    let left = 0;
    let done = (): void => undefined;
    const handled = (): void => {
      if (--left === 0) done();
    };
    const busy = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, takes));
      handled();
    };
    queue.consume(takes > 0 ? busy : handled, { concurrency });
    return async () => {
      queue.pause();
      for (let sent = 0; sent < count; sent += SENT_AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(SENT_AT_ONCE, count - sent) }, () => queue.send(BODY)));
      }
      await broker.flush();
      left = count;
      const finished = new Promise<void>((resolve) => (done = resolve));
      const began = now();
      queue.resume();
      await finished;
      await broker.flush();
      return { ns: ((now() - began) * 1e6) / count, messages: count };
    };
  };
  return { setUp, variant };
}

const contests = DISKS.flatMap((disk) =>
  WORKS.map((work) =>
    onDisk(
      disk,
      { sluice: consumed(work, 'stock'), 'sluice without': consumed(work, 'unmarked') },
      `${work.what}, concurrency ${work.concurrency}, `,
    ),
  ),
);

/** Before a handler runs, the storage knows that its delivery began: so a message that ends the process is found out. */
export const row: Row = {
  number: 13,
  title: 'begin marks: a durable queue consumed, beside sluice without them',
  bare: 'sluice without begin marks',
  contests,
  judge: (results) =>
    contests.map(({ name }) => ({
      what: `rate kept, ${name}`,
      value: results.ratio(name, 'sluice without', 'sluice', 'ns'),
      unit: '×',
      better: 'higher',
      target: 0.8,
    })),
};
