import { diverge } from '../divergence.js';
import type { Entry } from './entries.js';
import type { Hand } from './hand.js';

/** What the storage is told of a message in a group. */
interface Fate {
  /** Settled, below where the group began or was moved to, or taken by retention. undefined: a crash may have undone that. */
  readonly done: boolean | undefined;
  /** Dead letters of it that wait to be redriven. */
  readonly deaths: number;
  /** It may come so many times more, though it is settled: it was redriven. */
  readonly spare: number;
  /** It died; nothing else has settled it. */
  readonly died: boolean;
  /** Counts the changes of a group. */
  readonly at: number;
}

/** What is known of a message in one group. */
export class Letter {
  readonly entry: Entry;
  /** Attempts that failed; after a crash it may be any number up to `most`. */
  failures = 0;
  most: number | undefined;
  /** And what that was since the last flush, before it was settled or moved. */
  private peak = 0;
  /** It comes not before. */
  readyAt = 0;
  /** It was redriven, and has to come. */
  owed = false;
  /** A process may have ended with it in hand. */
  suspect = false;
  /** It was so, and is handled by itself. */
  tried = false;
  /** The last who had it, and those who had it and whose failure may be its death: that is told when it is written. */
  hand: Hand | undefined;
  dying: Hand[] = [];
  /** What a crash may have left: dead letters, and whether nothing but a death can have settled it. */
  private remains = { fewest: 0, most: 0, onlyDied: false };
  /** How it was at the last flush, and what it became since. */
  private history: Fate[];

  constructor(entry: Entry, done: boolean, at: number) {
    this.entry = entry;
    this.history = [{ at, done, deaths: 0, spare: 0, died: false }];
  }

  private get fate(): Fate {
    return this.history.at(-1)!;
  }
  get done(): boolean | undefined {
    return this.fate.done;
  }
  get deaths(): number {
    return this.fate.deaths;
  }
  get spare(): number {
    return this.fate.spare;
  }

  /** Neither settled nor gone. */
  get open(): boolean {
    return this.done !== true && !this.entry.gone;
  }

  /** It has to come. */
  get wanted(): boolean {
    return this.open || (this.owed && !this.entry.gone);
  }

  change(at: number, changes: Partial<Fate>): void {
    this.history.push({ ...this.fate, died: false, ...changes, at });
  }

  /** Somebody got it who must not; or that is how a crash has left it. */
  delivered(at: number): boolean {
    const { done, spare } = this.fate;
    if (done === undefined && spare === 0) this.change(at, { done: false });
    return done !== true || spare > 0;
  }

  /** It is settled: for the first time, or once more after it was redriven. */
  settled(at: number, died: boolean): void {
    const { done, spare } = this.fate;
    this.change(at, done === true ? { spare: Math.max(0, spare - 1) } : { done: true, died });
    // Should it come once more, then from the start.
    this.forget();
  }

  /** Its place in the group is another one now. */
  moved(at: number, below: boolean): void {
    this.change(at, { done: below, spare: 0 });
    this.forget();
  }

  private forget(): void {
    this.peak = Math.max(this.peak, this.most ?? this.failures);
    Object.assign(this, { failures: 0, most: undefined, readyAt: 0, owed: false, suspect: false });
  }

  /** Everything up to this change is sure to outlive a crash. */
  sure(at: number): void {
    const last = this.history.findLastIndex((fate) => fate.at <= at);
    if (last > 0) this.history.splice(0, last);
    if (this.history.length === 1) this.peak = 0;
  }

  /** The process died: what was not flushed may be undone, and what was in hand has failed. */
  crashed(at: number): void {
    const { history } = this;
    const known = history.every(({ done }) => done === this.done);
    const deaths = history.map((fate) => fate.deaths);
    // What was in hand, or comes back so, may die of it.
    const more = this.dying.length + (known && this.done === true ? 0 : 1);
    this.remains = {
      fewest: Math.min(...deaths),
      most: Math.max(...deaths) + more,
      onlyDied: history.every(({ done, died }) => done === false || died),
    };
    const spare = Math.max(...history.map((fate) => fate.spare));
    this.history = [{ ...this.fate, at, done: known ? this.done : undefined, spare }];
    this.most = Math.max(this.peak, this.most ?? this.failures) + 1;
    this.suspect = this.open;
    // What is gone may still be waited for.
    if (!this.entry.gone) this.readyAt = 0;
    Object.assign(this, { owed: false, hand: undefined, dying: [] });
  }

  /** After a crash: so many dead letters of it are there. */
  buried(count: number, at: number): void {
    const { fewest, most, onlyDied } = this.remains;
    if (count < fewest || count > most) diverge(`${this} has ${count} dead letters, not ${fewest} to ${most}`);
    if (count === this.deaths) return;
    const { deaths, done } = this;
    this.change(at, { deaths: count });
    if (count > deaths && done === false) this.change(at, { done: undefined });
    // Settled by nothing but a death that is lost: it has to come again.
    if (count < deaths && done === undefined && onlyDied) this.change(at, { done: false });
  }

  toString(): string {
    const { number, partition, offset } = this.entry;
    return `#${number} (${partition}@${offset})`;
  }
}
