import type { Cursor } from '../cursor/cursor.js';

/** The process ended with it in hand, and the attempt is counted. */
export const COUNTED = 1;
/** The process ended, and it may have been in hand: nothing is counted, unless it happens again. */
export const UNCOUNTED = 2;
export type Suspicion = 0 | typeof COUNTED | typeof UNCOUNTED;

/** Messages that may have ended an earlier process. They come back alone. */
export class Suspects {
  private readonly found = new Map<Cursor, Map<number, Suspicion>>();

  get any(): boolean {
    return this.found.size > 0;
  }

  of(cursor: Cursor, offset: number): Suspicion {
    return this.found.get(cursor)?.get(offset) ?? 0;
  }

  add(cursor: Cursor, offset: number, suspicion: Suspicion): void {
    const offsets = this.found.get(cursor);
    if (offsets === undefined) this.found.set(cursor, new Map([[offset, suspicion]]));
    else offsets.set(offset, suspicion);
  }

  /** It was handed out, and the process lives; or it is gone. */
  clear(cursor: Cursor, offset: number): void {
    const offsets = this.found.get(cursor);
    if (offsets?.delete(offset) === true && offsets.size === 0) this.found.delete(cursor);
  }

  forget(): void {
    this.found.clear();
  }
}
