/**
 * At most `max` per `per` ms, on the broker's clock: the bucket starts full, and a token comes back every per/max ms.
 *
 * When the nth token is back is told by one expression, rounding included: so one that next() announces is there at that time, and one
 * that available() does not find is announced for later than now. At the magnitude of a wall clock a double has steps of 0.0002 ms.
 */
export class TokenBucket {
  private readonly max: number;
  private readonly per: number;
  private tokens: number;
  /** When it was full last. */
  private since: number;
  /** Tokens that came back since then. */
  private returned = 0;

  constructor(max: number, per: number, now: number) {
    this.max = max;
    this.per = per;
    this.tokens = max;
    this.since = now;
  }

  /** Whole tokens there are at `now`. */
  available(now: number): number {
    if (this.tokens < this.max && now > this.since) {
      const returned = this.returnedBy(now);
      this.tokens += returned - this.returned;
      this.returned = returned;
      if (this.tokens >= this.max) this.fill(now);
    }
    return this.tokens;
  }

  /** Takes one; available() said that there is one. */
  take(now: number): void {
    if (this.tokens >= this.max) this.fill(now);
    this.tokens--;
  }

  /** When the next token is there; after available() said 0. */
  next(): number {
    return this.time(this.returned + 1);
  }

  private fill(now: number): void {
    this.tokens = this.max;
    this.since = now;
    this.returned = 0;
  }

  /** When the nth token is back. */
  private time(n: number): number {
    return this.since + (n * this.per) / this.max;
  }

  /** How many are back at `now`. */
  private returnedBy(now: number): number {
    let n = Math.max(this.returned, Math.floor(((now - this.since) * this.max) / this.per));
    while (n > this.returned && this.time(n) > now) n--;
    while (this.time(n + 1) <= now) n++;
    return n;
  }
}
