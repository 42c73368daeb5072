/** Offsets per block. A block that is settled whole is reported for dropping and costs one slot from then on. */
const BLOCK = 512;
const WORDS = BLOCK / 32;

class Block {
  readonly words = new Uint32Array(WORDS);
  count = 0;

  has(bit: number): boolean {
    return (this.words[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** Whether it was new. */
  add(bit: number): boolean {
    const word = bit >>> 5;
    const mask = 1 << (bit & 31);
    const before = this.words[word]!;
    if ((before & mask) !== 0) return false;
    this.words[word] = before | mask;
    this.count++;
    return true;
  }
}

/** Stands for every block that is settled whole. */
const FULL = new Block();
FULL.words.fill(0xffffffff);
FULL.count = BLOCK;

export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Which offsets of a log are settled: everything below the low watermark, and bits above it.
 *
 *     ████████████████ ▏█ ██ ███████▕ ██████████████ ▏ █
 *     below `low`        a block       a full block     …  first = number of blocks[0]
 */
export class SettledSet {
  /** The first offset that is not settled. */
  low: number;
  /** Settled offsets at or above `low`. */
  above = 0;
  /** Whoever asks for its drops knows that there may be some. */
  changed = false;
  private first: number;
  private blocks: (Block | undefined)[] = [];
  private spare: Block | undefined;
  /** Numbers of blocks that became full since the last takeDrops(). */
  private filled: number[] = [];
  private trimmed: number;

  constructor(low = 0) {
    this.low = low;
    this.trimmed = low;
    this.first = blockOf(low);
  }

  has(offset: number): boolean {
    if (offset < this.low) return true;
    const block = this.blocks[blockOf(offset) - this.first];
    return block !== undefined && block.has(offset & (BLOCK - 1));
  }

  /** Whether it was new. */
  add(offset: number): boolean {
    if (this.above > 0 || offset !== this.low) return this.addAbove(offset);
    // In order, as most are: the watermark says it all.
    this.low++;
    return true;
  }

  private addAbove(offset: number): boolean {
    if (this.above === 0) this.rebase();
    if (offset < this.low) return false;
    const number = blockOf(offset);
    const index = number - this.first;
    let block = this.blocks[index];
    if (block === undefined) block = this.newBlock(index);
    else if (block === FULL) return false;
    if (!block.add(offset & (BLOCK - 1))) return false;
    this.above++;
    if (block.count === BLOCK) {
      this.blocks[index] = FULL;
      this.filled.push(number);
    }
    if (offset === this.low) this.advance();
    if (block.count === BLOCK && this.spare === undefined) {
      block.words.fill(0);
      block.count = 0;
      this.spare = block;
    }
    return true;
  }

  /** How many of them were new. */
  addRange(from: number, to: number): number {
    let added = 0;
    if (this.above === 0 && from <= this.low && to > this.low) {
      // In order: the watermark says it all, however many they are.
      added = to - this.low;
      this.low = to;
      return added;
    }
    for (let offset = Math.max(from, this.low); offset < to; offset++) if (this.add(offset)) added++;
    return added;
  }

  /** No bit at or above the watermark is set: what blocks there are belong to the past. */
  private rebase(): void {
    this.blocks.length = 0;
    this.first = blockOf(this.low);
  }

  private newBlock(index: number): Block {
    const block = this.spare ?? new Block();
    this.spare = undefined;
    while (this.blocks.length < index) this.blocks.push(undefined);
    this.blocks[index] = block;
    return block;
  }

  private advance(): void {
    let low = this.low;
    let index = blockOf(low) - this.first;
    for (;;) {
      const block = this.blocks[index];
      if (block === undefined) break;
      if (block === FULL) {
        low = (this.first + index + 1) * BLOCK;
        index++;
        continue;
      }
      const end = (this.first + index + 1) * BLOCK;
      while (low < end && block.has(low & (BLOCK - 1))) low++;
      if (low < end) break;
      index++;
    }
    this.above -= low - this.low;
    this.low = low;
    // Blocks left behind are shifted out some at a time, not one by one.
    const passed = blockOf(low) - this.first;
    if (passed >= 32 || passed === this.blocks.length) {
      this.blocks.splice(0, passed);
      this.first += passed;
    }
  }

  /** What may be dropped from the log since this was last asked: a trim from 0, and whole blocks in the middle. */
  takeDrops(): Range[] {
    this.changed = false;
    const drops: Range[] = [];
    if (this.low > this.trimmed) {
      drops.push({ from: 0, to: this.low });
      this.trimmed = this.low;
    }
    for (const number of this.filled) {
      const from = number * BLOCK;
      if (from < this.low) continue;
      const last = drops.at(-1);
      if (last !== undefined && last.from !== 0 && last.to === from)
        drops[drops.length - 1] = { from: last.from, to: from + BLOCK };
      else drops.push({ from, to: from + BLOCK });
    }
    this.filled = [];
    return drops;
  }

  /** What takeDrops() said was not done. */
  forgetDrops(): void {
    this.trimmed = 0;
    this.blocks.forEach((block, index) => {
      if (block === FULL) this.filled.push(this.first + index);
    });
  }

  /** The settled ranges above `low`, ascending. */
  *ranges(): Generator<Range> {
    if (this.above === 0) return;
    let from = -1;
    const end = (this.first + this.blocks.length) * BLOCK;
    for (let offset = this.low, next = 0; offset <= end; offset = next) {
      const number = blockOf(offset);
      const block = this.blocks[number - this.first];
      // Nothing of it, or all.
      const isEven = block === undefined || block === FULL;
      next = isEven ? (number + 1) * BLOCK : offset + 1;
      const settled = isEven ? block === FULL : block.has(offset & (BLOCK - 1));
      if (settled && from < 0) from = offset;
      else if (!settled && from >= 0) {
        yield { from, to: offset };
        from = -1;
      }
    }
  }
}

function blockOf(offset: number): number {
  return Math.floor(offset / BLOCK);
}
