/** Offsets, as disjoint ranges [start, end) in ascending order, with at least one offset between two of them. */
export class Ranges {
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  get length(): number {
    return this.starts.length;
  }

  /** How many offsets are in it. */
  get size(): number {
    let size = 0;
    for (let i = 0; i < this.starts.length; i++) size += this.ends[i]! - this.starts[i]!;
    return size;
  }

  /** Adds [from, to), and calls `added` with each part of it that was not there yet. */
  add(from: number, to: number, added?: (from: number, to: number) => void): void {
    if (from >= to) return;
    // Everything that overlaps or touches [from, to) becomes one range with it.
    const low = this.indexOf(from - 1);
    let high = low;
    let start = from;
    let end = to;
    let fresh = from;
    for (; high < this.starts.length && this.starts[high]! <= to; high++) {
      if (fresh < this.starts[high]!) added?.(fresh, this.starts[high]!);
      fresh = Math.max(fresh, this.ends[high]!);
      start = Math.min(start, this.starts[high]!);
      end = Math.max(end, this.ends[high]!);
    }
    if (fresh < to) added?.(fresh, to);
    this.starts.splice(low, high - low, start);
    this.ends.splice(low, high - low, end);
  }

  /** Forgets what lies below `offset`. */
  trim(offset: number): void {
    const low = this.indexOf(offset);
    this.starts.splice(0, low);
    this.ends.splice(0, low);
    if (this.starts.length > 0 && this.starts[0]! < offset) this.starts[0] = offset;
  }

  has(offset: number): boolean {
    return this.skip(offset) !== offset;
  }

  /** `offset`, or the end of the range it lies in. */
  skip(offset: number): number {
    const at = this.indexOf(offset);
    return at < this.starts.length && this.starts[at]! <= offset ? this.ends[at]! : offset;
  }

  /** Start of the first range that begins after `offset`, or Infinity. */
  after(offset: number): number {
    let at = this.indexOf(offset);
    if (at < this.starts.length && this.starts[at]! <= offset) at++;
    return this.starts[at] ?? Infinity;
  }

  /** How many offsets of [from, to) are in it. */
  overlap(from: number, to: number): number {
    let size = 0;
    for (let at = this.indexOf(from); at < this.starts.length && this.starts[at]! < to; at++) {
      size += Math.min(this.ends[at]!, to) - Math.max(this.starts[at]!, from);
    }
    return size;
  }

  /** Calls `visit` with the parts of [from, to) that are not in it. */
  gaps(from: number, to: number, visit: (from: number, to: number) => void): void {
    let open = from;
    for (let at = this.indexOf(from); at < this.starts.length && this.starts[at]! < to; at++) {
      if (open < this.starts[at]!) visit(open, this.starts[at]!);
      open = this.ends[at]!;
    }
    if (open < to) visit(open, to);
  }

  /** Index of the first range that ends after `offset`. */
  private indexOf(offset: number): number {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ends[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
