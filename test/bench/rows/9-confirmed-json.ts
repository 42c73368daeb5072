import type { Row } from '../row.js';
import { openBareJson } from '../senders/bare.js';
import { openSqliteJson } from '../senders/peers.js';
import { openSluiceJson } from '../senders/sluice.js';
import { ahead, DISKS, inFlight, onDisk } from '../sending.js';

const IN_FLIGHT = 1000;

const contests = DISKS.map((disk) =>
  onDisk(disk, {
    sluice: inFlight(IN_FLIGHT, openSluiceJson),
    bare: inFlight(IN_FLIGHT, openBareJson),
    'SQLite, grouped': inFlight(IN_FLIGHT, openSqliteJson),
  }),
);

/** As row 8, with what most people send. */
export const row: Row = {
  number: 9,
  title: 'as 8 with objects of 200 B, through the default codec, `json`',
  bare: 'the same, and JSON.stringify',
  contests,
  judge: (results) =>
    contests.flatMap((contest) => [
      ahead(results, contest, { what: 'of bare + stringify', target: 0.42, floor: 0.33 }),
      ahead(results, contest, { what: '× SQLite, grouped', of: 'SQLite, grouped', target: 1 }),
    ]),
};
