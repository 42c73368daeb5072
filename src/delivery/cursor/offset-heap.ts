/** Marks a message that comes back by itself after a batch it was in failed. Kept in the column of deliveries. */
const ALONE = 0x8000_0000;

/**
 * A binary heap in columns: 28 B per entry and no object. Lowest rank first, among equals the lowest offset.
 * As a queue of deferred messages the rank is when they are due; as one of returned messages it is the offset.
 */
export class OffsetHeap {
  size = 0;
  private ranks = new Float64Array(8);
  private offsets = new Float64Array(8);
  private failed = new Uint32Array(8);
  private handed = new Uint32Array(8);

  get rank(): number {
    return this.ranks[0]!;
  }
  get offset(): number {
    // Whole already. floor() makes a small integer of it, which a message can hold without a box.
    return Math.floor(this.offsets[0]!);
  }
  /** Attempts that failed so far. */
  get failures(): number {
    return this.failed[0]!;
  }
  /** How often it was handed out so far. */
  get deliveries(): number {
    return this.handed[0]! & ~ALONE;
  }
  get alone(): boolean {
    return (this.handed[0]! & ALONE) !== 0;
  }

  push(rank: number, offset: number, failures: number, deliveries: number, alone: boolean): void {
    if (this.size === this.ranks.length) this.resize(this.size * 2);
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.before(rank, offset, parent)) break;
      this.move(parent, at);
      at = parent;
    }
    this.put(at, rank, offset, failures, alone ? deliveries | ALONE : deliveries);
  }

  /** Removes the first. */
  pop(): void {
    const last = --this.size;
    const rank = this.ranks[last]!;
    const offset = this.offsets[last]!;
    const failures = this.failed[last]!;
    const handed = this.handed[last]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      if (child + 1 < last && this.before(this.ranks[child + 1]!, this.offsets[child + 1]!, child)) child++;
      if (this.before(rank, offset, child)) break;
      this.move(child, at);
      at = child;
    }
    this.put(at, rank, offset, failures, handed);
    if (this.ranks.length > 64 && this.size < this.ranks.length / 4) this.resize(this.ranks.length / 2);
  }

  /** Removes the lowest offset that was never handed out; −1 where there is none. Looks at all of them. */
  removeOldestUntried(): number {
    let found = -1;
    for (let at = 0; at < this.size; at++) {
      if (this.handed[at] === 0 && (found < 0 || this.offsets[at]! < this.offsets[found]!)) found = at;
    }
    if (found < 0) return -1;
    const offset = this.offsets[found]!;
    this.keep((one) => one !== offset);
    return offset;
  }

  /** Removes every offset below `first`. Looks at all of them. */
  removeBelow(first: number): void {
    if (this.size > 0) this.keep((offset) => offset >= first);
  }

  /** The lowest offset; Infinity where there is none. Looks at all of them. */
  lowest(): number {
    let lowest = Infinity;
    for (let at = 0; at < this.size; at++) lowest = Math.min(lowest, this.offsets[at]!);
    return lowest;
  }

  /** Removes what is not wanted. Looks at all of them. */
  keep(wanted: (offset: number) => boolean): void {
    const rest = [...this.entries()].filter(({ offset }) => wanted(offset));
    this.clear();
    for (const one of rest) this.push(one.rank, one.offset, one.failures, one.deliveries, one.alone);
  }

  clear(): void {
    this.size = 0;
    this.resize(8);
  }

  /** Every entry, in no particular order. */
  *entries(): Generator<{ rank: number; offset: number; failures: number; deliveries: number; alone: boolean }> {
    for (let at = 0; at < this.size; at++) {
      const handed = this.handed[at]!;
      yield {
        rank: this.ranks[at]!,
        offset: this.offsets[at]!,
        failures: this.failed[at]!,
        deliveries: handed & ~ALONE,
        alone: (handed & ALONE) !== 0,
      };
    }
  }

  private before(rank: number, offset: number, other: number): boolean {
    const otherRank = this.ranks[other]!;
    return rank < otherRank || (rank === otherRank && offset < this.offsets[other]!);
  }

  private move(from: number, to: number): void {
    this.put(to, this.ranks[from]!, this.offsets[from]!, this.failed[from]!, this.handed[from]!);
  }

  private put(at: number, rank: number, offset: number, failures: number, handed: number): void {
    this.ranks[at] = rank;
    this.offsets[at] = offset;
    this.failed[at] = failures;
    this.handed[at] = handed;
  }

  private resize(length: number): void {
    this.ranks = copied(new Float64Array(length), this.ranks, this.size);
    this.offsets = copied(new Float64Array(length), this.offsets, this.size);
    this.failed = copied(new Uint32Array(length), this.failed, this.size);
    this.handed = copied(new Uint32Array(length), this.handed, this.size);
  }
}

function copied<A extends Float64Array | Uint32Array>(to: A, from: A, size: number): A {
  to.set(from.subarray(0, size));
  return to;
}
