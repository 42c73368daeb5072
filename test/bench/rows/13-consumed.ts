import { FileStorage } from '../../../src/storage/file-storage.js';
import type { Durability, StorageOp } from '../../../src/storage/storage.js';
import { Broker } from '../../../src/index.js';
import { scratch } from '../disk.js';
import type { Contender, Measure, Row, Scale } from '../row.js';
import { BODY } from '../senders/sender.js';
import { DISKS, onDisk } from '../sending.js';
import { now } from '../time.js';

/** Consumed per run: of those whose acknowledgements ride, and of those that are awaited one by one. */
const RIDING = 20_000;
const AWAITED = 200;
const SENT_AT_ONCE = 1000;

/** Tells how long acknowledgements waited until they were on the disk: the longest, ms. */
class Watched extends FileStorage {
  longest = 0;
  private since = Infinity;

  acked(): void {
    this.since = Math.min(this.since, performance.now());
  }

  override async write(batch: readonly StorageOp[], reach?: Durability): Promise<void> {
    const { since } = this;
    const carries = batch.some((op) => op.type === 'append' && op.entry.body === undefined);
    if (carries) this.since = Infinity;
    await super.write(batch, reach);
    if (carries && since < Infinity) this.longest = Math.max(this.longest, performance.now() - since);
  }
}

/** A backlog, consumed by a trivial handler; until the last acknowledgement is on the disk. */
function consumed(messages: number, awaited: boolean): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const storage = new Watched(scratch());
    const broker = await Broker.open({ storage });
    const queue = broker.queue('orders');
    const count = scale.quick ? messages / 4 : messages;
    let left = 0;
    let done = (): void => undefined;
    queue.consume(
      async (delivery) => {
        delivery.ack();
        if (awaited) await broker.flush();
        else storage.acked();
        if (--left === 0) done();
      },
      { ack: 'manual' },
    );
    return async () => {
      queue.pause();
      for (let sent = 0; sent < count; sent += SENT_AT_ONCE) {
        await Promise.all(Array.from({ length: Math.min(SENT_AT_ONCE, count - sent) }, () => queue.send(BODY)));
      }
      await broker.flush();
      storage.longest = 0;
      left = count;
      const finished = new Promise<void>((resolve) => (done = resolve));
      const began = now();
      queue.resume();
      await finished;
      await broker.flush();
      return { ns: ((now() - began) * 1e6) / count, window: storage.longest, messages: count };
    };
  };
  return { setUp };
}

const contests = DISKS.map((disk) =>
  onDisk(disk, { sluice: consumed(RIDING, false), 'acks awaited': consumed(AWAITED, true) }),
);

/** Acknowledgements reach the disk with whatever is written next: losing one in a power cut is a redelivery. */
export const row: Row = {
  number: 13,
  title: 'a durable queue consumed and acked, concurrency 1, until the last ack is on the disk',
  bare: 'none',
  contests,
  judge: (results) =>
    contests.flatMap((contest) => [
      {
        what: `× acks awaited one commit each, ${contest.name}`,
        value: results.ratio(contest.name, 'acks awaited', 'sluice', 'ns'),
        unit: '×',
        better: 'higher',
        target: 10,
      },
      {
        what: `longest until an ack was on the disk, ${contest.name}`,
        value: results.median(contest.name, 'sluice', 'window'),
        unit: 'ms',
        better: 'lower',
        target: 10,
      },
    ]),
};
