/** At most `max` per `per` ms, on the broker's clock: the bucket starts full, and a token comes back every per/max ms. */
export class TokenBucket {
  private readonly max: number;
  private readonly interval: number;
  private tokens: number;
  private at: number;

  constructor(max: number, per: number, now: number) {
    this.max = max;
    this.interval = per / max;
    this.tokens = max;
    this.at = now;
  }

  /** Whole tokens there are at `now`. */
  available(now: number): number {
    if (this.tokens < this.max && now > this.at) {
      const grown = Math.floor((now - this.at) / this.interval + 1e-9);
      this.tokens = Math.min(this.max, this.tokens + grown);
      this.at = this.tokens === this.max ? now : this.at + grown * this.interval;
    }
    return Math.floor(this.tokens);
  }

  /** Takes one; available() said that there is one. */
  take(now: number): void {
    if (this.tokens >= this.max) this.at = now;
    this.tokens--;
  }

  /** When the next token is there; after available() said 0. */
  next(): number {
    return this.at + this.interval;
  }
}
