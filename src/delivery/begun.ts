import { monotonic } from '../clock.js';
import type { Held } from './held.js';
import type { Journal } from './journal.js';
import type { Marks } from './marks.js';

/** Deliveries marked ahead at most, and how many are marked one by one before any is. */
const FARTHEST = 1024;
const ONE_BY_ONE = 32;
/** Marks shall cost a tenth of the time, or less. */
const SHARE = 10;

/**
 * No handler runs before the storage knows that its delivery began, so that a message which ends the process is known after it.
 * The mark goes to the operating system only, together with all acknowledgements so far; all that are handed out at a time share
 * one write.
 *
 *     take ──► marked? ──yes──────────────────────────► handler ──► ack: settled │ nack, requeue, …: given back
 *                 └─no──► mark, with those behind it ──►┘                both end the mark
 *
 * Where handlers take longer than the write, each message is marked by itself, and after a crash it is certain which had begun.
 * Where they are fast, so many are marked ahead that the write does not count; those are under suspicion only.
 */
export class Begun {
  private readonly journal: Journal;
  private readonly marks: Marks;
  private readonly touch: () => void;
  /** The last write of marks, and whether it takes more; how many are not done. */
  private round: Promise<void> | undefined;
  private gathering = false;
  private underWay = 0;
  /** How many the next mark is for. */
  private ahead = 1;
  private patience = 0;
  /** Handed out since the last write was done; when that was, and how long it took. */
  private taken = 0;
  private written = monotonic();
  private cost = 0;

  constructor(journal: Journal, marks: Marks, touch: () => void) {
    this.journal = journal;
    this.marks = marks;
    this.touch = touch;
  }

  /** Resolves, and never rejects, when the handler may begin; undefined: now. What is settled before its handler has to be stored as such. */
  begins(held: Held): Promise<void> | undefined {
    const { cursor, offset, deliveries } = held;
    this.taken++;
    const isFirst = deliveries === 1 && held.suspicion === 0 && held.head.rare?.due === undefined;
    if (held.inHand && isFirst && this.marks.covers(cursor, offset)) return this.underWay > 0 ? this.round : undefined;
    if (!this.gathering) this.gather();
    if (!held.inHand) return this.round;
    if (isFirst && this.ahead > 1) this.marks.addAhead(cursor, offset, Math.min(offset + this.ahead, cursor.end));
    else this.marks.add(cursor, offset, deliveries);
    return this.round;
  }

  private gather(): void {
    this.pace();
    this.gathering = true;
    this.underWay++;
    this.touch();
    this.round = Promise.resolve().then(() => this.write());
  }

  private async write(): Promise<void> {
    this.gathering = false;
    const began = monotonic();
    try {
      await this.journal.tidy('os');
    } catch (error) {
      // The message is delivered all the same: what suffers is only the knowledge of it.
      this.journal.report(error);
    }
    this.underWay--;
    this.written = monotonic();
    this.cost = this.written - began;
    this.taken = 0;
  }

  /** Decides how far ahead to mark, from how fast messages are handed out and how long a write takes. */
  private pace(): void {
    const each = (monotonic() - this.written) / this.taken;
    const wanted = Math.min((SHARE * this.cost) / each, FARTHEST);
    if (wanted <= this.ahead) {
      this.ahead = Math.max(1, Math.floor(wanted));
      this.patience = 0;
    } else if (++this.patience >= (this.ahead === 1 ? ONE_BY_ONE : 1)) {
      this.ahead = Math.ceil(Math.min(wanted, this.ahead * 2));
    }
  }
}
