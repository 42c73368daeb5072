import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Delivery, fixed, type Located, type Topic } from 'sluice';
import type { Remote } from '../stage/remote.js';
import { type Flight, lineOf } from './flights.js';
import { archive } from './plain-loops.js';
import type { Reader } from './reader.js';

export interface Archive extends Reader {
  /** What a broken disk does: of each file the second half is lost. Nobody may be writing. */
  tear(): Promise<void>;
  /** Lets the group go back to what the files have: a file with n lines goes on at offset n. Resolves with how many flights are read again. */
  rewind(): Promise<number>;
}

/** Files in `directory`, one for each partition, with one line for each of its messages: line and offset are the same. */
export async function startArchive(topic: Topic<Flight>, directory: string, disk: Remote): Promise<Archive> {
  const group = topic.group('archive', { ordering: 'partition', retry: { attempts: 10, backoff: fixed('5ms') } });
  const pathOf = (partition: number): string => join(directory, `partition-${partition}.csv`);
  const lines = new Array<number>(topic.partitions).fill(0);
  await Promise.all(lines.map((_, partition) => writeFile(pathOf(partition), '')));

  /** A flight that comes again is in its file already: archiving twice is archiving once. */
  const store = async (partition: number, batch: readonly (Delivery<Flight> & Located)[]): Promise<void> => {
    const from = lines[partition]!;
    const fresh = batch.filter(({ offset }) => offset >= from);
    const gap = fresh.find(({ offset }, n) => offset !== from + n);
    if (gap !== undefined) throw new Error(`partition ${partition} goes on at ${gap.offset}, its file at ${from}`);
    await appendFile(pathOf(partition), fresh.map(({ body }) => `${lineOf(body)}\n`).join(''));
    lines[partition] = from + fresh.length;
  };
  const read = (): Promise<string[][]> =>
    Promise.all(lines.map(async (_, n) => (await readFile(pathOf(n), 'utf8')).split('\n').slice(0, -1)));

  return {
    group,
    join: (name) =>
      group.consumeBatch(
        async (batch) => {
          const [first] = batch;
          await disk.call(first!.id, first!.deliveries);
          for (const [partition, part] of byPartition(batch)) await store(partition, part);
        },
        { name, size: 100 },
      ),
    tear: async () => {
      const torn = (await read()).map((file) => file.slice(0, file.length / 2));
      await Promise.all(torn.map((file, n) => writeFile(pathOf(n), file.map((line) => `${line}\n`).join(''))));
      torn.forEach((file, n) => (lines[n] = file.length));
    },
    rewind: async () => {
      const before = group.stats().lag;
      for (const [partition, line] of lines.entries()) await group.seek(line, partition);
      return group.stats().lag - before;
    },
    differences: async (flights, partitionOf) => {
      const expected = archive(flights, lines.length, partitionOf);
      return (await read()).flatMap((found, partition) => {
        const due = expected[partition]!;
        const at = due.findIndex((line, n) => line !== found[n]);
        if (at < 0 && found.length === due.length) return [];
        const line = at < 0 ? due.length : at;
        return `${pathOf(partition)}, line ${line + 1}: ${found[line]}, not ${due[line]}`;
      });
    },
    summary: () => `${lines.length} files, ${lines.reduce((sum, n) => sum + n, 0)} lines`,
  };
}

function byPartition<T extends Located>(batch: readonly T[]): Map<number, T[]> {
  const parts = new Map<number, T[]>();
  for (const one of batch) parts.set(one.partition, [...(parts.get(one.partition) ?? []), one]);
  return parts;
}
