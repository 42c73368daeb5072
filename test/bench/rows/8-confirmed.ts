import type { Row } from '../row.js';
import { openBare } from '../senders/bare.js';
import { openLevel, openLmdb, openSqlite, openSqliteEach } from '../senders/peers.js';
import { openSluice, openStorage } from '../senders/sluice.js';
import { ahead, DISKS, inFlight, onDisk } from '../sending.js';

const IN_FLIGHT = 1000;

const contests = DISKS.map((disk) =>
  onDisk(disk, {
    sluice: inFlight(IN_FLIGHT, openSluice),
    'storage alone': inFlight(IN_FLIGHT, openStorage),
    bare: inFlight(IN_FLIGHT, openBare),
    'SQLite, grouped': inFlight(IN_FLIGHT, openSqlite),
    'SQLite, each': inFlight(IN_FLIGHT, openSqliteEach),
    lmdb: inFlight(IN_FLIGHT, openLmdb),
    'classic-level': inFlight(IN_FLIGHT, openLevel),
  }),
);

/** Many senders at once, each waiting until its message is on the disk. */
export const row: Row = {
  number: 8,
  title: 'queue.send() confirmed on the disk, 1000 in flight, 200 B as bytes',
  bare: 'group commit: one write and one sync for all that wait',
  contests,
  judge: (results) =>
    contests.flatMap((contest) => [
      ahead(results, contest, { what: 'of bare', target: 0.7, floor: 0.5 }),
      ahead(results, contest, { what: 'of bare, storage alone', who: 'storage alone', target: 0.8 }),
      ahead(results, contest, { what: '× SQLite, grouped', of: 'SQLite, grouped', target: 1 }),
      ahead(results, contest, { what: '× lmdb', of: 'lmdb', target: 1 }),
      ahead(results, contest, { what: '× classic-level', of: 'classic-level', target: 1 }),
    ]),
};
