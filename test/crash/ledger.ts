import type { LogRange, Storage, StorageOp, StoredEntry } from '../../src/storage/storage.js';

/** What became of a batch, as far as the one who wrote it knows. */
type Outcome = 'unknown' | 'confirmed' | 'refused';

export interface LedgerBatch {
  /** In the head of an entry of every batch, and unique: a batch that comes back from the dead cannot pass for another. */
  readonly nonce: number;
  readonly ops: readonly StorageOp[];
  outcome: Outcome;
  /** Which process wrote it: what one left unfinished, the next need not know. */
  readonly life?: number | undefined;
}

/** Each batch appends one entry here, so that it can be seen which are there. */
export const ALL = 'all';

interface ModelLog {
  next: number;
  readonly entries: Map<number, { readonly head: string; readonly body: unknown }>;
}

/** What was written, outside of the storage, and what a storage that keeps its word must hold after a crash. */
export class Ledger {
  /** Confirmed by an earlier look at the storage, and applied to `logs`. */
  private logs = new Map<string, ModelLog>();
  /** Since then, in call order. */
  private batches: LedgerBatch[] = [];
  confirmed = 0;

  /** Of the same opinion, from here on by itself. */
  fork(): Ledger {
    const other = new Ledger();
    other.logs = new Map(
      [...this.logs].map(([name, { next, entries }]) => [name, { next, entries: new Map(entries) }]),
    );
    other.batches = [...this.batches];
    return other;
  }

  add(batch: LedgerBatch): void {
    this.batches.push(batch);
  }

  /**
   * Compares a storage that was just opened, and takes what it holds as given from then on. Returns what is wrong.
   * @param keepsConfirmed whether confirmed batches must be there: with a power cut and `async` they need not
   * @param inOrder whether what is there must be a first part of what was written: not where some of it was refused
   */
  async judge(
    storage: Storage,
    ranges: ReadonlyMap<string, LogRange>,
    { keepsConfirmed, inOrder }: { readonly keepsConfirmed: boolean; readonly inOrder: boolean },
  ): Promise<string | undefined> {
    const there = new Set<number>();
    for (const { entry } of await readAll(storage, ALL)) there.add((entry.head as { n: number }).n);
    let missing: LedgerBatch | undefined;
    const applied: LedgerBatch[] = [];
    const last = this.batches.findLastIndex((batch) => there.has(batch.nonce));
    // A trim of the list itself takes the numbers of what came before it: they were there if something after them is.
    const known = ranges.get(ALL)?.next ?? 0;
    let count = this.logs.get(ALL)?.next ?? 0;
    for (const [i, batch] of this.batches.entries()) {
      const trimmed = i < last && count < (ranges.get(ALL)?.first ?? 0) && batch.outcome !== 'refused';
      if (there.has(batch.nonce) || trimmed) {
        if (batch.outcome === 'refused') return `batch ${batch.nonce} was refused and is there`;
        if (missing !== undefined && missing.life === batch.life && inOrder)
          return `batch ${batch.nonce} is there, ${missing.nonce} before it is not`;
        applied.push(batch);
        count++;
      } else if (batch.outcome === 'confirmed') {
        if (keepsConfirmed) return `batch ${batch.nonce} was confirmed and is not there`;
        missing ??= batch;
      } else if (batch.outcome === 'unknown') missing ??= batch;
    }
    if (count !== known) return `${known} batches are there, ${count} were written`;
    for (const batch of applied) this.apply(batch.ops);
    this.confirmed += this.batches.filter((batch) => batch.outcome === 'confirmed').length;
    this.batches = [];
    return this.compare(storage, ranges);
  }

  private apply(ops: readonly StorageOp[]): void {
    for (const op of ops) {
      if (op.type === 'append') {
        const log = this.logs.get(op.log) ?? { next: 0, entries: new Map() };
        this.logs.set(op.log, log);
        log.entries.set(log.next++, { head: JSON.stringify(op.entry.head), body: op.entry.body });
      } else if (op.type === 'drop') {
        const log = this.logs.get(op.log);
        for (let offset = op.from; offset < Math.min(op.to, log?.next ?? 0); offset++) log!.entries.delete(offset);
      } else {
        this.logs.delete(op.log);
      }
    }
  }

  private async compare(storage: Storage, ranges: ReadonlyMap<string, LogRange>): Promise<string | undefined> {
    for (const name of ranges.keys()) if (!this.logs.has(name)) return `log ${name} is there, and should not be`;
    for (const [name, log] of this.logs) {
      const range = ranges.get(name);
      if (range === undefined) return `log ${name} is missing`;
      if (range.next !== log.next) return `log ${name} goes up to ${range.next} instead of ${log.next}`;
      const found = await readAll(storage, name);
      const expected = [...log.entries].sort(([a], [b]) => a - b);
      if (found.length !== expected.length)
        return `log ${name} has ${found.length} entries instead of ${expected.length}`;
      for (const [i, [offset, { head, body }]] of expected.entries()) {
        const entry = found[i]!;
        if (entry.offset !== offset) return `log ${name} has offset ${entry.offset} instead of ${offset}`;
        if (JSON.stringify(entry.entry.head) !== head || entry.entry.body !== body)
          return `log ${name}: ${offset} differs`;
      }
    }
    return undefined;
  }

  /** How many batches there were at the last look: what is trimmed is below, so that who is there can always be told. */
  get judgedNext(): number {
    return this.logs.get(ALL)?.next ?? 0;
  }

  /** Offsets that a log may have, for drops to choose from. */
  nextOf(name: string): number {
    let next = this.logs.get(name)?.next ?? 0;
    for (const { ops } of this.batches) {
      for (const op of ops) {
        if (op.log !== name) continue;
        if (op.type === 'append') next++;
        if (op.type === 'remove') next = 0;
      }
    }
    return next;
  }
}

async function readAll(storage: Storage, log: string): Promise<StoredEntry[]> {
  const all: StoredEntry[] = [];
  for (let from = 0; ;) {
    const some = await storage.read(log, from, { entries: 50, bytes: 4096 });
    if (some.length === 0) return all;
    all.push(...some);
    from = some.at(-1)!.offset + 1;
  }
}
