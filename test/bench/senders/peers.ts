import { join } from 'node:path';
import Database from 'better-sqlite3';
import { ClassicLevel } from 'classic-level';
import { open } from 'lmdb';
import type { Reach, Sender } from './sender.js';
import { BODY, Grouping, order } from './sender.js';

/**
 * better-sqlite3, write-ahead log: `synchronous` FULL syncs every commit, NORMAL none. What waits shares a transaction. It
 * runs on the event loop, and blocks it while it syncs. It keeps a number and a body, no head.
 */
export const openSqlite = (directory: string, reach: Reach): Sender => sqlite(directory, reach, () => BODY);

export const openSqliteJson = (directory: string, reach: Reach): Sender =>
  sqlite(directory, reach, (n) => JSON.stringify(order(n)));

function sqlite(directory: string, reach: Reach, body: (n: number) => Uint8Array | string): Sender {
  const { database, insert } = openDatabase(directory, reach);
  const all = database.transaction((bodies: readonly (Uint8Array | string)[]) => {
    for (const each of bodies) insert.run(each);
  });
  const grouping = new Grouping<Uint8Array | string>((group) => {
    all(group);
  });
  return { send: (n) => grouping.add(body(n)) };
}

/** One transaction per message. */
export function openSqliteEach(directory: string, reach: Reach): Sender {
  const { insert } = openDatabase(directory, reach);
  return { send: () => Promise.resolve(insert.run(BODY)) };
}

export function openDatabase(directory: string, reach: Reach) {
  const database = new Database(join(directory, 'messages.sqlite'));
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${reach === 'disk' ? 'FULL' : 'NORMAL'}`);
  database.exec('CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, body BLOB NOT NULL)');
  return { database, insert: database.prepare('INSERT INTO messages (body) VALUES (?)') };
}

/**
 * lmdb groups by itself, on a thread of its own: the promise of put() is that of the commit, which is synced unless told
 * otherwise. `overlappingSync` off: with it the promise comes before the sync.
 */
export function openLmdb(directory: string, reach: Reach): Sender {
  const database = openEnvironment(directory, reach);
  return { send: (n) => database.put(n, BODY) };
}

export function openEnvironment(directory: string, reach: Reach) {
  return open<Uint8Array, number>({
    path: join(directory, 'messages.mdb'),
    encoding: 'binary',
    overlappingSync: false,
    noSync: reach === 'os',
    mapSize: 16 * 1024 ** 3,
  });
}

/** classic-level (LevelDB): what waits shares a batch, and `sync` syncs its log. */
export async function openLevel(directory: string, reach: Reach): Promise<Sender> {
  const database = new ClassicLevel<string, Uint8Array>(join(directory, 'messages.level'), { valueEncoding: 'view' });
  await database.open();
  const sync = reach === 'disk';
  const grouping = new Grouping<string>((keys) =>
    database.batch(
      keys.map((key) => ({ type: 'put', key, value: BODY })),
      { sync },
    ),
  );
  return { send: (n) => grouping.add(String(n).padStart(12, '0')) };
}
