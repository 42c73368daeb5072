import type { LogEntry } from './cursor/buffer.js';
import type { Cursor } from './cursor/cursor.js';
import type { KeyLane } from './order/key-lanes.js';

/** A message that was taken out of the stock: in hand, or on its way out. */
export interface Taken {
  readonly cursor: Cursor;
  readonly offset: number;
  readonly entry: LogEntry;
  /** Attempts that failed before. */
  readonly failures: number;
  /** How often it was handed out, this time included. */
  readonly deliveries: number;
  /** It comes by itself, after a batch it was in failed. */
  readonly alone: boolean;
  /** Its key's turn, where order is kept by key. */
  turn: KeyLane | undefined;
}
