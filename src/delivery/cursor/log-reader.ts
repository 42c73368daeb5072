import type { Awaitable, ReadLimit, StoredEntry } from '../../storage/storage.js';
import type { Journal } from '../journal.js';

/** Who waits for what is read. */
export interface ReaderOwner {
  /** What was being read is there. */
  loaded(): void;
  /** A read failed: nothing more is read until somebody calls again(). */
  readFailed(reader: LogReader, error: unknown): void;
}

type Answer = readonly StoredEntry[];

/** Reads a log for its cursor: one request at a time, answered at once where the storage can. */
export class LogReader {
  /** A request is under way, or failed and waits for again(). */
  busy = false;
  private readonly log: string;
  private readonly journal: Journal;
  private readonly owner: ReaderOwner;
  /** Answers to what was asked in an earlier life (before a purge or seek) are ignored. */
  private life = 0;

  constructor(log: string, journal: Journal, owner: ReaderOwner) {
    this.log = log;
    this.journal = journal;
    this.owner = owner;
  }

  /** Reads from each of `offsets`, and uses the answers: at once where they are there, else when they come. */
  read(offsets: readonly number[], limit: ReadLimit, use: (answers: readonly Answer[]) => void): void {
    const life = this.life;
    const failed = (error: unknown): void => {
      if (life === this.life) this.owner.readFailed(this, error);
    };
    this.busy = true;
    try {
      const answers = offsets.map((offset) => this.one(offset, limit));
      if (answers.some(isPromise)) {
        const all = async (): Promise<void> => {
          const found = await Promise.all(answers.map(async (answer) => answer));
          if (life !== this.life) return;
          use(found);
          this.busy = false;
          this.owner.loaded();
        };
        all().catch(failed);
      } else {
        use(answers as Answer[]);
        this.busy = false;
      }
    } catch (error) {
      failed(error);
    }
  }

  /** Entries as they are in the log, whatever became of them. */
  one(from: number, limit: ReadLimit): Awaitable<Answer> {
    return this.journal.read(this.log, from, limit);
  }

  /** After a failure. */
  again(): void {
    this.busy = false;
  }

  /** What was asked does not matter any more. */
  forget(): void {
    this.life++;
    this.busy = false;
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown }).then === 'function';
}
