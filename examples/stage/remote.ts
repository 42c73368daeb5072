import type { Clock } from 'sluice';

/**
 * A service somewhere else: it takes its time, and now and then it is not there. Which calls fail follows from the seed and the call alone, not
 * from when it comes: a seed gives the same retries and dead letters in every run.
 */
export class Remote {
  readonly name: string;
  private readonly seed: number;
  private readonly clock: Clock;
  private readonly takes: readonly [least: number, most: number];
  private failing: number;

  /**
   * @param failing share of the calls that fail, 0 … 1
   * @param takes ms, at least and at most
   */
  constructor(
    name: string,
    {
      seed,
      failing,
      clock,
      takes = [2, 12],
    }: { seed: number; failing: number; clock: Clock; takes?: [number, number] },
  ) {
    this.name = name;
    this.seed = seed;
    this.clock = clock;
    this.failing = failing;
    this.takes = takes;
  }

  async call(id: string, attempt: number): Promise<void> {
    const chance = random(`${this.seed} ${this.name} ${id} ${attempt}`);
    const [least, most] = this.takes;
    await pause(this.clock, least + (most - least) * chance());
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
