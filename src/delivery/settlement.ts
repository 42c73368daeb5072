import type { Events } from '../events.js';
import type { DeathReason } from '../message.js';
import type { Awaitable } from '../storage/storage.js';
import type { Moved } from './books.js';
import { Held } from './held.js';
import type { KeyLane } from './order/key-lanes.js';
import type { Policy } from './retry.js';
import { decide, type Decision, type Outcome } from './settle.js';
import type { Stock } from './stock.js';
import type { Place } from './stored-message.js';
import { COUNTED } from './crash/suspects.js';
import type { Taken } from './taken.js';

/** Appends a dead message to where it goes. Done when it returns or resolves, with the name of that. */
export type Bury = (taken: Taken, reason: DeathReason, attempts: number, error: unknown) => Awaitable<string>;

/** Whose messages are settled. */
export interface SettlementOwner extends Place {
  readonly stock: Stock;
  readonly events: Events;
  readonly closed: boolean;
  policy: Policy;
  readonly epoch: number;
  now(): number;
  /** What the same batch holds of its key behind it goes back as well, no attempt counted. */
  giveBackLater(held: Held, turn: KeyLane, outcome: 'abandon' | 'unbatch'): void;
  /** There may be nothing left to do. */
  rested(): void;
  report(error: unknown): void;
}

/** A message that could not be moved is back after this, ms. */
const MOVE_AGAIN = 1000;

/** Does what decide() says: the only code that ends, returns or moves a message that was taken out of the stock. */
export class Settlement {
  /** Taken out to be moved: neither in hand nor in the stock. */
  readonly moving = new Set<Taken>();
  /** Moves that are being written, and who waits for them to be done. */
  private writing = 0;
  private waiting: (() => void)[] = [];
  private readonly owner: SettlementOwner;
  private readonly bury: Bury;

  constructor(owner: SettlementOwner, bury: Bury) {
    this.owner = owner;
    this.bury = bury;
  }

  conclude(taken: Taken, outcome: Outcome, delay: number | undefined, error: unknown): void {
    // As decide() has it: what nearly all come to is not asked for.
    if (outcome === 'ack') this.acked(taken as Held);
    else this.decided(taken, outcome, delay, error);
  }

  private decided(taken: Taken, outcome: Outcome, delay: number | undefined, error: unknown): void {
    const message = taken instanceof Held ? taken : undefined;
    const decision = decide(outcome, this.owner.policy, taken.failures, delay, error, message);
    switch (decision.to) {
      case 'acked':
        return this.acked(taken as Held);
      case 'waiting':
        return this.waits(taken, decision, error);
      case 'dead':
        return void this.dead(taken, decision, error);
      case 'dropped':
        return this.dropped(taken, decision.reason, error);
    }
  }

  private acked(held: Held): void {
    const { owner } = this;
    const { stock } = owner;
    stock.settle(held);
    stock.books.acked++;
    if (owner.events.heard.acked) this.tellAcked(held);
    owner.rested();
  }

  private tellAcked(held: Held): void {
    const { events, origin, epoch } = this.owner;
    events.emit('acked', { ...origin, id: held.id, duration: this.owner.now() - epoch - held.since });
  }

  private waits(taken: Taken, decision: Decision & { to: 'waiting' }, error: unknown): void {
    const { stock, events, origin } = this.owner;
    const { delay, failures, alone } = decision;
    const failed = failures > taken.failures;
    if (failed) stock.books.retried++;
    stock.giveBack(taken, failures, taken.deliveries, delay, alone);
    if (taken.turn !== undefined && taken instanceof Held) {
      this.owner.giveBackLater(taken, taken.turn, alone ? 'unbatch' : 'abandon');
    }
    if (failed && events.heard.retried) {
      events.emit('retried', { ...origin, id: this.idOf(taken), attempt: failures, delay, error });
    }
    this.owner.rested();
  }

  private dropped(taken: Taken, reason: DeathReason, error: unknown): void {
    const { stock, events, origin } = this.owner;
    stock.settle(taken);
    stock.books.dropped++;
    if (events.heard.deadLettered) {
      events.emit('deadLettered', { ...origin, id: this.idOf(taken), reason, to: null, error });
    }
    this.owner.rested();
  }

  private dead(taken: Taken, { reason, failures }: Decision & { to: 'dead' }, error: unknown): Awaitable<boolean> {
    const { events, origin } = this.owner;
    let to = '';
    const write = (): Awaitable<void> => {
      const buried = this.bury(taken, reason, failures, error);
      if (typeof buried !== 'string') return buried.then((where) => void (to = where));
      to = buried;
    };
    return this.move(taken, 'deadLettered', write, () => {
      if (!events.heard.deadLettered) return;
      events.emit('deadLettered', { ...origin, id: this.idOf(taken), reason, to, error });
    });
  }

  /**
   * Waits for `write`, which appends a taken message elsewhere, in one write with what settles it here. Where that fails,
   * it comes back after a while. Whether it moved. `as`: what it is counted as.
   */
  move(taken: Taken, as: Moved, write: () => Awaitable<void>, done?: () => void): Awaitable<boolean> {
    const { owner, moving } = this;
    const moved = (): boolean => {
      moving.delete(taken);
      this.written();
      if (owner.closed) return true;
      owner.stock.settle(taken);
      owner.stock.books[as]++;
      done?.();
      owner.rested();
      return true;
    };
    const failed = (error: unknown): boolean => {
      moving.delete(taken);
      this.written();
      if (owner.closed) return false;
      owner.report(error);
      owner.stock.giveBack(taken, taken.failures, taken.deliveries, MOVE_AGAIN, false);
      owner.rested();
      return false;
    };
    moving.add(taken);
    this.writing++;
    owner.stock.depart(taken, as);
    try {
      const written = write();
      return written === undefined ? moved() : written.then(moved, failed);
    } catch (error) {
      return failed(error);
    }
  }

  /** Resolves when no move is being written. */
  async still(): Promise<void> {
    if (this.writing > 0) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  private written(): void {
    if (--this.writing > 0) return;
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Somebody looks at a withdrawn message who may put it back. */
  setAside(taken: Taken): void {
    this.moving.add(taken);
  }

  /** An earlier process ended with it in hand. */
  judge(taken: Taken, outcome: 'crash' | 'beside', error: Error): void {
    if (!this.moving.delete(taken) || this.owner.closed) return;
    const { suspects } = this.owner.stock;
    suspects.add(taken.cursor, taken.offset, COUNTED);
    this.conclude(taken, outcome, undefined, error);
  }

  putBack(taken: Taken): void {
    if (!this.moving.delete(taken) || this.owner.closed) return;
    this.owner.stock.giveBack(taken, taken.failures, taken.deliveries, 0, taken.alone);
    this.owner.rested();
  }

  private idOf({ entry }: Taken): string {
    return this.owner.idOf(entry.head);
  }
}
