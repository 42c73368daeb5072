import type { Deferred } from '../cursor/cursor-log.js';
import { SettledSet } from '../cursor/settled-set.js';
import type { Suspicion } from './suspects.js';
import type { Tries } from '../cursor/tries.js';

/** A message that is not as new. */
export interface Deferral extends Tries {
  readonly offset: number;
  /** 0: now. */
  readonly due: number;
  readonly suspicion: Suspicion;
}

/** What the entries of a cursor's log say of one cursor, read in order. */
export class Trail {
  settled: SettledSet;
  readonly deferred = new Map<number, Deferral>();
  /** Which delivery of an offset has begun. */
  readonly begun = new Map<number, number>();
  /** Of these the first delivery may have. */
  private ahead: SettledSet;
  private readonly low: number;

  constructor(low: number) {
    this.low = low;
    this.settled = new SettledSet(low);
    this.ahead = new SettledSet(low);
  }

  /** A snapshot follows: everything is told anew. What was settled may not be so any more, where a group went back. */
  restart(): void {
    this.settled = new SettledSet(this.low);
    this.deferred.clear();
    this.begun.clear();
    this.ahead = new SettledSet(this.low);
  }

  defer([, offset, due, failures, deliveries, suspicion = 0]: Deferred): void {
    this.deferred.set(offset, { offset, due, failures, deliveries, suspicion, alone: suspicion > 0 });
  }

  settle(from: number, to: number): void {
    this.settled.addRange(from, to);
    forget(this.deferred, from, to);
    forget(this.begun, from, to);
  }

  begin(from: number, to: number, delivery: number): void {
    if (delivery > 0) this.begun.set(from, delivery);
    else this.ahead.addRange(from, to);
  }

  /** All is read: what is over, or beyond either end of the log, is forgotten. What is settled and deferred is to be delivered once more. */
  conclude(end: number): void {
    forget(this.deferred, 0, this.low);
    forget(this.begun, 0, this.low);
    for (const offset of this.deferred.keys()) if (offset >= end) this.deferred.delete(offset);
    for (const [offset, delivery] of this.begun) {
      const before = this.deferred.get(offset)?.deliveries ?? 0;
      if (offset >= end || this.settled.has(offset) || delivery <= before) this.begun.delete(offset);
    }
  }

  /** Offsets of which nothing is known but that they may have begun. */
  suspected(end: number): number[] {
    const { settled, ahead, begun, deferred } = this;
    const found: number[] = [];
    const collect = (from: number, to: number): void => {
      for (let offset = Math.max(from, settled.low); offset < Math.min(to, end); offset++) {
        if (!settled.has(offset) && !begun.has(offset) && !deferred.has(offset)) found.push(offset);
      }
    };
    collect(0, ahead.low);
    for (const { from, to } of ahead.ranges()) collect(from, to);
    return found;
  }
}

function forget(offsets: Map<number, unknown>, from: number, to: number): void {
  if (to - from < offsets.size) for (let offset = from; offset < to; offset++) offsets.delete(offset);
  else for (const offset of offsets.keys()) if (offset >= from && offset < to) offsets.delete(offset);
}
