import {
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { closeSync, fsyncSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Broker } from '../../../src/index.js';
import { FileStorage } from '../../../src/storage/file-storage.js';
import { scratch } from '../disk.js';
import type { Check, Contender, Measure, Row, Scale } from '../row.js';
import { openDatabase, openEnvironment } from '../senders/peers.js';
import { BODY } from '../senders/sender.js';
import { now } from '../time.js';

const OPENED = 'open, then the first delivery';
const VERIFIED = 'all of it verified';
const MILLION = 1_000_000;
const SENT_AT_ONCE = 1000;
/** As much in one segment as it takes, nearly: all of it is to be judged after a crash. Bytes. */
const FULL_SEGMENT = 62 * 1024 * 1024;

interface Until {
  readonly messages?: number;
  readonly bytes?: number;
}

/** Fills a queue, closes the broker, and returns the directory; what a killed process would have left is in `killed` beside it. */
async function filled({ messages = Infinity, bytes = Infinity }: Until): Promise<{ closed: string; killed: string }> {
  const place = scratch();
  const [closed, killed] = [join(place, 'closed'), join(place, 'killed')];
  const storage = new FileStorage(closed);
  const broker = await Broker.open({ storage });
  const queue = broker.queue('orders');
  for (let sent = 0; sent < messages && Number(storage.stats()['bytes']) < bytes; sent += SENT_AT_ONCE) {
    await Promise.all(Array.from({ length: SENT_AT_ONCE }, () => queue.send(BODY)));
  }
  copy(closed, killed, false);
  await broker.close();
  return { closed, killed };
}

/** Copies what an open storage may write to, and links the rest. The lock names a process that is gone. */
function copy(from: string, to: string, links: boolean): void {
  mkdirSync(to, { mode: 0o700 });
  const names = readdirSync(from).sort();
  const written = names.filter((name) => name.endsWith('.seg')).slice(-2);
  for (const name of names) {
    const isWritten = written.includes(name) || !/\.(seg|idx)$/.test(name);
    if (links && !isWritten) linkSync(join(from, name), join(to, name));
    else copyFileSync(join(from, name), join(to, name));
    const fd = openSync(join(to, name), 'r');
    fsyncSync(fd);
    closeSync(fd);
  }
  const lock = join(to, 'lock');
  const owner = JSON.parse(readFileSync(lock, 'utf8')) as object;
  writeFileSync(lock, JSON.stringify({ ...owner, started: '1' }));
}

async function firstDelivery(directory: string): Promise<number> {
  const began = now();
  const broker = await Broker.open({ storage: new FileStorage(directory) });
  const delivered = new Promise<void>((resolve) => {
    broker.queue('orders').consume(async (delivery) => {
      resolve();
      delivery.requeue();
      await new Promise(() => undefined);
    });
  });
  await delivered;
  const ms = now() - began;
  await broker.close({ timeout: 0 });
  return ms;
}

const reduced = (scale: Scale, until: Until): Until =>
  scale.quick && until.messages !== undefined ? { messages: Math.min(until.messages, MILLION / 5) } : until;

const afterClose = (until: Until): Contender => ({
  setUp: async (scale) => {
    const { closed } = await filled(reduced(scale, until));
    return async () => ({ ms: await firstDelivery(closed) });
  },
});

const afterKill = (until: Until): Contender => ({
  setUp: async (scale) => {
    const { killed } = await filled(reduced(scale, until));
    const directory = `${killed}-again`;
    return async () => {
      copy(killed, directory, true);
      const ms = await firstDelivery(directory);
      rmSync(directory, { recursive: true });
      return { ms };
    };
  },
});

const sqlite: Contender = {
  setUp: (scale): Measure => {
    const directory = scratch();
    const { database, insert } = openDatabase(directory, 'disk');
    database.transaction(() => {
      for (let n = scale.quick ? MILLION / 5 : MILLION; n > 0; n--) insert.run(BODY);
    })();
    database.close();
    return () => {
      const began = now();
      const opened = openDatabase(directory, 'disk').database;
      opened.prepare('SELECT id, body FROM messages ORDER BY id LIMIT 1').get();
      const ms = now() - began;
      opened.close();
      return { ms };
    };
  },
};

const lmdb: Contender = {
  setUp: async (scale): Promise<Measure> => {
    const directory = scratch();
    const filling = openEnvironment(directory, 'disk');
    await filling.transaction(() => {
      for (let n = scale.quick ? MILLION / 5 : MILLION; n > 0; n--) void filling.put(n, BODY);
    });
    await filling.close();
    return async () => {
      const began = now();
      const opened = openEnvironment(directory, 'disk');
      if ([...opened.getRange({ limit: 1 })].length === 0) throw new Error('it is empty');
      const ms = now() - began;
      await opened.close();
      return { ms };
    };
  },
};

const verified: Contender = {
  setUp: async (scale) => {
    const { closed } = await filled(reduced(scale, { messages: MILLION }));
    return async () => {
      const began = now();
      const { movedTo } = await FileStorage.repair(closed);
      if (movedTo !== undefined) throw new Error('there was something to repair');
      return { ms: now() - began };
    };
  },
};

/** Reads every segment, a mebibyte at a time, and takes one checksum over each piece. */
const readAndSummed: Contender = {
  setUp: async (scale) => {
    const { closed } = await filled(reduced(scale, { messages: MILLION }));
    const piece = Buffer.alloc(1024 * 1024);
    return () => {
      const began = now();
      let sum = 0;
      for (const name of readdirSync(closed).filter((each) => each.endsWith('.seg'))) {
        const fd = openSync(join(closed, name), 'r');
        for (let at = 0, read = 1; read > 0; at += read) {
          read = readSync(fd, piece, 0, piece.byteLength, at);
          sum = crc32(piece.subarray(0, read), sum);
        }
        closeSync(fd);
      }
      return { ms: now() - began, sum };
    };
  },
};

const contest = { figure: 'ms', unit: 'ms', lives: 1, rounds: 5, warmUps: 1 } as const;

/** A restart with a backlog. */
export const row: Row = {
  number: 15,
  title: 'reopening with 1,000,000 × 200 B waiting, files in the page cache',
  bare: 'none; of the verification, reading the files and their crc32',
  contests: [
    {
      ...contest,
      name: OPENED,
      contenders: {
        sluice: afterClose({ messages: MILLION }),
        'with 10,000': afterClose({ messages: MILLION / 100 }),
        killed: afterKill({ messages: MILLION }),
        'killed, its segment full': afterKill({ bytes: FULL_SEGMENT }),
        SQLite: sqlite,
        lmdb,
      },
    },
    { ...contest, name: VERIFIED, contenders: { sluice: verified, bare: readAndSummed } },
  ],
  judge: (results) => {
    const most = (what: string, contender: string, target: number, floor: number): Check => {
      const value = results.median(OPENED, contender, 'ms');
      return { what, value, unit: 'ms', better: 'lower', target, floor };
    };
    return [
      most('after a clean close', 'sluice', 25, 50),
      {
        what: 'to the same with 10,000 waiting',
        value: results.ratio(OPENED, 'sluice', 'with 10,000', 'ms'),
        unit: '×',
        better: 'lower',
        target: 1.5,
      },
      most('after a kill', 'killed', 50, 100),
      most('after a kill, its segment full', 'killed, its segment full', 50, 100),
      {
        what: 'complete verification, to reading and crc32',
        value: results.ratio(VERIFIED, 'sluice', 'bare', 'ms'),
        unit: '×',
        better: 'lower',
        target: 3,
        floor: 6,
      },
    ];
  },
};
