import { loaded, together } from '../loads.js';
import { openBare } from '../queues/bare.js';
import { openFastq, openFastqPromise } from '../queues/fastq.js';
import { openPQueue } from '../queues/p-queue.js';
import { openSluice } from '../queues/sluice.js';
import { openSmqp } from '../queues/smqp.js';
import type { Check, Contest, Row } from '../row.js';

const CONCURRENCIES = [1, 16];

const contest = (concurrency: number): Contest => ({
  name: `concurrency ${concurrency}`,
  figure: 'ns',
  unit: 'ns/message',
  contenders: {
    sluice: loaded(together, openSluice, concurrency),
    bare: loaded(together, openBare, concurrency),
    smqp: loaded(together, openSmqp, concurrency),
    'fastq.promise': loaded(together, openFastqPromise, concurrency),
    'fastq (callback)': loaded(together, openFastq, concurrency),
    'p-queue': loaded(together, openPQueue, concurrency),
  },
});

/** A burst: 1000 sends awaited together, and everything handled and acknowledged. */
export const row: Row = {
  number: 1,
  title: 'topic exchange → queue → async handler → ack, in memory by reference; 1000 sends awaited together',
  bare: 'ring, worker loops, `await handler`, one promise per send',
  contests: CONCURRENCIES.map(contest),
  judge: (results) =>
    CONCURRENCIES.flatMap((concurrency): Check[] => {
      const { name } = contest(concurrency);
      const ahead = (of: string): number => results.ratio(name, of, 'sluice', 'ns');
      const check = { unit: '×', better: 'higher' } as const;
      return [
        { ...check, what: `of bare, ${name}`, value: ahead('bare'), target: 0.6, floor: 0.42 },
        { ...check, what: `× smqp, ${name}`, value: ahead('smqp'), target: 8 },
        { ...check, what: `× p-queue, ${name}`, value: ahead('p-queue'), target: 4.5 },
        { ...check, what: `× fastq.promise, ${name}`, value: ahead('fastq.promise'), target: 1 },
      ];
    }),
};
