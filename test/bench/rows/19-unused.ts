import { loaded, together } from '../loads.js';
import { openSluice } from '../queues/sluice.js';
import type { Row } from '../row.js';

const NAME = 'concurrency 1';

/**
 * What is not used is paid for by a check or a counter. The other contender is the same sluice compiled without the checks for
 * listeners and without the counters that only stats() reads. What ttl, delays, priorities, keys and limits cost those who use
 * none cannot be taken out like that: it is part of row 1, and shows in its distance from bare.
 */
export const row: Row = {
  number: 19,
  title: 'events that nobody hears and stats that nobody reads, under the load of row 1',
  bare: 'sluice without them',
  contests: [
    {
      name: NAME,
      figure: 'ns',
      unit: 'ns/message',
      lives: 6,
      rounds: 5,
      contenders: {
        sluice: loaded(together, openSluice, 1),
        'sluice without': { ...loaded(together, openSluice, 1), variant: 'silent' },
      },
    },
  ],
  judge: (results) => [
    {
      what: 'with to without',
      value: results.best(NAME, 'sluice', 'ns') / results.best(NAME, 'sluice without', 'ns'),
      unit: '×',
      better: 'lower',
      target: 1.05,
      note: 'best quarters of the rounds: the difference is smaller than what the machine adds to a median',
    },
  ],
};
