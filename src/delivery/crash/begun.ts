import { monotonic } from '../../clock.js';
import type { Cursor } from '../cursor/cursor.js';
import type { Held } from '../held.js';
import type { Journal } from '../journal.js';
import type { Marks } from './marks.js';

/** Deliveries marked ahead at most, and how many are marked one by one before any is. */
const FARTHEST = 4096;
const ONE_BY_ONE = 32;
/** So many times as long as a write takes, what is marked ahead shall last: half of it is left when the next write begins. */
const LEAD = 8;

/**
 * No handler runs before the storage knows that its delivery began, so that a message which ends the process is known after it.
 * The mark goes to the operating system only, together with all acknowledgements so far; all that are handed out at a time share
 * one write.
 *
 *     take ──► marked? ──yes──────────────────────────► handler ──► ack: settled │ nack, requeue, …: given back
 *                 └─no──► mark, with those behind it ──►┘                both end the mark
 *
 * Where handlers take much longer than the write, each message is marked by itself, and after a crash it is certain which had
 * begun. Where they are fast, so many are marked ahead, and so early, that nobody waits; those are under suspicion only.
 */
export class Begun {
  private readonly journal: Journal;
  private readonly marks: Marks;
  private readonly touch: () => void;
  /** The write of marks that is being gathered, or was last. */
  private round: Promise<void> | undefined;
  private gathering = false;
  /** Messages whose handlers wait for a write, and the newest of those writes. */
  private waiting = 0;
  private newest: Promise<void> = Promise.resolve();
  /** The last write failed, and that was said. */
  private failing = false;
  /** How many the next mark is for. */
  private ahead = 1;
  private patience = 0;
  /** Handed out since this time; and how long a write took. ms. */
  private taken = 0;
  private since = monotonic();
  private cost = 0;

  constructor(journal: Journal, marks: Marks, touch: () => void) {
    this.journal = journal;
    this.marks = marks;
    this.touch = touch;
  }

  /** Resolves, and never rejects, when the handler may begin; undefined: now. What is settled before its handler has to be stored as such. */
  begins(held: Held): Promise<void> | undefined {
    const noted = this.note(held);
    return noted === undefined && this.waiting === 0 ? undefined : this.inLine(noted);
  }

  /** In the order in which they were handed out: whoever has nothing to wait for begins behind those who do. */
  private inLine(noted: Promise<void> | undefined): Promise<void> {
    // Writes are done one after the other.
    if (noted !== undefined && (this.waiting === 0 || noted === this.round)) this.newest = noted;
    this.waiting++;
    const turn = this.newest;
    void turn.then(this.began);
    return turn;
  }

  private readonly began = (): void => {
    this.waiting--;
  };

  /** Resolves when the storage knows of it; undefined: it does. */
  private note(held: Held): Promise<void> | undefined {
    const { cursor, offset, deliveries, inHand } = held;
    this.taken++;
    // It is settled already.
    if (!inHand) return this.gather();
    if (deliveries > 1 || held.suspicion !== 0 || held.head.rare?.due !== undefined) return this.mark(held);
    const range = this.marks.covering(cursor, offset);
    if (range === undefined) {
      this.pace();
      return this.ahead === 1 ? this.mark(held) : this.markAhead(cursor, offset);
    }
    // In time, so that nobody waits for it.
    if (range.written === undefined && range.to - offset === this.ahead >>> 1 && range.to < cursor.end) {
      this.pace();
      void this.markAhead(cursor, range.to);
    }
    return range.written;
  }

  private mark({ cursor, offset, deliveries }: Held): Promise<void> {
    const round = this.gather();
    this.marks.add(cursor, offset, deliveries);
    this.touch();
    return round;
  }

  private markAhead(cursor: Cursor, from: number): Promise<void> {
    const round = this.gather();
    this.marks.addAhead(cursor, from, Math.min(from + this.ahead, cursor.end), round);
    // Each time: what was said before may have gone along with a write of somebody else.
    this.touch();
    return round;
  }

  /** All that is marked before the microtasks are through shares a write. */
  private gather(): Promise<void> {
    if (this.gathering) return this.round!;
    this.gathering = true;
    return (this.round = Promise.resolve().then(() => this.write()));
  }

  private async write(): Promise<void> {
    this.gathering = false;
    const began = monotonic();
    try {
      await this.journal.tidy('os');
      this.failing = false;
    } catch (error) {
      // The message is delivered all the same: what suffers is only the knowledge of it.
      if (!this.failing) this.journal.report(error);
      this.failing = true;
    }
    this.cost = monotonic() - began;
  }

  /** Decides how far ahead to mark, from how fast messages are handed out and how long a write takes. */
  private pace(): void {
    const now = monotonic();
    const each = (now - this.since) / this.taken;
    this.since = now;
    this.taken = 0;
    const wanted = Math.min((LEAD * this.cost) / each, FARTHEST);
    if (wanted <= this.ahead) {
      this.ahead = Math.max(1, Math.floor(wanted));
      this.patience = 0;
    } else if (++this.patience >= (this.ahead === 1 ? ONE_BY_ONE : 1)) {
      this.ahead = Math.ceil(Math.min(wanted, this.ahead * 4));
    }
  }
}
