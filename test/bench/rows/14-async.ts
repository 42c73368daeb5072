import type { Row } from '../row.js';
import { openBare } from '../senders/bare.js';
import { openLevel, openLmdb, openSqlite } from '../senders/peers.js';
import { openSluice, openStorage } from '../senders/sluice.js';
import { ahead, inFlight, onDisk } from '../sending.js';

const IN_FLIGHT = 64;

const contest = onDisk('real', {
  sluice: inFlight(IN_FLIGHT, openSluice, 'os'),
  'storage alone': inFlight(IN_FLIGHT, openStorage, 'os'),
  bare: inFlight(IN_FLIGHT, openBare, 'os'),
  'SQLite NORMAL, grouped': inFlight(IN_FLIGHT, openSqlite, 'os'),
  'lmdb noSync': inFlight(IN_FLIGHT, openLmdb, 'os'),
  'classic-level': inFlight(IN_FLIGHT, openLevel, 'os'),
});

/** Whoever can lose a second to a power cut, and nothing to a killed process. */
export const row: Row = {
  number: 14,
  title: "queue.send() with flush: 'async', 64 in flight",
  bare: 'one write per turn of the event loop for all that wait, and no sync',
  contests: [contest],
  judge: (results) => [
    ahead(results, contest, { what: 'of bare', target: 0.4, floor: 0.25 }),
    ahead(results, contest, { what: '× SQLite NORMAL, grouped', of: 'SQLite NORMAL, grouped', target: 1.3 }),
    ahead(results, contest, { what: '× lmdb noSync', of: 'lmdb noSync', target: 1 }),
  ],
};
