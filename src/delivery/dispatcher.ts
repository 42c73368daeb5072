import type { Events } from '../events.js';
import type { Contents } from './contents.js';
import type { Cursor } from './cursor/cursor.js';
import type { Consuming } from './feed.js';
import { NEVER, type Hand } from './hand.js';
import { Held, type Holder, type Keeper } from './held.js';
import { SINGLE } from './order/key-lanes.js';
import type { Roster } from './order/roster.js';
import type { Settlement } from './settlement.js';
import type { Stock } from './stock.js';
import type { Suspicion } from './crash/suspects.js';
import type { Trial } from './crash/trial.js';

/** Whose messages are handed out. */
export interface DispatcherOwner extends Keeper {
  readonly stock: Stock;
  readonly roster: Roster;
  readonly settlement: Settlement;
  readonly events: Events;
  readonly contents: Contents;
  readonly paused: boolean;
  readonly trial: Trial;
  now(): number;
  /** Whole ms since the broker was opened. */
  age(): number;
  restocked(): void;
  relieved(): void;
}

/** A suspect that had to wait for another is looked at again after this, ms. */
const TRY_AGAIN = 200;

/** Hands out what is next: out of the stock, into a hand. */
export class Dispatcher {
  private readonly owner: DispatcherOwner;

  constructor(owner: DispatcherOwner) {
    this.owner = owner;
  }

  /** For a slot of a consumer. `run`: the batch that the message would join. `from`: where it took, and settled, the last one. */
  take(consumer: Consuming, run: readonly Held[] | undefined, from: Cursor | undefined): Held | undefined {
    const { owner } = this;
    if (!consumer.willing() || !owner.roster.active(consumer)) {
      // It was called and cannot: somebody else may.
      if (owner.stock.stocked) owner.restocked();
      return undefined;
    }
    return this.takeFor(consumer, consumer.hand, consumer.options.ackTimeout, run, from);
  }

  /** As take(), for anybody. `timeout`: how long it may stay in hand, ms. */
  takeFor(
    holder: Holder,
    hand: Hand,
    timeout: number,
    run: readonly Held[] | undefined,
    from?: Cursor,
  ): Held | undefined {
    const { owner } = this;
    const { stock, roster } = owner;
    const { picker } = stock;
    if (owner.paused) return undefined;
    for (;;) {
      const single = run === undefined || run.length === 0;
      const cursor = picker.next(run ?? SINGLE, single, holder.share, from);
      if (cursor === undefined) return undefined;
      const suspicion = stock.suspects.any ? stock.suspects.of(cursor, cursor.offset) : 0;
      if (suspicion !== 0 && !this.tryNow(cursor, holder)) {
        if (holder.calm) continue;
        return undefined;
      }
      const held = this.withdraw(cursor, holder, timeout, suspicion);
      if (held === undefined) continue;
      if (run !== undefined && held.turn !== undefined) stock.picker.goOn(cursor, held.turn);
      stock.books.delivered++;
      hand.add(held);
      if (suspicion !== 0) this.begin(held);
      holder.took();
      if (owner.events.heard.delivered) this.tell(held);
      // Who goes on in what keeps its order as a whole leaves to the others what they had before.
      const same = cursor === from && cursor.lanes?.whole !== undefined;
      if (roster.spare > 0 && !same && stock.stocked) roster.more(holder);
      owner.relieved();
      return held;
    }
  }

  /**
   * Whether it is the moment of a message that may have ended a process: no handler of its consumer runs, and no other such message
   * is tried. While the consumer is busy it waits for that; while another is tried, others go first.
   */
  private tryNow(cursor: Cursor, holder: Holder): boolean {
    const { stock, trial } = this.owner;
    if (!holder.calm) {
      stock.picker.leave(cursor);
      return false;
    }
    if (trial.free(this.owner.now())) return true;
    const taken = stock.withdraw(cursor, stock.picker.turn);
    stock.giveBack(taken, taken.failures, taken.deliveries, TRY_AGAIN, true);
    return false;
  }

  /** Takes the candidate out. undefined: what is stored is of no use as a body. */
  private withdraw(cursor: Cursor, holder: Holder, timeout: number, suspicion: Suspicion): Held | undefined {
    const { owner } = this;
    const { stock } = owner;
    const since = owner.age();
    const { entry, failures, deliveries, offset, alone } = cursor;
    const deadline = timeout === NEVER ? NEVER : since + timeout;
    const held = new Held(owner, entry, failures, deliveries + 1, cursor, offset, alone, holder, since, deadline);
    held.turn = stock.picker.turn;
    held.suspicion = suspicion;
    const { head, body } = entry;
    stock.take(cursor, head.size);
    try {
      held.body = owner.contents.of(head, body);
      return held;
    } catch (error) {
      this.refuse(held, error);
      return undefined;
    }
  }

  /** What is stored is of no use as a body. */
  private refuse(held: Held, error: unknown): void {
    held.inHand = false;
    // No batch goes on with its key before it is stored elsewhere.
    if (held.turn !== undefined) held.turn.owner = held;
    this.owner.settlement.conclude(held, 'invalid', undefined, error);
  }

  private tell({ id, attempt, holder }: Held): void {
    const { events, origin } = this.owner;
    events.emit('delivered', { ...origin, id, attempt, consumer: holder.name });
  }

  private begin(suspect: Held): void {
    this.owner.trial.begin(suspect, this.owner.now());
    suspect.holder.tries(suspect);
  }
}
