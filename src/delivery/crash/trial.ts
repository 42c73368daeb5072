import { nextTurn } from '../../clock.js';
import type { Held } from '../held.js';
import type { Settlement } from '../settlement.js';
import { LONGEST_TRIAL } from './solitude.js';
import type { Taken } from '../taken.js';

/** What one queue or group had unfinished when the process before this one ended without a word. */
export interface Unfinished {
  /** In hand for certain: taken out of the stock, to be judged. `lone`: it was under suspicion already, and tried by itself. */
  readonly begun: readonly { readonly taken: Taken; readonly lone: boolean }[];
  /** How many may have been in hand. They are ready, each to be tried by itself. */
  readonly suspected: number;
}

/**
 * Finds out which message ends processes. One that was tried by itself, or was the only one in hand, did it: a failed attempt, like
 * any other. Where there were several nobody knows: each has an attempt counted, none dies of it, and each is tried by itself
 * from then on: one at a time in the whole broker, and while it is, nothing else runs in its consumer.
 */
export class Trial {
  private cases: (Unfinished & { readonly settlement: Settlement })[] = [];
  private suspect: Held | undefined;
  private until = 0;

  add(settlement: Settlement, unfinished: Unfinished): void {
    this.cases.push({ settlement, ...unfinished });
  }

  /** All that the process before this one had unfinished is found. */
  judge(): void {
    const all = this.cases.flatMap(({ settlement, begun }) => begun.map((one) => ({ settlement, ...one })));
    const alone = all.length === 1 && this.cases.every(({ suspected }) => suspected === 0);
    this.cases = [];
    if (all.length === 0) return;
    const error = new Error('the process ended while it was handled');
    // When whoever opened the broker has declared his queues, and listens.
    nextTurn(() => {
      for (const { settlement, taken, lone } of all) settlement.judge(taken, lone || alone ? 'crash' : 'beside', error);
    });
  }

  /** No other suspect is tried. */
  free(now: number): boolean {
    return this.suspect === undefined || !this.suspect.inHand || now >= this.until;
  }

  begin(suspect: Held, now: number): void {
    this.suspect = suspect;
    this.until = now + LONGEST_TRIAL;
  }
}
