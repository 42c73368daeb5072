import type { Row } from '../row.js';
import { openBare } from '../senders/bare.js';
import { openLevel, openLmdb, openSqlite } from '../senders/peers.js';
import { openSluice, openStorage } from '../senders/sluice.js';
import { ahead, DISKS, inFlight, onDisk } from '../sending.js';

const IN_FLIGHT = 64;

const contests = DISKS.map((disk) =>
  onDisk(disk, {
    sluice: inFlight(IN_FLIGHT, openSluice),
    'storage alone': inFlight(IN_FLIGHT, openStorage),
    bare: inFlight(IN_FLIGHT, openBare),
    'SQLite, grouped': inFlight(IN_FLIGHT, openSqlite),
    lmdb: inFlight(IN_FLIGHT, openLmdb),
    'classic-level': inFlight(IN_FLIGHT, openLevel),
  }),
);

export const row: Row = {
  number: 10,
  title: 'as 8, 64 in flight',
  bare: 'the same group commit',
  contests,
  judge: (results) =>
    contests.flatMap((contest) => [
      ahead(results, contest, { what: 'of bare', target: 0.92, floor: 0.8 }),
      ahead(results, contest, { what: '× SQLite, grouped', of: 'SQLite, grouped', target: 1 }),
    ]),
};
