import { loaded, together } from '../loads.js';
import { openBareJson } from '../queues/bare.js';
import { openFastq, openFastqPromise } from '../queues/fastq.js';
import { openPQueue } from '../queues/p-queue.js';
import { openSluiceJson } from '../queues/sluice.js';
import { openSmqp } from '../queues/smqp.js';
import type { Check, Contest, Row } from '../row.js';

const CONCURRENCIES = [1, 16];

/** 200 bytes of JSON for every `n` below 1000. */
const order = (n: number) => ({
  n: 1000 + n,
  order: 'order-2024-000417',
  customer: 'customer-0042',
  placed: '2024-05-17T09:30:00.000Z',
  currency: 'EUR',
  total: 129.85,
  paid: true,
  lines: [
    { sku: 'A-1001', quantity: 2 },
    { sku: 'B-20', quantity: 11 },
  ],
});

const contest = (concurrency: number): Contest => ({
  name: `concurrency ${concurrency}`,
  figure: 'ns',
  unit: 'ns/message',
  contenders: {
    sluice: loaded(together, openSluiceJson, concurrency, order),
    bare: loaded(together, openBareJson, concurrency, order),
    // These copy nothing: sender and handler share one object.
    smqp: loaded(together, openSmqp, concurrency, order),
    'fastq.promise': loaded(together, openFastqPromise, concurrency, order),
    'fastq (callback)': loaded(together, openFastq, concurrency, order),
    'p-queue': loaded(together, openPQueue, concurrency, order),
  },
});

/** A burst of bodies that are copied on the way, so that no handler sees what another did to them. */
export const row: Row = {
  number: 3,
  title: 'as 1 with the default codec, `json`: objects of 200 B',
  bare: 'the loop of row 1, JSON.stringify at the send and JSON.parse before the handler',
  contests: CONCURRENCIES.map(contest),
  judge: (results) =>
    CONCURRENCIES.flatMap((concurrency): Check[] => {
      const { name } = contest(concurrency);
      const ahead = (of: string): number => results.ratio(name, of, 'sluice', 'ns');
      const check = { unit: '×', better: 'higher' } as const;
      return [
        { ...check, what: `of bare + JSON, ${name}`, value: ahead('bare'), target: 0.75, floor: 0.6 },
        { ...check, what: `× smqp, which copies nothing, ${name}`, value: ahead('smqp'), target: 2 },
      ];
    }),
};
