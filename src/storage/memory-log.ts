import { Chunk, CHUNK } from './memory-chunk.js';
import type { Body, LogRange, OpenLog, ReadLimit, Remake, StoredEntry } from './storage.js';

/** So many chunks at the end stay as they are: it is not worth packing what may be consumed in a moment. */
const LOOSE = 32;

/** What a read() counts for a head: only its JSON would tell. */
const HEAD_BYTES = 100;

/**
 * One log, in chunks. Those that are far from its end are packed.
 *
 *     start      0               1536            2048
 *              │ · · · e · … · │ e e e … e e e │ e e e … ┊      e  live
 *                              ▲                       ▲        ·  dropped
 *           512 … 1535 dropped: no chunk, no slot      next
 *
 * Chunks are sorted by `start`. Only the last may have room left, and one with nothing live in it is gone, unless it is
 * the last and narrow: a log that is emptied after every entry keeps it and goes on.
 */
export class MemoryLog implements OpenLog {
  /** Offset of the next append. Never goes back. */
  next = 0;
  /** Slots before `head` are empty: a trim moves nothing. */
  private readonly chunks: (Chunk | undefined)[] = [];
  private head = 0;
  private last: Chunk | undefined;
  private refusal: Error | undefined = undefined;
  /** Makes plain heads anew: without it none is packed. */
  remake: Remake | undefined = undefined;

  /** Stores an entry and returns its offset. `size` is what drop() shall report for it. */
  append(head: object, body: Body, size = 0): number {
    if (this.refusal !== undefined) throw this.refusal;
    let chunk = this.last;
    if (chunk === undefined || chunk.length === CHUNK) chunk = this.begin();
    chunk.push(head, body, size);
    return this.next++;
  }

  /** Entries from `from` on; ends with the one that reaches a limit. */
  read(from: number, limit: ReadLimit): StoredEntry[] {
    const found: StoredEntry[] = [];
    let bytes = 0;
    for (let at = this.locate(from); at < this.chunks.length; at++) {
      const chunk = this.chunks[at]!;
      const { start, length, bodies } = chunk;
      for (let slot = Math.max(from - start, 0); slot < length; slot++) {
        const head = chunk.headAt(slot, this.remake);
        if (head === undefined) continue;
        const body = bodies[slot];
        found.push({ offset: start + slot, entry: { head, body } });
        bytes += HEAD_BYTES + lengthOf(body);
        if (found.length >= limit.entries || bytes >= limit.bytes) return found;
      }
    }
    return found;
  }

  /** Forgets what there is of [from, to), and returns the sum of its sizes. */
  drop(from: number, to: number): number {
    let freed = 0;
    let emptied = 0;
    let at = this.locate(from);
    for (; at < this.chunks.length; at++) {
      const chunk = this.chunks[at]!;
      if (chunk.start >= to) break;
      freed += chunk.drop(from - chunk.start, to - chunk.start);
      // Only the outermost chunks of a range can keep something, so those that it empties lie side by side.
      if (chunk.isSpent()) emptied++;
      else if (emptied > 0) break;
    }
    if (emptied > 0) this.discard(at - emptied, emptied);
    return freed;
  }

  /** `first` is the lowest offset that is left, `next` where none is. */
  range(): LogRange {
    const [lowest] = this.read(0, { entries: 1, bytes: 0 });
    return { first: lowest?.offset ?? this.next, next: this.next };
  }

  /** Its storage is closed: nothing comes in any more. */
  close(refusal: Error): void {
    this.refusal = refusal;
  }

  private begin(): Chunk {
    if (this.remake !== undefined && this.chunks.length - this.head >= LOOSE) this.chunks.at(-LOOSE)!.pack();
    const chunk = new Chunk(this.next);
    this.chunks.push(chunk);
    this.last = chunk;
    return chunk;
  }

  /** Index of the first chunk that reaches beyond `offset`. */
  private locate(offset: number): number {
    let low = this.head;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { start, length } = this.chunks[middle]!;
      if (start + length <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Takes out `count` chunks at `at`, moving the shorter side: what is stuck at the front does not make drops slow. */
  private discard(at: number, count: number): void {
    const { chunks } = this;
    if (at - this.head > chunks.length - at - count) {
      chunks.splice(at, count);
    } else {
      for (let i = at - 1; i >= this.head; i--) chunks[i + count] = chunks[i];
      chunks.fill(undefined, this.head, this.head + count);
      this.head += count;
      if (this.head * 2 >= chunks.length) {
        chunks.splice(0, this.head);
        this.head = 0;
      }
    }
    this.last = chunks.at(-1);
  }
}

/** Bytes of a body, as far as it can say without being encoded. */
function lengthOf(body: Body): number {
  if (typeof body === 'string') return body.length;
  return ArrayBuffer.isView(body) ? body.byteLength : 0;
}
