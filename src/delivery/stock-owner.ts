import type { StorageOp } from '../storage/storage.js';
import type { Moved } from './books.js';
import type { Cursor } from './cursor/cursor.js';
import type { Head } from './head.js';
import type { Marks } from './crash/marks.js';

/** Where the changes of a cursor are written down, if anything of it is to last. */
export interface CursorRecord {
  /** An earlier run wrote up to `end`: the first entry of this one tells all that matters of it. */
  resume(end: number): void;
  /** An offset will be settled by the write that this goes into. */
  departs(cursor: Cursor, offset: number, as: Moved): void;
  settled(cursor: Cursor, offset: number): void;
  /** A message came. Whether that has to be written down now. */
  arrived(cursor: Cursor): boolean;
  deferred(cursor: Cursor, offset: number, due: number, failures: number, deliveries: number): void;
  /** What departed from a cursor that has lost its place is gone, or did not go. */
  fenced(cursor: Cursor, offset: number): void;
  /** A settled message is to be delivered once more. */
  revived(cursor: Cursor, offset: number): void;
  /** Deltas no longer tell it: everything has to be written down anew. */
  upset(): void;
  /** Which deliveries began. */
  readonly marks: Marks;
  /** Adds an entry. Whether there is more in it than marks. */
  collect(batch: StorageOp[]): boolean;
}

/** Whose stock it is. */
export interface StockOwner {
  readonly paused: boolean;
  /** Nothing moves any more. */
  readonly closed: boolean;
  /** A process should stay alive for what is due here. */
  readonly vital: boolean;
  now(): number;
  /** Somebody waits for this message, and nothing is there that he would get first. */
  handsOver(head: Head | undefined): boolean;
  /** The candidate at `cursor` is past its time: take it out, and bury it. */
  expired(cursor: Cursor): void;
  /** Something became ready, in one log or anywhere: call somebody to take it. */
  restocked(cursor?: Cursor): void;
  /** Nothing of a log is out any more, and somebody waits for that. */
  vacated(cursor: Cursor): void;
  /** What was being read is there. */
  loaded(): void;
  /** There is more to look at, once the event loop has turned. */
  postpone(): void;
  report(error: unknown): void;
}
