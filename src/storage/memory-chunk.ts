import type { Body, PlainHead, Remake } from './storage.js';

/** Slots of a full chunk. Each starts narrow and widens as it fills, so that ten thousand small logs stay small. */
export const CHUNK = 512;
const NARROW = 32;
const WIDEN = 4;

/** Numbers of a packed head, in this order: its seconds, its tick and 1 (0: there is none), its size. */
const NUMBERS = 3;

/**
 * Entries that follow each other in a log, in columns: no object of its own holds one. Packed, a chunk keeps of a plain head what it
 * says, and not the head: a million that wait cost the garbage collector nothing but their bodies.
 *
 *                      packed
 *     heads    h  ·  h  h  …     ·  ·  h  ·  …     those that are not plain
 *     bodies   b  ·  b  b  …     b  ·  b  b  …
 *     numbers                    n  ·  ·  n  …
 *     keys                       k  ·  ·  k  …     where there are any; routing keys and times when they are due, too
 *                 ▲ dropped
 */
export class Chunk {
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
  private numbers: Int32Array | undefined = undefined;
  private keys: (string | undefined)[] | undefined = undefined;
  private routingKeys: (string | undefined)[] | undefined = undefined;
  /** NaN: it has none. */
  private dues: Float64Array | undefined = undefined;
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

  /** The head in a slot; undefined: it was dropped. */
  headAt(slot: number, remake: Remake | undefined): object | undefined {
    const { numbers } = this;
    const at = slot * NUMBERS;
    const tick = numbers === undefined ? -1 : numbers[at + 1]! - 1;
    if (numbers === undefined || tick < 0) return slot < this.heads.length ? this.heads[slot] : undefined;
    const due = this.dues === undefined ? NaN : this.dues[slot]!;
    const [key, routingKey] = [this.keys?.[slot], this.routingKeys?.[slot]];
    return remake!(numbers[at]!, tick, numbers[at + 2]!, key, routingKey, due);
  }

  /** It is full, and what is in it will wait for a while. Heads that are young are never moved among what is old. */
  pack(): void {
    if (this.numbers !== undefined) return;
    const { heads, length } = this;
    const numbers = (this.numbers = new Int32Array(length * NUMBERS));
    let whole = 0;
    for (let slot = 0; slot < length; slot++) {
      const head = heads[slot] as PlainHead | undefined;
      if (head?.isPlain !== true) {
        if (head !== undefined) whole++;
        continue;
      }
      const { key, routingKey, due } = head;
      const at = slot * NUMBERS;
      numbers[at] = head.seconds;
      numbers[at + 1] = head.tick + 1;
      numbers[at + 2] = head.size;
      if (key !== undefined) (this.keys ??= column(length))[slot] = key;
      if (routingKey !== undefined) (this.routingKeys ??= column(length))[slot] = routingKey;
      if (due !== undefined) (this.dues ??= new Float64Array(length).fill(NaN))[slot] = due;
      heads[slot] = undefined;
    }
    if (whole === 0) heads.length = 0;
  }

  /** Clears the slots of [from, to) that exist and are filled; returns the sum of their sizes. */
  drop(from: number, to: number): number {
    const end = Math.min(to, this.length);
    const before = this.bytes;
    if (from <= 0 && end === this.length && end >= NARROW) {
      // Spent. What it held must not be kept alive by a chunk that is old, and gone.
      this.heads.length = this.bodies.length = 0;
      this.numbers = this.keys = this.routingKeys = this.dues = undefined;
      this.live = this.bytes = 0;
      return before;
    }
    for (let slot = Math.max(from, 0); slot < end; slot++) {
      if (!this.clearHead(slot)) continue;
      this.bodies[slot] = undefined;
      this.bytes -= this.sizes?.[slot] ?? 0;
      this.live--;
    }
    return before - this.bytes;
  }

  /** Whether there was one. */
  private clearHead(slot: number): boolean {
    const { heads, numbers } = this;
    if (slot < heads.length && heads[slot] !== undefined) {
      heads[slot] = undefined;
      return true;
    }
    if (numbers === undefined || numbers[slot * NUMBERS + 1] === 0) return false;
    numbers[slot * NUMBERS + 1] = 0;
    if (this.keys !== undefined) this.keys[slot] = undefined;
    return true;
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

function column(slots: number): (string | undefined)[] {
  return new Array<string | undefined>(slots).fill(undefined);
}
