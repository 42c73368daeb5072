import type { Row } from '../row.js';
import { openBare } from '../senders/bare.js';
import { openLevel, openLmdb, openSqliteEach } from '../senders/peers.js';
import { openSluice, openStorage } from '../senders/sluice.js';
import { ahead, DISKS, inFlight, onDisk } from '../sending.js';

const contests = DISKS.map((disk) =>
  onDisk(disk, {
    sluice: inFlight(1, openSluice),
    'storage alone': inFlight(1, openStorage),
    bare: inFlight(1, openBare),
    'SQLite, each': inFlight(1, openSqliteEach),
    lmdb: inFlight(1, openLmdb),
    'classic-level': inFlight(1, openLevel),
  }),
);

/** One sender that waits for each message: no timer may linger, and no second sync. */
export const row: Row = {
  number: 11,
  title: 'as 8, one at a time',
  bare: 'one write and one sync per send',
  contests,
  judge: (results) =>
    contests.flatMap((contest) => [
      ahead(results, contest, { what: 'of bare', target: 0.9, floor: 0.8 }),
      ahead(results, contest, { what: '× lmdb', of: 'lmdb', target: 1 }),
    ]),
};
