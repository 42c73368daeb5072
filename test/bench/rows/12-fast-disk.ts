import type { Row } from '../row.js';
import { openBare, openBarePreallocated } from '../senders/bare.js';
import { openSqlite } from '../senders/peers.js';
import { openSluice, openStorage } from '../senders/sluice.js';
import { ahead, inFlight, onDisk } from '../sending.js';

const contest = (count: number) =>
  onDisk(
    'real',
    {
      sluice: inFlight(count, openSluice),
      'storage alone': inFlight(count, openStorage),
      bare: inFlight(count, openBare),
      'bare, preallocated': inFlight(count, openBarePreallocated),
      'SQLite, grouped': inFlight(count, openSqlite),
    },
    `${count} in flight, `,
  );
const contests = [contest(1), contest(64)] as const;

/** A file that has its room already, and one call that writes and syncs, take less than an append and a sync. */
export const row: Row = {
  number: 12,
  title: 'as 8, where a sync takes about 0.1 ms: preallocated segments and O_DSYNC',
  bare: 'append and fdatasync',
  contests,
  judge: (results) => {
    const [one, many] = contests;
    return [
      ahead(results, one, { what: '× append and fdatasync', target: 1.2, floor: 1.05 }),
      ahead(results, many, { what: '× append and fdatasync', target: 1.5, floor: 1.2 }),
      ahead(results, one, { what: '× SQLite FULL', of: 'SQLite, grouped', target: 1 }),
      ahead(results, many, { what: '× SQLite FULL', of: 'SQLite, grouped', target: 1 }),
    ];
  },
};
