import { loaded, oneByOne } from '../loads.js';
import { openBare } from '../queues/bare.js';
import { openFastqAwaited, openFastqPromise } from '../queues/fastq.js';
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
    sluice: loaded(oneByOne, openSluice, concurrency),
    bare: loaded(oneByOne, openBare, concurrency),
    smqp: loaded(oneByOne, openSmqp, concurrency),
    // The promise of these three is that of completion: with them the sender also waits for the handler.
    'fastq.promise': loaded(oneByOne, openFastqPromise, concurrency),
    'fastq (callback)': loaded(oneByOne, openFastqAwaited, concurrency),
    'p-queue': loaded(oneByOne, openPQueue, concurrency),
  },
});

/** A trickle: each send awaited before the next, while handlers run in between. */
export const row: Row = {
  number: 2,
  title: 'the same, each send awaited one by one',
  bare: 'the same loop, each send awaited',
  contests: CONCURRENCIES.map(contest),
  judge: (results) =>
    CONCURRENCIES.flatMap((concurrency): Check[] => {
      const { name } = contest(concurrency);
      const ahead = (of: string): number => results.ratio(name, of, 'sluice', 'ns');
      const check = { unit: '×', better: 'higher' } as const;
      return [
        { ...check, what: `of bare, ${name}`, value: ahead('bare'), target: 0.42, floor: 0.28 },
        { ...check, what: `× smqp, ${name}`, value: ahead('smqp'), target: 5 },
      ];
    }),
};
