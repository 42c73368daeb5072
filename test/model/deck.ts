import type { Random } from '../../src/clock.js';

export interface Kind<D> {
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** Only when nothing moves. */
  readonly calm?: boolean;
  /** Does it, with what it draws. false: there is nothing to do it to. */
  readonly perform: (driver: D, random: Random) => boolean | Promise<boolean>;
}

/** What it draws depends on its seed alone, so that it does the same when others before it are left out. */
export interface Command {
  readonly kind: string;
  readonly seed: number;
}

/** Commands by name, to be drawn from. */
export class Deck<D> {
  readonly kinds: Readonly<Record<string, Kind<D>>>;
  private readonly names: readonly string[];
  private readonly total: number;

  constructor(kinds: Readonly<Record<string, Kind<D>>>) {
    this.kinds = kinds;
    this.names = Object.keys(kinds);
    this.total = this.names.reduce((sum, name) => sum + kinds[name]!.weight, 0);
  }

  draw(random: Random): Command {
    let left = random() * this.total;
    const kind = this.names.find((name) => (left -= this.kinds[name]!.weight) < 0)!;
    return { kind, seed: Math.floor(random() * 2 ** 31) };
  }
}
