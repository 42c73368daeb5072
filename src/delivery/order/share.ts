/** Who takes together: a consumer, or all who call receive() on a source. */
export interface Member {
  readonly name: string;
  /** What it takes from. undefined: from everything. */
  share: Share | undefined;
  /** Of one that may be back in a moment, and is not gone because nobody asks for it now: it has something in hand. */
  readonly lingers?: boolean;
}

/** Messages taken from one partition before the next has its turn. Neighbours in a log are neighbours in memory. */
const IN_A_ROW = 32;

/** The partitions that one member of a group takes from, in turn. */
export class Share {
  readonly partitions: number[] = [];
  /** By partition, where it is among these. */
  private readonly places: (number | undefined)[] = [];
  private turn = 0;
  private taken = 0;

  /** The one whose turn it is. */
  get current(): number {
    return this.partitions[this.turn]!;
  }

  /** A message was taken from it: after some the next one has its turn, so that none waits for the end of another. */
  took(): void {
    if (++this.taken >= IN_A_ROW) this.advance();
  }

  /** A slot that was busy with this one goes on with it, unless another's turn has just begun. */
  goOnWith(partition: number): void {
    if (this.taken > 0) this.turn = this.places[partition] ?? this.turn;
  }

  advance(): void {
    this.taken = 0;
    if (++this.turn >= this.partitions.length) this.turn = 0;
  }

  add(partition: number): void {
    this.places[partition] = this.partitions.push(partition) - 1;
  }

  remove(partition: number): void {
    const at = this.partitions.indexOf(partition);
    if (at < 0) return;
    this.partitions.splice(at, 1);
    this.places[partition] = undefined;
    for (let place = at; place < this.partitions.length; place++) this.places[this.partitions[place]!] = place;
    if (this.turn > at || this.turn === this.partitions.length) this.turn = Math.max(0, this.turn - 1);
  }
}
