import type { StoredEntry } from '../storage/storage.js';
import { ownEntry, type LogEntry } from './buffer.js';
import { OffsetHeap } from './offset-heap.js';

/** Returned messages that keep their bodies at hand, and how many are fetched at once when they do not. */
const KEPT = 512;
const FETCHED = 32;

/**
 * Messages of a log that are back at their place: given back, due, or next of their key. Lowest offset first. Their bodies are at
 * hand where they were in hand a moment ago, else they are fetched when their turn comes.
 */
export class Returns {
  readonly heap = new OffsetHeap();
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

  /** Everything below `first` is gone from the log. */
  forgetBelow(first: number): void {
    this.heap.removeBelow(first);
    for (const offset of this.kept.keys()) if (offset < first) this.kept.delete(offset);
  }

  clear(): void {
    this.heap.clear();
    this.kept.clear();
  }
}
