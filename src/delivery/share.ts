/** Who takes together: a consumer, or all who call receive() on a source. */
export interface Member {
  readonly name: string;
  /** What it takes from. undefined: from everything. */
  share: Share | undefined;
  /** Of one that may be back in a moment, and is not gone because nobody asks for it now: it has something in hand. */
  readonly lingers?: boolean;
}

/** The partitions that one member of a group takes from, in turn. */
export class Share {
  readonly partitions: number[] = [];
  private turn = 0;

  next(): number {
    if (this.turn >= this.partitions.length) this.turn = 0;
    return this.partitions[this.turn++]!;
  }

  add(partition: number): void {
    this.partitions.push(partition);
  }

  remove(partition: number): void {
    const at = this.partitions.indexOf(partition);
    if (at < 0) return;
    this.partitions.splice(at, 1);
    if (this.turn > at) this.turn--;
  }
}
