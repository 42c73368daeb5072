import { describe, expect, it } from 'vitest';
import { Agenda } from '../../../src/delivery/agenda.js';
import type { Journal } from '../../../src/delivery/journal.js';
import { Partition } from '../../../src/delivery/topic/partition.js';
import { Retention } from '../../../src/delivery/topic/retention.js';
import type { StoredEntry } from '../../../src/storage/storage.js';
import { ManualClock } from '../../../src/testing/manual-clock.js';

/** Reads that are answered when they are told to be, in any order. */
class SlowJournal {
  /** Nothing is appended at once. */
  readonly openLog = (): undefined => undefined;
  readonly asked: { readonly log: string; readonly answer: () => Promise<void> }[] = [];
  private readonly logs: ReadonlyMap<string, number>;

  /** @param logs how many messages of three bytes each has */
  constructor(logs: ReadonlyMap<string, number>) {
    this.logs = logs;
  }

  read(log: string, from: number): Promise<readonly StoredEntry[]> {
    return new Promise((resolve) => {
      const offsets = Array.from({ length: this.logs.get(log)! - from }, (_, n) => from + n);
      const entries = offsets.map((offset) => ({ offset, entry: { head: { t: offset }, body: 'abc' } }));
      const answer = async (): Promise<void> => {
        resolve(entries);
        for (let turns = 0; turns < 5; turns++) await Promise.resolve();
      };
      this.asked.push({ log, answer });
    });
  }
}

describe('Retention', () => {
  it('of what is passed never goes back, however late a read is answered', async () => {
    const journal = new SlowJournal(
      new Map([
        ['a', 4],
        ['b', 4],
      ]),
    );
    const partitions = ['a', 'b'].map((log, number) => {
      const partition = new Partition(number, log, journal as unknown as Journal, { first: 0, next: 2 });
      partition.bytes = 6;
      return partition;
    });
    const [, b] = partitions as [Partition, Partition];
    const passed = [1, 1];
    const retention = new Retention(
      new Agenda(new ManualClock()),
      {
        partitions,
        now: () => 0,
        inHand: () => Infinity,
        passed: ({ number }) => passed[number]!,
        dropped: () => undefined,
        report: (error) => expect(error).toBeUndefined(),
      },
      { time: Infinity, bytes: Infinity, messages: Infinity, consumed: true },
    );
    const answerAll = async (): Promise<void> => {
      for (let next = journal.asked.shift(); next !== undefined; next = journal.asked.shift()) await next.answer();
    };
    retention.passed();
    // All of b is passed by the time at which the first read is answered.
    passed[1] = 2;
    await answerAll();
    expect(b).toMatchObject({ first: 2, bytes: 0 });
    for (const offset of [2, 3]) b.append(offset, 3);
    passed[1] = 3;
    retention.passed();
    await answerAll();
    expect(partitions).toMatchObject([
      { first: 1, bytes: 3 },
      { first: 3, bytes: 3 },
    ]);
  });
});
