import type { Row } from '../row.js';
import { openBare } from '../senders/bare.js';
import { openSluice, openTenQueues } from '../senders/sluice.js';
import { ahead, DISKS, inFlight, onDisk } from '../sending.js';

const IN_FLIGHT = 1000;

const contests = DISKS.map((disk) =>
  onDisk(disk, {
    sluice: inFlight(IN_FLIGHT, openTenQueues),
    'one queue': inFlight(IN_FLIGHT, openSluice),
    bare: inFlight(IN_FLIGHT, openBare),
  }),
);

/** One write and one sync serve all queues. */
export const row: Row = {
  number: 18,
  title: 'as 8, spread over ten queues',
  bare: 'the group commit of row 8',
  contests,
  judge: (results) =>
    contests.map((contest) =>
      ahead(results, contest, { what: 'of one queue', of: 'one queue', target: 0.95, floor: 0.9 }),
    ),
};
