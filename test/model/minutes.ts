/** How often each command and outcome occurred. */
export type Census = Map<string, number>;

/** What is written down of one run: outcomes, what happened in which order, and what went wrong first. */
export abstract class Minutes {
  private readonly census: Census;
  private readonly log: string[] | undefined;
  private failure: Error | undefined;

  constructor(census: Census, log: string[] | undefined) {
    this.census = census;
    this.log = log;
  }

  abstract readonly now: number;

  count(outcome: string): void {
    this.census.set(outcome, (this.census.get(outcome) ?? 0) + 1);
  }

  note(line: () => string): void {
    this.log?.push(`${String(this.now % 10_000_000).padStart(7)} ${line()}`);
  }

  /** What goes wrong on the engine's stack must not be thrown into it. */
  guard<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (this.failure === undefined) this.note(() => `>>> ${(error as Error).message}`);
      this.failure ??= error as Error;
      return undefined;
    }
  }

  /** It went wrong: whoever is still called lets things run out. */
  get failed(): boolean {
    return this.failure !== undefined;
  }

  /** Throws what went wrong. */
  check(): void {
    if (this.failure !== undefined) throw this.failure;
  }
}
