import { Broker, reference, type MessageOptions } from '../../../src/index.js';
import { openFastq, openFastqPromise } from '../queues/fastq.js';
import { Ring } from '../queues/bare.js';
import { openPQueue } from '../queues/p-queue.js';
import type { OpenQueue } from '../queues/queue.js';
import { openSmqp } from '../queues/smqp.js';
import type { Check, Contender, Measure, Row, Scale } from '../row.js';

const NAME = 'waiting in memory';
const MESSAGES = 500_000;
/** Sends that are awaited together. */
const CHUNK = 1000;
const HOUR = 3_600_000;

interface Store {
  /** Sends message `n`; what it returns is awaited, unless it is undefined. */
  send(n: number): Promise<unknown> | undefined;
  /** Resolves when everything is as it is to be weighed. */
  rest?(): Promise<void>;
}

/**
 * Bytes that the heap and what hangs on it grow by, per message, the body `{ n }` included (24 to 32 B of its own). One fresh
 * process per figure: code and caches that are there before the first message are not counted.
 */
function retained(begin: () => Promise<Store>): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const store = await begin();
    const count = scale.quick ? MESSAGES / 5 : MESSAGES;
    // What is made by the first messages, and the code that the compiler makes of the way they take.
    await fill(store, -CHUNK * 5, 0);
    return async () => {
      const before = held();
      await fill(store, 0, count);
      return { bytes: Math.max(0, held() - before) / count };
    };
  };
  return { setUp };
}

async function fill(store: Store, from: number, to: number): Promise<void> {
  for (let n = from; n < to;) {
    const sends: Promise<unknown>[] = [];
    for (const end = n + CHUNK; n < end; n++) {
      const sent = store.send(n);
      if (sent !== undefined) sends.push(sent);
    }
    await Promise.all(sends);
  }
  await store.rest?.();
}

/** Typed arrays live outside of the heap, and count. */
function held(): number {
  globalThis.gc!();
  globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const sluice = (options?: (n: number) => MessageOptions): Contender =>
  retained(async () => {
    const broker = await Broker.open({ codec: reference });
    const queue = broker.queue('orders');
    return { send: options === undefined ? (n) => queue.send({ n }) : (n) => queue.send({ n }, options(n)) };
  });

/** The first message stays in its handler's hands for ever; all others are consumed. */
const stuck = retained(async () => {
  const broker = await Broker.open({ codec: reference });
  const queue = broker.queue<{ n: number }>('orders');
  let first = true;
  queue.consume(
    () => {
      if (!first) return undefined;
      first = false;
      return new Promise(() => undefined);
    },
    { concurrency: 2 },
  );
  return {
    send: (n) => queue.send({ n }),
    rest: async () => {
      while (queue.stats().ready > 0) await nextTurn();
      await nextTurn();
    },
  };
});

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a broker cannot forget of a message that waits: which it is, when it came, and its body. */
class Envelope {
  readonly id: number;
  readonly time: number;
  readonly body: object;
  constructor(id: number, time: number, body: object) {
    this.id = id;
    this.time = time;
    this.body = body;
  }
}

const bare = retained(async () => {
  const ring = new Ring();
  return {
    send(n) {
      ring.push(new Envelope(n, Date.now(), { n }));
      return Promise.resolve(undefined);
    },
  };
});

/** Whose sends tell completion cannot be awaited while nothing is handled. */
const peer = (open: OpenQueue): Contender =>
  retained(async () => {
    const queue = await open(async () => undefined, 1);
    queue.hold();
    return { send: (n) => void queue.send({ n }) };
  });

/** What a million waiting messages weigh, each. */
export const row: Row = {
  number: 6,
  title: 'heap per queued message in memory, small body by reference',
  bare: 'a ring of { id, time, body }',
  contests: [
    {
      name: NAME,
      figure: 'bytes',
      unit: 'B/message',
      // The same to the byte every time.
      lives: 2,
      rounds: 1,
      warmUps: 0,
      contenders: {
        sluice: sluice(),
        'sluice, with a key': sluice((n) => ({ key: `customer-${n % 1000}` })),
        'sluice, delayed': sluice(() => ({ delay: HOUR })),
        'sluice, stuck': stuck,
        bare,
        smqp: peer(openSmqp),
        'fastq.promise': peer(openFastqPromise),
        'fastq (callback)': peer(openFastq),
        'p-queue': peer(openPQueue),
      },
    },
  ],
  judge: (results) => {
    const most = (what: string, contender: string, target: number, floor?: number): Check => {
      const value = results.median(NAME, contender, 'bytes');
      return { what, value, unit: 'B', better: 'lower', target, floor };
    };
    return [
      most('waiting', 'sluice', 140, 180),
      most('waiting, with a key of its own', 'sluice, with a key', 180),
      most('delayed', 'sluice, delayed', 200),
      most('consumed behind one stuck message', 'sluice, stuck', 4),
    ];
  },
};
