import { openBare } from '../queues/bare.js';
import { openFastq, openFastqPromise } from '../queues/fastq.js';
import { openPQueue } from '../queues/p-queue.js';
import type { OpenQueue } from '../queues/queue.js';
import { openSluiceQueue } from '../queues/sluice.js';
import { openSmqpQueue } from '../queues/smqp.js';
import { percentile, type Contender, type Measure, type Row } from '../row.js';

const NAME = 'send → handler called';
const SAMPLES = 5000;

/**
 * From the call of send to the call of the handler, on a queue that had nothing to do for a turn of the event loop, in µs.
 * `late` counts handlers that were called in another turn than the send: a timer or setImmediate was in between.
 */
function latency(open: OpenQueue): Contender {
  const setUp = async (): Promise<Measure> => {
    let called = 0;
    let turned = false;
    let late = 0;
    const queue = await open(async () => {
      called = performance.now();
      if (turned) late++;
    }, 1);
    const overhead = readingTime();
    const nextTurn = (): Promise<void> =>
      new Promise((resolve) => {
        setImmediate(() => {
          turned = true;
          resolve();
        });
      });
    return async () => {
      const delays = new Float64Array(SAMPLES);
      late = 0;
      for (let n = 0; n < SAMPLES; n++) {
        await nextTurn();
        called = 0;
        turned = false;
        // Queued before the send: it comes before whatever the send might queue.
        const turn = nextTurn();
        const sent = performance.now();
        void queue.send({ n });
        await turn;
        while (called === 0) await nextTurn();
        delays[n] = Math.max(0, called - sent - overhead) * 1000;
      }
      delays.sort();
      return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99), late, messages: SAMPLES };
    };
  };
  return { setUp };
}

/** What reading the clock twice takes, ms. */
function readingTime(): number {
  const deltas = new Float64Array(20_000);
  for (let n = 0; n < deltas.length; n++) {
    const before = performance.now();
    deltas[n] = performance.now() - before;
  }
  return percentile(deltas.sort(), 0.5);
}

/** A message that nobody was waiting behind: how soon its handler runs. */
export const row: Row = {
  number: 4,
  title: 'idle: from send to the call of the handler, in memory',
  bare: 'a worker loop that sleeps on a promise is woken',
  contests: [
    {
      name: NAME,
      figure: 'p50',
      unit: 'µs, median',
      // One send per turn of the event loop: it takes a while until the compiler has seen enough.
      warmUps: 6,
      contenders: {
        sluice: latency(openSluiceQueue),
        bare: latency(openBare),
        smqp: latency(openSmqpQueue),
        'fastq.promise': latency(openFastqPromise),
        'fastq (callback)': latency(openFastq),
        'p-queue': latency(openPQueue),
      },
    },
  ],
  judge: (results) => {
    const p99 = (of: string): string => `${of} ${results.median(NAME, of, 'p99').toFixed(1)}`;
    return [
      {
        what: 'p50',
        value: results.median(NAME, 'sluice', 'p50'),
        unit: 'µs',
        better: 'lower',
        target: 0.5,
        note: `bare ${results.median(NAME, 'bare', 'p50').toFixed(2)}`,
      },
      {
        what: 'p99',
        value: results.median(NAME, 'sluice', 'p99'),
        unit: 'µs',
        better: 'lower',
        target: 2,
        note: ['bare', 'smqp', 'fastq.promise', 'p-queue'].map(p99).join(', '),
      },
      {
        what: `handlers called in a later turn, of ${SAMPLES}`,
        value: results.median(NAME, 'sluice', 'late'),
        unit: '',
        better: 'lower',
        target: 0,
        floor: 0,
      },
      {
        what: '× smqp, p50',
        value: results.ratio(NAME, 'smqp', 'sluice', 'p50'),
        unit: '×',
        better: 'higher',
        target: 1,
      },
    ];
  },
};
