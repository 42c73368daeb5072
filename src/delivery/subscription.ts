import { nextTurn } from '../clock.js';
import { SluiceError } from '../errors.js';
import type { Events } from '../events.js';
import type { Agenda } from './agenda.js';
import type { LogEntry } from './cursor/buffer.js';
import { Contents } from './contents.js';
import type { Cursor } from './cursor/cursor.js';
import { Dispatcher } from './dispatcher.js';
import type { Engine } from './engine.js';
import type { Consuming, Feed } from './feed.js';
import { NEVER, type Hand } from './hand.js';
import type { Head } from './head.js';
import { Idlers } from './idlers.js';
import type { Held, Keeper } from './held.js';
import type { KeyLane } from './order/key-lanes.js';
import type { Policy } from './retry.js';
import { Roster } from './order/roster.js';
import type { Outcome } from './settle.js';
import { Settlement, type SettlementOwner } from './settlement.js';
import type { Slice } from './slice.js';
import { Stock } from './stock.js';
import type { StockOwner } from './stock-owner.js';
import type { Origin } from './stored-message.js';
import type { Subscriber } from './subscriber.js';
import type { SubscriptionOptions } from './subscription-options.js';
import type { Taken } from './taken.js';
import type { Trial, Unfinished } from './crash/trial.js';

/**
 * Who takes what waits in a stock, what they have in hand, and what becomes of it. One per queue and one per group: the only
 * code that delivers, retries and lets messages die.
 *
 *     stock ──take()──► in hand ──settle(): decide()──► acked │ back to the stock │ dead-lettered │ dropped
 */
export class Subscription implements Feed, Keeper, StockOwner, SettlementOwner {
  readonly name: string;
  readonly origin: Origin;
  readonly stock: Stock;
  readonly roster: Roster;
  readonly epoch: number;
  readonly slice: Slice;
  readonly trial: Trial;
  readonly agenda: Agenda;
  readonly events: Events;
  policy: Policy;
  /** Makes bodies of what is stored. */
  readonly contents: Contents;
  readonly subscribers = new Set<Subscriber>();
  /** Hands with something in them, of consumers that are gone, and of those who pull. */
  readonly leftHands = new Set<Hand>();
  private readonly engine: Engine;
  private readonly options: SubscriptionOptions;
  /** Somebody waits for room. */
  crowded = false;
  paused = false;
  /** Where it begins is being looked up. */
  beginning = false;
  /** Who settles a message of it takes what is next there: nobody has to be called for that. */
  private goesOn: Cursor | undefined;
  private postponed = false;
  readonly settlement: Settlement;
  readonly dispatcher: Dispatcher;
  readonly idlers = new Idlers();
  /** Nothing moves any more. */
  closed = false;

  constructor(engine: Engine, options: SubscriptionOptions) {
    this.engine = engine;
    this.options = options;
    this.name = options.name;
    this.origin = options.group === undefined ? { source: this.name } : { source: this.name, group: options.group };
    this.policy = options.policy;
    this.contents = new Contents(engine.codecs);
    this.epoch = engine.epoch;
    this.slice = engine.slice;
    this.trial = engine.trial;
    this.agenda = engine.agenda;
    this.events = engine.events;
    this.roster = options.roster ?? new Roster();
    this.settlement = new Settlement(this, options.bury);
    this.dispatcher = new Dispatcher(this);
    this.stock = new Stock(engine.agenda, this, options.keeper);
  }

  now(): number {
    return this.engine.clock.now();
  }

  age(): number {
    // floor() makes a small integer of it, which is handed on and kept without a box.
    return Math.floor(this.engine.clock.now() - this.epoch);
  }

  idOf(head: Head): string {
    return this.engine.identities.of(head);
  }

  /** A message became visible at the end of `cursor`'s log. */
  arrive(cursor: Cursor, offset: number, entry: LogEntry): void {
    const awaited = (entry.head.rare !== undefined || this.stock.expiry.mortal) && this.handsOver(entry.head);
    this.stock.arrive(cursor, offset, entry, awaited);
    if (this.roster.spare > 0) this.restocked(cursor);
  }

  /** Somebody waits for this message, and nothing is there that he would get first. */
  handsOver(head: Head | undefined): boolean {
    const { books } = this.stock;
    const { lanes } = this.stock.cursors[0]!;
    if (head?.rare?.due !== undefined) return false;
    const takable = books.ready - (lanes?.waiting ?? 0);
    // Of its key one may be in hand, or among those that are takable.
    if (head?.key !== undefined && lanes !== undefined && (takable > 0 || lanes.isTaken(head.key))) return false;
    return !this.paused && this.roster.spare > takable && this.roster.free > takable;
  }

  take(consumer: Consuming, run: readonly Held[] | undefined, from?: Cursor): Held | undefined {
    return this.dispatcher.take(consumer, run, from);
  }

  settle(held: Held, outcome: Outcome, delay?: number, error?: unknown): boolean {
    this.roster.heard(held.holder);
    return held.inHand && this.conclude(held, outcome, delay, error);
  }

  private conclude(held: Held, outcome: Outcome, delay?: number, error?: unknown): true {
    held.inHand = false;
    // Its handler ran, and the process lives.
    if (held.suspicion !== 0) this.stock.suspects.clear(held.cursor, held.offset);
    held.holder.released(held);
    this.settlement.conclude(held, outcome, delay, error);
    return true;
  }

  giveBackLater(held: Held, turn: KeyLane, outcome: 'abandon' | 'unbatch'): void {
    for (const other of held.holder.hand) {
      if (other.turn === turn && other.offset > held.offset && other.inHand) this.conclude(other, outcome);
    }
  }

  extend(held: Held, by: number | undefined): boolean {
    this.roster.heard(held.holder);
    if (!held.inHand) return false;
    const timeout = by ?? held.holder.ackTimeout;
    held.holder.reschedule(held, timeout === NEVER ? NEVER : this.age() + timeout);
    return true;
  }

  overdue(hand: Hand): void {
    for (let held = hand.overdue(this.now()); held !== undefined; held = hand.overdue(this.now())) {
      this.takeBack(held, 'timeout', new SluiceError('ERR_TIMEOUT', `not settled within its acknowledgement timeout`));
    }
  }

  /** Out of a hand that did not let go of it: its signal aborts, and its late verbs do nothing. */
  takeBack(held: Held, outcome: 'timeout' | 'abandon', reason: Error): void {
    held.holder.lose(held);
    if (outcome === 'timeout') this.roster.silent(held.holder);
    // It may have gone back with one before it of its key.
    if (held.inHand) this.conclude(held, outcome, undefined, reason);
    held.giveUp(reason);
    // Its slot is free, even where the message itself is not ready again.
    this.restocked();
  }

  /** Drops or dead-letters the candidate of `cursor`: nobody had it in hand. */
  discard(cursor: Cursor, outcome: 'expiry' | 'overflow'): void {
    this.settlement.conclude(this.stock.withdraw(cursor), outcome, undefined, undefined);
    this.relieved();
  }

  expired(cursor: Cursor): void {
    this.discard(cursor, 'expiry');
  }

  relieved(): void {
    if (this.crowded) this.options.relieved();
  }

  settleAndGoOn(held: Held): void {
    this.goesOn = held.cursor;
    held.ack();
    this.goesOn = undefined;
  }

  restocked(cursor?: Cursor): void {
    if (this.paused) return;
    if (cursor === undefined) this.roster.call();
    else if (cursor !== this.goesOn) this.roster.offer(cursor);
  }

  vacated(cursor: Cursor): void {
    this.roster.vacated(cursor);
  }

  loaded(): void {
    this.options.loaded();
    this.restocked();
    for (const taker of [...this.roster.takers]) taker.loaded?.();
    this.rested();
  }

  postpone(): void {
    if (this.postponed) return;
    this.postponed = true;
    nextTurn(() => {
      this.postponed = false;
      this.restocked();
      this.rested();
    });
  }

  report(error: unknown): void {
    this.events.report(error);
  }

  get vital(): boolean {
    return this.roster.takers.length > 0;
  }

  add(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    this.roster.add(subscriber);
    this.stock.watchDues();
    this.restocked();
  }

  /** It has ended. What its handlers left unsettled stays in hand. */
  remove(subscriber: Subscriber): void {
    this.subscribers.delete(subscriber);
    for (const hand of this.leftHands) if (hand.size === 0) this.leftHands.delete(hand);
    if (subscriber.hand.size > 0) this.leftHands.add(subscriber.hand);
    this.stock.watchDues();
    this.restocked();
    this.rested();
  }

  pause(): void {
    this.paused = true;
    this.stock.expiry.watch();
    this.rested();
  }

  resume(): void {
    this.paused = false;
    this.stock.expiry.watch();
    this.restocked();
    this.relieved();
  }

  /** Everything that is neither settled nor in the stock. */
  *inHand(): Generator<Taken> {
    for (const { hand } of this.subscribers) yield* hand;
    for (const hand of this.leftHands) yield* hand;
    yield* this.settlement.moving;
  }

  /** What an earlier process had unfinished. */
  recovered(unfinished: Unfinished): void {
    for (const { taken } of unfinished.begun) this.settlement.setAside(taken);
    this.trial.add(this.settlement, unfinished);
  }

  /** Takes the candidate out for somebody who may put it back. */
  setAside(cursor: Cursor): Taken {
    const taken = this.stock.withdraw(cursor, this.stock.picker.turn);
    if (taken.turn !== undefined) this.stock.picker.goOn(cursor, taken.turn);
    this.settlement.setAside(taken);
    this.relieved();
    return taken;
  }

  /** Removes what is ready or delayed; how many. */
  purge(): number {
    const count = this.stock.purge(this.inHand());
    this.rested();
    return count;
  }

  /** Nothing is in hand, and nothing ready that somebody who runs could take. */
  get idle(): boolean {
    if (this.stock.books.unacked > 0 || this.postponed || this.beginning || this.roster.leaving) return false;
    for (const subscriber of this.subscribers) if (subscriber.awake > 0) return false;
    return !(this.stock.loading && !this.paused && this.roster.able);
  }

  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return this.idlers.wait();
  }

  rested(): void {
    if (this.crowded) this.options.relieved();
    if (this.idlers.any && this.idle) this.idlers.resolve();
  }

  close(): void {
    this.closed = true;
    this.stock.close();
  }
}
