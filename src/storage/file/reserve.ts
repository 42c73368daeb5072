import type { Chain } from './chain.js';
import type { Spares } from './spares.js';

/** What a full disk has left for batches without bodies. Bytes. */
const LARGEST = 256 * 1024;
const SMALLEST = 4 * 1024;

/** The room of the first spare, held back for what carries no body: acknowledgements and drops go on when the disk is full. */
export class Reserve {
  private readonly spares: Spares;
  private readonly segmentBytes: number;
  private readonly chain: Chain;

  constructor(spares: Spares, segmentBytes: number, chain: Chain) {
    this.spares = spares;
    this.segmentBytes = segmentBytes;
    this.chain = chain;
  }

  get isThere(): boolean {
    const spare = this.spares.ready[0];
    return spare !== undefined && spare.allocated >= this.bytes;
  }

  /** Resolves when it is there; rejects when the disk has no room for it. */
  async make(): Promise<void> {
    if (!this.isThere) await this.spares.ensure(this.bytes);
  }

  private get bytes(): number {
    return Math.min(Math.max(this.segmentBytes, SMALLEST), LARGEST) + 4 * this.chain.stateBytes;
  }
}
