import type { Clock } from 'sluice';

/**
 * A service somewhere else: it takes its time, and now and then it is not there. Which calls fail follows from the seed and the call alone, not
 * from when it comes: a seed gives the same retries and dead letters in every run.
 */
export class Remote {
  readonly name: string;
  private readonly seed: number;
  private readonly clock: Clock;
  private failing: number;

  /** @param failing share of the calls that fail, 0 … 1 */
  constructor(name: string, { seed, failing, clock }: { seed: number; failing: number; clock: Clock }) {
    this.name = name;
    this.seed = seed;
    this.clock = clock;
    this.failing = failing;
  }

  async call(id: string, attempt: number): Promise<void> {
    const chance = random(`${this.seed} ${this.name} ${id} ${attempt}`);
    await pause(this.clock, 2 + 10 * chance());
    if (chance() < this.failing) throw new Error(`${this.name} answers 503 Service Unavailable`);
  }

  /** Somebody found the plug. */
  repair(): void {
    this.failing = 0;
  }
}

export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimer(ms, resolve));
}

/** Uniform in [0, 1), the same sequence for the same text: FNV-1a into mulberry32. */
function random(text: string): () => number {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(text)) state = Math.imul(state ^ byte, 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
