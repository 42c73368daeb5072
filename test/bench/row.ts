import type { Disk } from './disk.js';

/** What one run of a contender measured, by names the row chose: `ns` per message, `p99` in µs, … */
export type Figures = Readonly<Record<string, number>>;

/** One run. Repeated: first to warm up, then once per round. */
export type Measure = () => Figures | Promise<Figures>;

/** How long things may take. */
export interface Scale {
  /** The short form, for CI. */
  readonly quick: boolean;
  /** A run repeats its load until this is over, ms. */
  readonly duration: number;
}

/** Which build of sluice a contender runs with; see build.ts. */
export type Variant = 'stock' | 'silent' | 'greedy' | 'unmarked';

export interface Contender {
  readonly setUp: (scale: Scale) => Measure | Promise<Measure>;
  /** Default `stock`. */
  readonly variant?: Variant;
}

/** Contenders that take turns, each in a process of its own. */
export interface Contest {
  readonly name: string;
  /** The figure to show in the table, and its unit. */
  readonly figure: string;
  readonly unit: string;
  readonly contenders: Readonly<Record<string, Contender>>;
  /** What it writes to, where it does. Default: the disk of this machine. */
  readonly disk?: Disk;
  /** Default 3: fresh processes per contender, since a process keeps what its compiler chose early. */
  readonly lives?: number;
  /** Default 3: rounds of each life. */
  readonly rounds?: number;
  /** Default 5: runs that do not count, at the start of each life. The compiler takes half a second to settle. */
  readonly warmUps?: number;
}

/** One sentence of targets: it passes at `target` or beyond, lands at `floor` or beyond. */
export interface Check {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly target: number;
  /** Without one, missing the target holds nothing up. */
  readonly floor?: number | undefined;
  /** How the value came about, where that is not a plain median. */
  readonly note?: string | undefined;
}

export interface Row {
  readonly number: number;
  readonly title: string;
  /** What the bare loop does. */
  readonly bare: string;
  readonly contests: readonly Contest[];
  judge(results: Results): readonly Check[];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** What the rounds of one row measured: contest → contender → one entry per round, in the order of rounds. */
export class Results {
  private readonly rounds = new Map<string, Map<string, Figures[]>>();

  add(contest: string, contender: string, figures: Figures): void {
    let contenders = this.rounds.get(contest);
    if (contenders === undefined) this.rounds.set(contest, (contenders = new Map()));
    const list = contenders.get(contender);
    if (list === undefined) contenders.set(contender, [figures]);
    else list.push(figures);
  }

  contenders(contest: string): string[] {
    return [...(this.rounds.get(contest)?.keys() ?? [])];
  }

  all(contest: string, contender: string, figure: string): number[] {
    const rounds = this.rounds.get(contest)?.get(contender) ?? [];
    return rounds.map((figures) => {
      const value = figures[figure];
      if (value === undefined) throw new Error(`${contender} of ${contest} has no figure ${figure}`);
      return value;
    });
  }

  median(contest: string, contender: string, figure: string): number {
    return median(this.all(contest, contender, figure));
  }

  /** Median over rounds of one / other: both ran within seconds, so what else the machine did weighs on both. */
  ratio(contest: string, one: string, other: string, figure: string): number {
    const others = this.all(contest, other, figure);
    return median(this.all(contest, one, figure).map((value, round) => value / others[round]!));
  }

  /** Upper end of the best quarter of all rounds. What disturbs a run only ever adds to it. */
  best(contest: string, contender: string, figure: string): number {
    return percentile(Float64Array.from(this.all(contest, contender, figure)).sort(), 0.25);
  }

  toJSON(): unknown {
    return Object.fromEntries([...this.rounds].map(([name, contenders]) => [name, Object.fromEntries(contenders)]));
  }
}
