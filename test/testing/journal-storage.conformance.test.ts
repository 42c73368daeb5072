import { describe, it } from 'vitest';
import type { Storage } from '../../src/storage/storage.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { storageConformance } from '../../src/testing/storage-conformance.js';

describe('JournalStorage', () => {
  storageConformance({ test: it, create: () => new JournalStorage(), reopen: (storage) => storage });
});

describe('JournalStorage, reopened after power cuts', () => {
  storageConformance({ test: it, create: () => killed(new JournalStorage()), reopen: left, seed: 10 });
});

describe('JournalStorage that is slow on purpose', () => {
  const seeds = seededRandom(42);
  const create = (): Storage => new JournalStorage({ latency: seededRandom(seeds() * 2 ** 32) });
  storageConformance({ test: it, create, reopen: () => undefined, seed: 20 });
});

describe('JournalStorage that is slow on purpose, reopened after power cuts', () => {
  const seeds = seededRandom(43);
  const create = (): Storage => killed(new JournalStorage({ latency: seededRandom(seeds() * 2 ** 32) }));
  storageConformance({ test: it, create, reopen: left, seed: 30 });
});

/** A storage that is never closed in good order: close() waits for what was written so far, then cuts the power. */
class Killed implements Storage {
  readonly durability = 'disk';
  private readonly journal: JournalStorage;
  private crashing: Promise<JournalStorage> | undefined;

  constructor(journal: JournalStorage) {
    this.journal = journal;
  }

  open = (): ReturnType<Storage['open']> => this.journal.open();
  write: Storage['write'] = (batch, reach) => this.journal.write(batch, reach);
  read: Storage['read'] = (log, from, limit) => this.journal.read(log, from, limit);

  async close(): Promise<void> {
    await this.crash();
  }

  crash(): Promise<JournalStorage> {
    this.crashing ??= this.journal.write([]).then(() => this.journal.crash({ survives: 'disk' }));
    return this.crashing;
  }
}

function killed(journal: JournalStorage): Storage {
  return new Killed(journal);
}

async function left(storage: Storage): Promise<Storage> {
  return killed(await (storage as Killed).crash());
}
