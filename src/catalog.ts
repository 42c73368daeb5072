import { records } from './delivery/cursor/cursor-recovery.js';
import type { Journal, Rider } from './delivery/journal.js';
import { CATALOG } from './delivery/log-names.js';
import type { ConsumerGroupOptions } from './consumer-group-options.js';
import type { ExchangeOptions } from './exchange.js';
import type { BindingArgument } from './host.js';
import type { QueueOptions } from './queue-options.js';
import type { TopicOptions } from './topic-options.js';
import type { StorageOp } from './storage/storage.js';

/** What is declared, and outlives the broker. */
export type Declaration =
  | { readonly is: 'queue'; readonly name: string; readonly options: QueueOptions; readonly forDead: boolean }
  | { readonly is: 'exchange'; readonly name: string; readonly options: ExchangeOptions }
  | { readonly is: 'topic'; readonly name: string; readonly options: TopicOptions }
  | { readonly is: 'group'; readonly topic: string; readonly name: string; readonly options: StoredGroupOptions }
  | { readonly is: 'group-deletion'; readonly topic: string; readonly name: string }
  | { readonly is: 'binding'; readonly name: string; readonly to: string; readonly by?: BindingArgument }
  | { readonly is: 'unbinding'; readonly name: string; readonly to: string; readonly by?: BindingArgument }
  | { readonly is: 'deletion'; readonly name: string };

/** Dates are not JSON. */
type StoredGroupOptions = Omit<ConsumerGroupOptions, 'from'> & {
  readonly from?: Exclude<ConsumerGroupOptions['from'], Date> | { readonly date: number };
};

type Entry = Declaration | { readonly is: 'beginning' };

/** Entries after which the log is begun anew, for each that is needed. */
const WASTE = 4;
const FEW = 64;

/**
 * The log of declarations. A declaration is made at once and written with the next write, whatever that is about; so what is sent to
 * a queue is never there without the queue.
 */
export class Catalog implements Rider {
  private readonly journal: Journal;
  /** Everything that is declared now, in an order in which it can be declared again. */
  private readonly everything: () => readonly Declaration[];
  private pending: Declaration[] = [];
  /** The log is begun anew with the next write. */
  private anew = false;
  /** Entries since the newest beginning, and how many there may be before it is looked at whether they are too many. */
  private written = 0;
  private enough = FEW;
  /** What lies below is void when the log is begun anew: the newest beginning, or the end of what an earlier run left. */
  private beginning: { offset?: number | undefined } = {};

  constructor(journal: Journal, everything: () => readonly Declaration[]) {
    this.journal = journal;
    this.everything = everything;
  }

  add(declaration: Declaration): void {
    if (!this.journal.lasting) return;
    this.pending.push(declaration);
    this.journal.touch(this);
  }

  /** What an earlier run left, in order. */
  async read(): Promise<Declaration[]> {
    let found: Declaration[] = [];
    if (!this.journal.lasting) return found;
    for await (const { offset, entry } of records(this.journal, CATALOG, 0)) {
      const declaration = entry.head as Entry;
      this.beginning = { offset: offset + 1 };
      if (declaration.is === 'beginning') found = [];
      else found.push(declaration);
    }
    this.written = found.length;
    return found;
  }

  collect(batch: StorageOp[]): boolean {
    if (!this.beginAnew(batch)) for (const head of this.pending) batch.push(append(head));
    this.written += this.pending.length;
    this.pending = [];
    return true;
  }

  private beginAnew(batch: StorageOp[]): boolean {
    if (!this.anew && this.written <= this.enough) return false;
    const all = this.everything();
    this.enough = FEW + WASTE * all.length;
    if (!this.anew && this.written <= this.enough) return false;
    this.begin(batch, all);
    return true;
  }

  recollect(): void {
    this.anew = true;
  }

  private begin(batch: StorageOp[], all: readonly Declaration[]): void {
    const before = this.beginning.offset;
    if (before !== undefined) batch.push({ type: 'drop', log: CATALOG, from: 0, to: before });
    const first = append({ is: 'beginning' });
    batch.push(first, ...all.map(append));
    this.beginning = first;
    this.anew = false;
    this.written = all.length + 1;
  }
}

function append(head: Entry): StorageOp & { type: 'append' } {
  return { type: 'append', log: CATALOG, entry: { head }, offset: undefined };
}
