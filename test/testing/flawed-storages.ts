import { MemoryStorage } from '../../src/storage/memory-storage.js';
import type {
  Awaitable,
  Entry,
  LogRange,
  ReadLimit,
  Storage,
  StorageOp,
  StoredEntry,
} from '../../src/storage/storage.js';

type Batch = readonly StorageOp[];

/** What to do differently from `inner`, a storage that keeps the contract. */
export interface Flaw {
  open?(inner: Storage): Awaitable<ReadonlyMap<string, LogRange>>;
  write?(inner: Storage, batch: Batch): Awaitable<void>;
  read?(inner: Storage, log: string, from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]>;
  close?(inner: Storage): Promise<void>;
}

export function flawed(inner: Storage, flaw: Flaw): Storage {
  return {
    durability: inner.durability,
    open: () => (flaw.open === undefined ? inner.open() : flaw.open(inner)),
    write: (batch, reach) => (flaw.write === undefined ? inner.write(batch, reach) : flaw.write(inner, batch)),
    read: (...call) => (flaw.read === undefined ? inner.read(...call) : flaw.read(inner, ...call)),
    close: () => (flaw.close === undefined ? inner.close() : flaw.close(inner)),
  };
}

/** Changes how logs are called inside. */
export function naming(rename: (name: string) => string): Flaw {
  return {
    write(inner, batch) {
      const renamed = batch.map((op) => ({ ...op, log: rename(op.log) }));
      const answer = inner.write(renamed);
      for (const [i, op] of renamed.entries()) fillIn(batch[i]!, op);
      return answer;
    },
    read: (inner, log, from, limit) => inner.read(rename(log), from, limit),
  };
}

/** Changes what is stored of an entry. */
export function storing(change: (entry: Entry) => Entry): Flaw {
  return {
    write(inner, batch) {
      const changed = batch.map((op) => (op.type === 'append' ? { ...op, entry: change(op.entry) } : op));
      const answer = inner.write(changed);
      for (const [i, op] of changed.entries()) fillIn(batch[i]!, op);
      return answer;
    },
  };
}

/** Changes drops. */
export function dropping(change: (op: Extract<StorageOp, { type: 'drop' }>) => Batch): Flaw {
  return { write: (inner, batch) => inner.write(batch.flatMap((op) => (op.type === 'drop' ? change(op) : [op]))) };
}

function fillIn(op: StorageOp, from: StorageOp): void {
  if (op.type === 'append' && from.type === 'append') op.offset = from.offset;
}

const text = new TextEncoder();
const asText = (body: unknown): unknown => (body instanceof Uint8Array ? Buffer.from(body).toString() : body);
const append = (log: string): StorageOp => ({ type: 'append', log, entry: { head: {} } });
const remove = (log: string): StorageOp => ({ type: 'remove', log });
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** One flaw per rule: what is wrong, the test that must notice, and the flaw (made anew for each storage). */
export const flaws: [flaw: string, noticedBy: string, make: () => Flaw][] = [
  [
    'offsets begin at 1',
    'append: offsets are 0, 1, 2, …',
    () => {
      const begun = new Set<string>();
      return {
        write(inner, batch) {
          for (const { log } of batch) if (!begun.has(log)) void inner.write([append(begun.add(log) && log)]);
          return inner.write(batch);
        },
      };
    },
  ],
  [
    'all logs count together',
    'append: each log counts its own offsets',
    () => ({
      async write(inner, batch) {
        await inner.write(batch);
        for (const { log } of batch) if (log === 'a') await inner.write([append('b')]);
      },
    }),
  ],
  [
    'the offset is not filled in',
    'append: the offset is filled in when the write is done',
    () => ({ write: (inner, batch) => inner.write(batch.map((op) => ({ ...op }))) }),
  ],
  [
    'the offset is filled in once only',
    'append: an offset that is there already is overwritten',
    () => ({
      write(inner, batch) {
        const before = batch.map((op) => ({ ...op }));
        const answer = inner.write(batch);
        for (const [i, op] of before.entries())
          if (op.type === 'append' && op.offset !== undefined) fillIn(batch[i]!, op);
        return answer;
      },
    }),
  ],
  [
    'every second write overtakes the one before it',
    'append: batches take effect in call order, awaited or not',
    () => {
      let writes = 0;
      return {
        async write(inner, batch) {
          if (writes++ % 2 === 0) await later();
          await inner.write(batch);
        },
      };
    },
  ],
  [
    'writes are reported done out of order',
    'append: a write is done when those before it are',
    () => {
      let writes = 0;
      return {
        async write(inner, batch) {
          await inner.write(batch);
          if (writes++ % 2 === 0) await later();
        },
      };
    },
  ],
  [
    'a write that shall reach only memory is never seen',
    'append: what was written is read, whatever reach was asked for',
    // The reach is not handed on to a flaw; the bodies of that test tell it.
    () => ({
      write: (inner, batch) => inner.write(batch.filter((op) => op.type !== 'append' || op.entry.body !== 'memory')),
    }),
  ],
  [
    'reads begin at 0',
    'read: begins at the offset asked for',
    () => ({ read: (inner, log, _, limit) => inner.read(log, 0, limit) }),
  ],
  [
    'reading behind the end begins again',
    'read: at the end, behind it, and in a log that nobody wrote to, there is nothing',
    () => ({
      async read(inner, log, from, limit) {
        const found = await inner.read(log, from, limit);
        return found.length > 0 ? found : inner.read(log, 0, limit);
      },
    }),
  ],
  [
    'reading makes the log',
    'read: reading makes no log',
    () => ({
      async read(inner, log, from, limit) {
        await inner.write([append(log)]);
        return inner.read(log, from, limit);
      },
    }),
  ],
  [
    'the limit of entries is off by one',
    'read: gives at most limit.entries',
    () => ({ read: (inner, log, from, { entries, bytes }) => inner.read(log, from, { entries: entries + 1, bytes }) }),
  ],
  [
    'the limit of bytes is ignored',
    'read: gives about limit.bytes',
    () => ({ read: (inner, log, from, { entries }) => inner.read(log, from, { entries, bytes: Infinity }) }),
  ],
  [
    'what is larger than the limit is not given',
    'read: gives an entry however large it is, if there is one',
    () => ({
      async read(inner, log, from, limit) {
        const found = await inner.read(log, from, limit);
        return found.filter(({ entry }) => String(entry.body).length <= limit.bytes);
      },
    }),
  ],
  [
    'a full page loses its last entry',
    'read: reading on from the last offset finds every entry once',
    () => ({
      async read(inner, log, from, limit) {
        const found = await inner.read(log, from, limit);
        return found.length > 1 ? found.filter(({ offset }) => offset % 5 !== 4) : found;
      },
    }),
  ],
  [
    'reading consumes',
    'read: takes nothing away',
    () => ({
      async read(inner, log, from, limit) {
        const found = await inner.read(log, from, limit);
        await inner.write(found.map(({ offset }) => ({ type: 'drop', log, from: offset, to: offset + 1 })));
        return found;
      },
    }),
  ],
  [
    'reads share their place',
    'read: many at once do not disturb each other',
    () => {
      let place: [string, number];
      return {
        async read(inner, log, from, limit) {
          place = [log, from];
          await later();
          return inner.read(...place, limit);
        },
      };
    },
  ],
  [
    'the limit counts holes',
    'read: a limit counts entries, not the holes between them',
    () => ({
      async read(inner, log, from, limit) {
        const found = await inner.read(log, from, limit);
        return found.filter(({ offset }) => offset < from + limit.entries);
      },
    }),
  ],
  [
    'a batch is applied op by op',
    'read: sees no half of a batch',
    () => {
      let before: Promise<void> = Promise.resolve();
      return {
        write(inner, batch) {
          before = before.then(async () => {
            for (const op of batch) {
              await inner.write([op]);
              await later();
            }
          });
          return before;
        },
        async read(inner, log, from, limit) {
          await later();
          return inner.read(log, from, limit);
        },
      };
    },
  ],
  ['trims are ignored', 'drop: from 0 trims the log', () => dropping((op) => (op.from === 0 ? [] : [op]))],
  [
    'holes are ignored',
    'drop: in the middle makes a hole, which reads step over',
    () => dropping((op) => (op.from === 0 ? [op] : [])),
  ],
  [
    'a drop takes one too many',
    'drop: a hole at the end does not move the next offset',
    () => dropping((op) => [{ ...op, from: op.from - 1 }]),
  ],
  [
    'a hole is filled again by the next that touches it',
    'drop: holes may touch, overlap and repeat',
    () => {
      let last: StorageOp | undefined;
      return dropping((op) => {
        const touches = last?.type === 'drop' && (op.from === last.to || op.to === last.from);
        last = op;
        return touches ? [] : [op];
      });
    },
  ],
  [
    'only the first range of a log is dropped',
    'drop: a trim swallows holes, and a later trim may lie below it',
    () => {
      const dropped = new Set<string>();
      return dropping((op) => (dropped.has(op.log) ? [] : dropped.add(op.log) && [op]));
    },
  ],
  [
    'a drop beyond the end moves the next offset',
    'drop: beyond the end it ends at the end',
    () => dropping((op) => (op.to > 1000 ? [op, append(op.log)] : [op])),
  ],
  [
    'a drop is remembered for what comes',
    'drop: what comes later is not dropped in advance',
    () => {
      const dropped = new Map<string, number>();
      return {
        write(inner, batch) {
          for (const op of batch) if (op.type === 'drop') dropped.set(op.log, op.to);
          const answer = inner.write(batch);
          for (const [log, to] of dropped) void inner.write([{ type: 'drop', log, from: 0, to }]);
          return answer;
        },
      };
    },
  ],
  [
    'an empty range drops an entry',
    'drop: an empty range drops nothing',
    () => dropping((op) => [{ ...op, to: Math.max(op.to, op.from + 1) }]),
  ],
  [
    'an emptied log begins again',
    'drop: one by one, an emptied log goes on at its next offset',
    () => ({
      async write(inner, batch) {
        await inner.write(batch);
        for (const { log } of batch) {
          const found = await inner.read(log, 0, { entries: 1, bytes: 1 });
          if (found.length === 0) await inner.write([remove(log)]);
        }
      },
    }),
  ],
  [
    'a drop moves the front, whatever lies before it',
    'drop: in blocks and out of order',
    () => dropping((op) => [{ ...op, from: 0 }]),
  ],
  [
    'a survivor goes with its neighbours',
    'drop: one entry may survive among thousands',
    () => dropping((op) => [op.to - op.from > 100 ? { ...op, from: 0 } : op]),
  ],
  [
    'drops apply before appends',
    'drop: ops of a batch apply in their order',
    () => ({
      write: (inner, batch) =>
        inner.write(batch.toSorted((a, b) => Number(b.type === 'drop') - Number(a.type === 'drop'))),
    }),
  ],
  [
    'a drop reaches other logs',
    'drop: touches no other log',
    () => dropping((op) => [op, { ...op, log: op.log === 'a' ? 'b' : 'a' }]),
  ],
  [
    'a removed log goes on counting',
    'remove: the log is gone, and begins at 0 when it is written to again',
    () => ({
      write: (inner, batch) =>
        inner.write(
          batch.map((op) => (op.type === 'remove' ? { type: 'drop', log: op.log, from: 0, to: Infinity } : op)),
        ),
    }),
  ],
  [
    'removals apply first',
    'remove: in one batch with appends before and after it',
    () => ({
      write: (inner, batch) =>
        inner.write(batch.toSorted((a, b) => Number(b.type === 'remove') - Number(a.type === 'remove'))),
    }),
  ],
  [
    'removing what is not there fails',
    'remove: of what is not there, and drops that come after it, are harmless',
    () => {
      const known = new Set<string>();
      return {
        write(inner, batch) {
          for (const { type, log } of batch) {
            if (type === 'remove' && !known.has(log)) throw new Error('no such log');
            if (type === 'append') known.add(log);
          }
          return inner.write(batch);
        },
      };
    },
  ],
  [
    'holes outlive their log',
    'remove: a log made again has none of the holes of the former',
    () => {
      const holes: StorageOp[] = [];
      return {
        write(inner, batch) {
          holes.push(...batch.filter(({ type }) => type === 'drop'));
          const answer = inner.write(batch);
          void inner.write(holes);
          return answer;
        },
      };
    },
  ],
  [
    'a batch touches at most 64 logs',
    'batch: appends, drops and removals in many logs are one write',
    () => ({
      write(inner, batch) {
        const logs = new Set([...new Set(batch.map(({ log }) => log))].slice(0, 64));
        return inner.write(batch.filter(({ log }) => logs.has(log)));
      },
    }),
  ],
  [
    'the empty string is no body',
    'body: the empty string',
    () => storing(({ head, body }) => ({ head, body: body || undefined })),
  ],
  [
    'text is kept as Latin-1',
    'body: characters of one to four bytes',
    () =>
      storing(({ head, body }) => ({
        head,
        body: typeof body === 'string' ? Buffer.from(body, 'latin1').toString('latin1') : body,
      })),
  ],
  [
    'text ends at NUL',
    'body: control characters',
    () => storing(({ head, body }) => ({ head, body: typeof body === 'string' ? body.split('\0')[0] : body })),
  ],
  [
    'bodies end at 64 KiB',
    'body: a megabyte of text',
    () => storing(({ head, body }) => ({ head, body: typeof body === 'string' ? body.slice(0, 65_536) : body })),
  ],
  ['bytes come back as text', 'body: every byte', () => storing(({ head, body }) => ({ head, body: asText(body) }))],
  [
    'bytes pass through UTF-8',
    'body: bytes that are no UTF-8',
    () =>
      storing(({ head, body }) => ({
        head,
        body: body instanceof Uint8Array ? text.encode(asText(body) as string) : body,
      })),
  ],
  [
    'of a piece, the whole buffer is kept',
    'body: a piece of a larger buffer',
    () =>
      storing(({ head, body }) => ({ head, body: body instanceof Uint8Array ? new Uint8Array(body.buffer) : body })),
  ],
  ['no body becomes an empty one', 'body: no body', () => storing(({ head, body }) => ({ head, body: body ?? '' }))],
  [
    'text comes back as bytes',
    'body: a string is no bytes, and bytes are no string',
    () => storing(({ head, body }) => ({ head, body: typeof body === 'string' ? text.encode(body) : body })),
  ],
  [
    'heads are kept one level deep',
    'head: nested values',
    () =>
      storing(({ head, body }) => ({
        head: JSON.parse(JSON.stringify(head, (_, value: unknown) => (Array.isArray(value) ? [] : value))) as object,
        body,
      })),
  ],
  [
    'heads are assigned key by key',
    'head: keys that objects have',
    () =>
      storing(({ head, body }) => {
        const copy: Record<string, unknown> = {};
        for (const [key, value] of Object.entries(head)) copy[key] = value;
        return { head: copy, body };
      }),
  ],
  [
    'heads are cloned without their toJSON',
    'head: a class with toJSON',
    () => storing(({ head, body }) => ({ head: { ...head }, body })),
  ],
  [
    'heads lose lone surrogates',
    'head: lone surrogates',
    () =>
      storing(({ head, body }) => ({
        head: JSON.parse(JSON.stringify(head).replaceAll(/\\u[dD]\w{3}/g, '\ufffd')) as object,
        body,
      })),
  ],
  [
    'names are case-insensitive',
    'names: of any characters, each a log of its own',
    () => naming((name) => name.toLowerCase()),
  ],
  ['names are trimmed', 'names: of any characters, each a log of its own', () => naming((name) => name.trim())],
  ['names are normalized', 'names: of any characters, each a log of its own', () => naming((name) => name.normalize())],
  [
    'names are kept as UTF-8',
    'names: of any characters, each a log of its own',
    () => naming((name) => Buffer.from(name).toString()),
  ],
  ['names are cut', 'names: of any characters, each a log of its own', () => naming((name) => name.slice(0, 255))],
  [
    'logs are keys of an object',
    'names: what objects inherit is no log',
    () => ({
      read(inner, log, from, limit) {
        const offset = 0;
        return log in {} ? [{ offset, entry: { head: {} } }] : inner.read(log, from, limit);
      },
    }),
  ],
  [
    'a hundred logs are enough',
    'names: a thousand logs',
    () => naming((name) => name.replace(/log (\d)\d\d$/, 'log $1')),
  ],
  [
    'a second close() fails',
    'close: any number of times, at once and one after another',
    () => {
      let closed = false;
      return {
        close(inner) {
          if (closed) return Promise.reject(new Error('closed already'));
          closed = true;
          return inner.close();
        },
      };
    },
  ],
  [
    'close() waits for nothing',
    'close: waits for writes under way',
    () => ({
      async write(inner, batch) {
        await later();
        await inner.write(batch);
      },
    }),
  ],
  [
    'a closed storage reads on',
    'close: afterwards, writes and reads reject with ERR_CLOSED',
    () => ({ close: () => Promise.resolve() }),
  ],
  [
    'a rare loss',
    'random operations, seed 3',
    () => {
      let ops = 0;
      return { write: (inner, batch) => inner.write(batch.filter(({ type }) => type !== 'drop' || ++ops % 40 > 0)) };
    },
  ],
  [
    'a full storage says so in words of its own',
    'full: refuses with ERR_STORAGE_FULL, and keeps what it has',
    () => ({
      write(inner, batch) {
        try {
          return inner.write(batch);
        } catch {
          throw new Error('ENOSPC');
        }
      },
    }),
  ],
  [
    'there is always room',
    'full: refuses with ERR_STORAGE_FULL, and keeps what it has',
    () => {
      const roomy = new MemoryStorage();
      return { write: (_, batch) => roomy.write(batch) };
    },
  ],
  [
    'a full storage applies what fits of a batch',
    'full: a refused batch changes nothing',
    () => ({
      write(inner, batch) {
        for (const op of batch) void inner.write([op]);
      },
    }),
  ],
  [
    'a refused batch takes offsets',
    'full: a refused batch takes no offsets',
    () => ({
      write(inner, batch) {
        try {
          return inner.write(batch);
        } catch (error) {
          void inner.write(batch.map(({ log }) => append(log)));
          throw error;
        }
      },
    }),
  ],
  [
    'a full storage refuses everything',
    'full: what carries no body goes on',
    () => {
      let full: unknown;
      return {
        write(inner, batch) {
          if (full !== undefined) throw full as Error;
          try {
            return inner.write(batch);
          } catch (error) {
            full = error;
            throw error;
          }
        },
      };
    },
  ],
];

/** What a storage makes of its data when it is opened again: a batch that is applied then, ranges that are told otherwise. */
export interface Lapse {
  readonly apply?: Batch;
  tell?(range: LogRange): LogRange;
}

export function reopenedWith(lapse: Lapse): (storage: Storage) => Storage {
  return (storage) => ({
    durability: 'disk',
    open: async () => {
      await storage.open();
      if (lapse.apply !== undefined) await storage.write(lapse.apply);
      const ranges = [...(await storage.open())];
      return new Map(ranges.map(([name, range]) => [name, lapse.tell?.(range) ?? range]));
    },
    write: (batch, reach) => storage.write(batch, reach),
    read: (...call) => storage.read(...call),
    close: () => storage.close(),
  });
}

export const lapses: [lapse: string, noticedBy: string, lapse: Lapse][] = [
  ['a log is made up', 'reopen: an empty storage is still empty', { apply: [append('ghost')] }],
  [
    'the last entry is lost',
    'reopen: entries and offsets are as they were, and appends go on',
    { apply: [{ type: 'drop', log: 'a', from: 999, to: 1000 }] },
  ],
  ['a log is lost', 'reopen: names of any characters', { apply: [remove('__proto__')] }],
  ['a removed log comes back', 'reopen: names of any characters', { apply: [append('removed')] }],
  ['the first offset is told wrong', 'reopen: trims and holes', { tell: ({ next }) => ({ first: 0, next }) }],
  [
    'an emptied log begins again',
    'reopen: a log that was emptied keeps its next offset',
    { apply: [remove('trimmed')] },
  ],
  [
    'an emptied log is told to have something',
    'reopen: a log that was emptied keeps its next offset',
    { tell: ({ next }) => ({ first: next - 1, next }) },
  ],
  [
    'a log made again has its former offsets',
    'reopen: a removed log does not come back, one made again begins at 0',
    { apply: [append('again')] },
  ],
  ['a batch is there in part', 'reopen: a batch over many logs is there as a whole', { apply: [remove('log 299')] }],
];
