import type { Body, LogRange, OpenLog, ReadLimit, StoredEntry } from './storage.js';

/** Slots of a full chunk. Each starts narrow and widens as it fills, so that ten thousand small logs stay small. */
const CHUNK = 512;
const NARROW = 32;
const WIDEN = 4;

/** What a read() counts for a head: only its JSON would tell. */
const HEAD_BYTES = 100;

/**
 * One log, in columns: an entry is a slot in two arrays, and no object of its own holds it.
 *
 *     start      0               1536            2048
 *     heads    │ · · · h · … · │ h h h … h h h │ h h h … ┊      h, b  live
 *     bodies   │ · · · b · … · │ b b b … b b b │ b b b … ┊      ·     dropped
 *                              ▲                       ▲
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
      const { start, length, heads, bodies } = this.chunks[at]!;
      for (let slot = Math.max(from - start, 0); slot < length; slot++) {
        const head = heads[slot];
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

class Chunk {
  /**
   * V8 forgets the shape of a class of which a full collection finds no instance, and with it all code that was compiled for it: after
   * each one that meets only empty logs, some thousand messages would be slow.
   */
  static readonly kept = new Chunk(0);
  /** Offset of slot 0. */
  readonly start: number;
  /** Slots that were filled, and how many of them still are. */
  length = 0;
  live = 0;
  readonly heads: (object | undefined)[] = [];
  readonly bodies: Body[] = [];
  /** Only where sizes are counted. */
  private sizes: number[] | undefined;
  private bytes = 0;

  constructor(start: number) {
    this.start = start;
    this.reserve(NARROW);
  }

  push(head: object, body: Body, size: number): void {
    const slot = this.length;
    if (slot === this.heads.length) this.reserve(slot * WIDEN);
    this.heads[slot] = head;
    this.bodies[slot] = body;
    if (size > 0) {
      this.sizes ??= [];
      this.sizes[slot] = size;
      this.bytes += size;
    }
    this.length = slot + 1;
    this.live++;
  }

  /** Clears the slots of [from, to) that exist and are filled; returns the sum of their sizes. */
  drop(from: number, to: number): number {
    const end = Math.min(to, this.length);
    const before = this.bytes;
    if (from <= 0 && end === this.length && end >= NARROW) {
      // Spent. What it held must not be kept alive by a chunk that is old, and gone.
      this.heads.length = this.bodies.length = 0;
      this.live = this.bytes = 0;
      return before;
    }
    for (let slot = Math.max(from, 0); slot < end; slot++) {
      if (this.heads[slot] === undefined) continue;
      this.heads[slot] = this.bodies[slot] = undefined;
      this.bytes -= this.sizes?.[slot] ?? 0;
      this.live--;
    }
    return before - this.bytes;
  }

  private reserve(slots: number): void {
    this.heads.length = slots;
    this.bodies.length = slots;
  }

  /** Nothing is left in it, and it is too wide to be kept for what may come. */
  isSpent(): boolean {
    return this.live === 0 && this.length >= NARROW;
  }
}

/** Bytes of a body, as far as it can say without being encoded. */
function lengthOf(body: Body): number {
  if (typeof body === 'string') return body.length;
  return ArrayBuffer.isView(body) ? body.byteLength : 0;
}
