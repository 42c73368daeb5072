import type { Log } from './log-table.js';

/** What a record does once it is written. */
export const EFFECT = { append: 0, copy: 1, declare: 2, drop: 3, remove: 4 } as const;
export type Effect = (typeof EFFECT)[keyof typeof EFFECT];

/**
 * What the records of a group do, in columns. They are filled again by later groups: what lies beyond `count` is what an
 * earlier one left.
 */
export class Effects {
  count = 0;
  readonly kinds: Effect[] = [];
  readonly logs: Log[] = [];
  /** Offset of an append or copy; start of a drop. */
  readonly offsets: number[] = [];
  /** Where an append or copy stands in the buffer; end of a drop. */
  readonly places: number[] = [];

  add(kind: Effect, log: Log, offset: number, place: number): void {
    const at = this.count++;
    this.kinds[at] = kind;
    this.logs[at] = log;
    this.offsets[at] = offset;
    this.places[at] = place;
  }
}
