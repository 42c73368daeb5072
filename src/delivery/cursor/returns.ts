import type { StoredEntry } from '../../storage/storage.js';
import { ownEntry, type LogEntry } from './buffer.js';
import type { KeyLanes } from '../order/key-lanes.js';
import { OffsetHeap } from './offset-heap.js';

/** Returned messages that keep their bodies at hand, and how many are fetched at once when they do not. */
const KEPT = 512;
const FETCHED = 32;

/** A message that is not as new: when it is due (0: now), how often it failed and was handed out. */
export interface Return {
  readonly offset: number;
  readonly due: number;
  readonly failures: number;
  readonly deliveries: number;
}

/**
 * Messages of a log that do not come in its order: deferred, or back at their place because they were given back, are due, or are next
 * of their key. Lowest offset first. Their bodies are at hand where they were in hand a moment ago, else they are fetched when their
 * turn comes.
 *
 *     deferred (by due time) ──ripen()──► heap (by offset) ──► next
 */
export class Returns {
  readonly deferred = new OffsetHeap();
  readonly heap = new OffsetHeap();
  /** Of what is settled, what is delivered once more. */
  readonly revived = new Set<number>();
  private readonly kept = new Map<number, LogEntry>();

  get size(): number {
    return this.heap.size;
  }

  push(offset: number, failures: number, deliveries: number, alone: boolean): void {
    this.heap.push(offset, offset, failures, deliveries, alone);
  }

  /** As push(), for a message that was in hand. */
  giveBack(offset: number, failures: number, deliveries: number, alone: boolean, entry: LogEntry): void {
    if (this.kept.size < KEPT) this.kept.set(offset, entry);
    this.push(offset, failures, deliveries, alone);
  }

  /** Moves what is due by `now` to its place; how many. */
  ripen(now: number): number {
    let count = 0;
    for (const { deferred } = this; deferred.size > 0 && deferred.rank <= now; count++) {
      this.push(deferred.offset, deferred.failures, deferred.deliveries, deferred.alone);
      deferred.pop();
    }
    return count;
  }

  /** A message that fails keeps the place of `offset`: it comes before. */
  backsOffBefore(offset: number): boolean {
    return this.deferred.size > 0 && this.deferred.lowest() < offset;
  }

  /** What is deferred, and what was given back (due at 0) having been in hand before, or is to be delivered once more. */
  *waiting(lanes: KeyLanes | undefined): Generator<Return> {
    for (const { rank, offset, failures, deliveries } of this.deferred.entries()) {
      yield { offset, due: rank, failures, deliveries };
    }
    for (const { offset, failures, deliveries, alone } of this.heap.entries()) {
      if (deliveries > 0 || alone || this.revived.has(offset)) yield { offset, due: 0, failures, deliveries };
    }
    for (const [offset, { failures, deliveries }] of lanes?.tried ?? []) yield { offset, due: 0, failures, deliveries };
  }

  /** Of the first; undefined: it has to be fetched. */
  get entry(): LogEntry | undefined {
    return this.kept.get(this.heap.offset);
  }

  shift(): void {
    this.kept.delete(this.heap.offset);
    this.heap.pop();
  }

  /** Offsets of those that have to be fetched, some of the first ones. */
  wanted(): number[] {
    const wanted: number[] = [];
    for (const { offset } of this.heap.entries()) {
      if (wanted.length === FETCHED) break;
      if (!this.kept.has(offset)) wanted.push(offset);
    }
    return wanted;
  }

  /** What was read from each of the wanted offsets. */
  fetched(log: string, wanted: readonly number[], answers: readonly (readonly StoredEntry[])[]): void {
    answers.forEach(([stored], n) => {
      if (stored?.offset !== wanted[n]) {
        throw new Error(`offset ${wanted[n]} of log ${log} is not settled, and not there`);
      }
      this.kept.set(stored!.offset, ownEntry(stored!.entry));
    });
  }

  /** Takes out of `fetched` those that were not to outlive an earlier run, which ended at `boundary`. */
  takeTransient(fetched: readonly number[], boundary: number): (LogEntry & { readonly offset: number })[] {
    const gone = fetched.filter((offset) => offset < boundary && this.kept.get(offset)!.head.isTransient);
    const entries = gone.map((offset) => ({ ...this.kept.get(offset)!, offset }));
    for (const offset of gone) this.kept.delete(offset);
    if (gone.length > 0) this.heap.keep((offset) => !gone.includes(offset));
    return entries;
  }

  /** Everything below `first` is gone from the log. */
  forgetBelow(first: number): void {
    this.heap.removeBelow(first);
    this.deferred.removeBelow(first);
    for (const offset of this.revived) if (offset < first) this.revived.delete(offset);
    for (const offset of this.kept.keys()) if (offset < first) this.kept.delete(offset);
  }

  clear(): void {
    this.heap.clear();
    this.deferred.clear();
    this.revived.clear();
    this.kept.clear();
  }
}
