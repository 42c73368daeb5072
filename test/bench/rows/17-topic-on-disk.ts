import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Broker, FileStorage } from '../../../src/index.js';
import { scratch } from '../disk.js';
import type { Contender, Row, Scale } from '../row.js';
import { now } from '../time.js';

const NAME = 'from the first message to the last';
const MESSAGES = 5_000_000;
const AT_ONCE = 1000;
const PARTITIONS = 8;
const CHUNK = 2 ** 20;
/** With the quotes of its JSON, 200 bytes. */
const BODY = 'x'.repeat(198);

/** As many as an impatient one can wait for. */
const count = (scale: Scale): number => (scale.quick ? MESSAGES / 50 : MESSAGES);

async function filled(messages: number): Promise<string> {
  const directory = scratch();
  const broker = await Broker.open({ storage: new FileStorage(directory, { flush: 'async' }) });
  const topic = broker.topic('readings', { partitions: PARTITIONS });
  const batch = Array.from({ length: AT_ONCE }, (_, n) => ({ body: BODY, key: `key-${n % 100}` }));
  for (let sent = 0; sent < messages; sent += AT_ONCE) await topic.publishMany(batch);
  await broker.close();
  return directory;
}

/** Messages between two looks at the memory: one takes as long as the engine does for tens of them. */
const LOOK = 100_000;

/** Most that the process ever held while it ran, MB. */
class Watch {
  private most = 0;
  private next = LOOK;

  /** So many are read by now. */
  read(messages: number): void {
    if (messages < this.next) return;
    this.next += LOOK;
    this.most = Math.max(this.most, process.memoryUsage.rss());
  }

  get megabytes(): number {
    return this.most / 1e6;
  }
}

const reader: Contender = {
  setUp: async (scale) => {
    const directory = await filled(count(scale));
    return async () => {
      const broker = await Broker.open({ storage: new FileStorage(directory) });
      const watch = new Watch();
      const began = now();
      let read = 0;
      for await (const { body } of broker.topic('readings').read({ follow: false })) {
        if (body !== undefined) watch.read(++read);
      }
      const elapsed = now() - began;
      await broker.close();
      if (read !== count(scale)) throw new Error(`${read} messages were read of ${count(scale)}`);
      return { ns: (elapsed * 1e6) / read, megabytes: watch.megabytes };
    };
  },
};

const group: Contender = {
  setUp: async (scale) => {
    const directory = await filled(count(scale));
    let times = 0;
    return async () => {
      const broker = await Broker.open({ storage: new FileStorage(directory, { flush: 'async' }) });
      const watch = new Watch();
      const late = broker.topic('readings').group(`late-${times++}`);
      const began = now();
      let handled = 0;
      await new Promise<void>((resolve) => {
        late.consumeBatch(
          (batch) => {
            handled += batch.length;
            watch.read(handled);
            if (handled === count(scale)) resolve();
          },
          { size: 256, concurrency: PARTITIONS },
        );
      });
      const elapsed = now() - began;
      await broker.close();
      return { ns: (elapsed * 1e6) / handled, megabytes: watch.megabytes };
    };
  },
};

/** Reads all files, checks every byte, and parses a head for each message. */
const bare: Contender = {
  setUp: async (scale) => {
    const directory = await filled(count(scale));
    const head = '{"i":"0mjuohs00ceuiz600001","t":1795000000000,"q":17,"k":"key-17"}';
    const chunk = Buffer.allocUnsafe(CHUNK);
    return () => {
      const began = now();
      let sum = 0;
      for (const name of readdirSync(directory).filter((one) => one.endsWith('.seg'))) {
        const file = openSync(join(directory, name), 'r');
        for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
          sum ^= crc32(chunk.subarray(0, read));
        }
        closeSync(file);
      }
      for (let n = count(scale); n > 0; n--) sum += Object.keys(JSON.parse(head) as object).length;
      return { ns: ((now() - began) * 1e6) / count(scale), megabytes: sum === 0 ? 1 : 0 };
    };
  },
};

/** A topic on a disk, read from its beginning: nothing of it is in memory. */
export const row: Row = {
  number: 17,
  title: `topic of ${PARTITIONS} partitions on a disk, read back: ${MESSAGES / 1e6} million messages of 200 B of JSON`,
  bare: 'read + crc32 of the files, JSON.parse of a head for each message',
  contests: [
    {
      name: NAME,
      figure: 'ns',
      unit: 'ns/message',
      contenders: { sluice: reader, 'sluice, a group in batches': group, bare },
      lives: 1,
      rounds: 5,
      warmUps: 1,
    },
  ],
  judge: (results) => {
    const share = { unit: '×', better: 'higher', target: 0.5, floor: 0.3 } as const;
    const memory = { unit: 'MB', better: 'lower', target: 300 } as const;
    const late = 'sluice, a group in batches';
    return [
      { ...share, what: 'of bare, read()', value: results.ratio(NAME, 'bare', 'sluice', 'ns') },
      { ...share, what: 'of bare, a group that catches up', value: results.ratio(NAME, 'bare', late, 'ns') },
      { ...memory, what: 'process, read()', value: results.median(NAME, 'sluice', 'megabytes') },
      { ...memory, what: 'process, a group', value: results.median(NAME, late, 'megabytes') },
    ];
  },
};
