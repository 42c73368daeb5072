import { nextTurn, type Clock } from '../clock.js';
import type { Codecs } from '../codec.js';
import { SluiceError } from '../errors.js';
import type { Events } from '../events.js';
import type { Agenda } from './agenda.js';
import type { LogEntry } from './buffer.js';
import type { Cursor } from './cursor.js';
import { NEVER, type Hand } from './hand.js';
import type { Head, Identities } from './head.js';
import { Held, type Holder, type Keeper } from './held.js';
import type { KeyLane } from './key-lanes.js';
import type { Policy } from './retry.js';
import { Roster } from './roster.js';
import type { Outcome } from './settle.js';
import { Settlement, type Bury, type SettlementOwner } from './settlement.js';
import type { Slice } from './slice.js';
import { Stock } from './stock.js';
import type { StockOwner } from './stock-owner.js';
import { StoredMessage } from './stored-message.js';
import type { Feed, Subscriber } from './subscriber.js';
import type { Taken } from './taken.js';

/** What all queues and groups of a broker share. */
export interface Engine {
  readonly clock: Clock;
  readonly events: Events;
  readonly agenda: Agenda;
  readonly slice: Slice;
  readonly identities: Identities;
  readonly codecs: Codecs;
  /** When the broker was opened: deadlines are told from here. */
  readonly epoch: number;
}

export interface SubscriptionOptions {
  readonly name: string;
  readonly policy: Policy;
  readonly bury: Bury;
  /** There is room again for those who wait to send. */
  readonly relieved: () => void;
  /** What was being read is there. */
  readonly loaded: () => void;
}

/**
 * Who takes what waits in a stock, what they have in hand, and what becomes of it. One per queue and one per group: the only
 * code that delivers, retries and lets messages die.
 *
 *     stock ──take()──► in hand ──settle(): decide()──► acked │ back to the stock │ dead-lettered │ dropped
 */
export class Subscription implements Feed, Keeper, StockOwner, SettlementOwner {
  readonly name: string;
  readonly stock: Stock;
  readonly roster: Roster;
  readonly epoch: number;
  readonly slice: Slice;
  readonly agenda: Agenda;
  readonly events: Events;
  policy: Policy;
  /** The schema: throws where it does not take a body. */
  parse: ((body: unknown) => unknown) | undefined;
  private readonly codecs: Codecs;
  readonly subscribers = new Set<Subscriber>();
  /** Hands of consumers that are gone, and of those who pull. */
  readonly leftHands = new Set<Hand>();
  private readonly engine: Engine;
  private readonly options: SubscriptionOptions;
  /** Somebody waits for room. */
  crowded = false;
  paused = false;
  private postponed = false;

  readonly settlement: Settlement;
  private idlers: { resolve(): void; reject(error: SluiceError): void }[] = [];
  /** Nothing moves any more. */
  closed = false;

  constructor(engine: Engine, options: SubscriptionOptions) {
    this.engine = engine;
    this.options = options;
    this.name = options.name;
    this.policy = options.policy;
    this.codecs = engine.codecs;
    this.epoch = engine.epoch;
    this.slice = engine.slice;
    this.agenda = engine.agenda;
    this.events = engine.events;
    this.roster = new Roster();
    this.settlement = new Settlement(this, options.bury);
    this.stock = new Stock(engine.agenda, this);
  }

  now(): number {
    return this.engine.clock.now();
  }

  get stocked(): boolean {
    return this.stock.stocked;
  }

  idOf(head: Head): string {
    return this.engine.identities.of(head);
  }

  /** A message became visible at the end of `cursor`'s log. */
  arrive(cursor: Cursor, offset: number, entry: LogEntry): void {
    const awaited = (entry.head.rare !== undefined || this.stock.expiry.mortal) && this.handsOver();
    this.stock.arrive(cursor, offset, entry, awaited);
    if (this.events.heard.accepted) this.tellAccepted(entry);
    if (this.roster.spare > 0) this.restocked();
  }

  private tellAccepted(entry: LogEntry): void {
    const { name, codecs } = this;
    const { head, body } = entry;
    const message = (): StoredMessage => new StoredMessage(this, entry, codecs.decode(head.rare?.codec, body), 0, 0);
    this.events.emit('accepted', {
      source: name,
      id: this.idOf(head),
      get message() {
        return message();
      },
    });
  }

  /** Somebody waits, and nothing is there that he would get first. */
  handsOver(): boolean {
    return !this.paused && this.roster.spare > this.stock.books.ready && this.roster.able;
  }

  take(subscriber: Subscriber, run: readonly Held[] | undefined): Held | undefined {
    if (!subscriber.willing() || !this.roster.active(subscriber)) {
      // It was called and cannot: somebody else may.
      if (this.stock.stocked) this.restocked();
      return undefined;
    }
    return this.takeFor(subscriber, subscriber.hand, subscriber.options.ackTimeout, run);
  }

  /** @param run the batch it would join */
  takeFor(holder: Holder, hand: Hand, timeout: number, run: readonly Held[] | undefined): Held | undefined {
    const { stock } = this;
    if (this.paused) return undefined;
    for (;;) {
      const cursor = stock.next(run ?? (stock.lanes === undefined ? stock : {}), run === undefined || run.length === 0);
      if (cursor === undefined) return undefined;
      const since = this.now() - this.epoch;
      const held = new Held(this, holder, cursor, since, timeout === NEVER ? NEVER : since + timeout);
      held.turn = stock.turn;
      const { head, body } = held.entry;
      stock.take(cursor, head.size);
      try {
        held.body = this.decode(head, body);
      } catch (error) {
        held.inHand = false;
        this.settlement.conclude(held, 'invalid', undefined, error);
        continue;
      }
      stock.books.delivered++;
      hand.add(held);
      if (this.events.heard.delivered) {
        const { id, attempt } = held;
        this.events.emit('delivered', { source: this.name, id, attempt, consumer: holder.name });
      }
      if (this.roster.spare > 0 && stock.stocked) this.roster.call();
      if (this.crowded) this.options.relieved();
      return held;
    }
  }

  /** What a delivery carries. Throws where the stored body is of no use. */
  private decode({ rare }: Head, stored: unknown): unknown {
    const { codecs } = this;
    const body = rare === undefined ? codecs.unnamed.decode(stored) : codecs.decode(rare.codec, stored);
    return this.parse === undefined ? body : this.parse(body);
  }

  settle(held: Held, outcome: Outcome, delay?: number, error?: unknown): boolean {
    if (!held.inHand) return false;
    held.inHand = false;
    held.holder.released(held);
    this.settlement.conclude(held, outcome, delay, error);
    return true;
  }

  heldFor(held: Held): number {
    return this.now() - this.epoch - held.since;
  }

  giveBackLater(held: Held, turn: KeyLane): void {
    for (const other of held.holder.hand) {
      if (other.turn === turn && other.offset > held.offset) this.settle(other, 'abandon');
    }
  }

  extend(held: Held, by: number | undefined): boolean {
    if (!held.inHand) return false;
    const before = held.deadline === NEVER ? NEVER : held.deadline - held.since;
    held.since = this.now() - this.epoch;
    const timeout = by ?? before;
    held.holder.reschedule(held, timeout === NEVER ? NEVER : held.since + timeout);
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
    this.settle(held, outcome, undefined, reason);
    held.giveUp(reason);
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

  restocked(): void {
    if (!this.paused) this.roster.call();
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
  }

  /** Everything that is neither settled nor in the stock. */
  *inHand(): Generator<Taken> {
    for (const { hand } of this.subscribers) yield* hand;
    for (const hand of this.leftHands) yield* hand;
    yield* this.settlement.moving;
  }

  /** Takes the candidate out for somebody who may put it back. */
  setAside(cursor: Cursor): Taken {
    const taken = this.stock.withdraw(cursor);
    this.settlement.setAside(taken);
    this.relieved();
    return taken;
  }

  /** Removes what is ready or delayed; how many. */
  purge(): number {
    const count = this.stock.purge(this.inHand());
    this.stock.books.removed += count;
    this.rested();
    return count;
  }

  /** Handlers whose message was taken back and that have not returned. */
  get lost(): number {
    let lost = 0;
    for (const subscriber of this.subscribers) lost += subscriber.lost;
    return lost;
  }

  /** Nothing is in hand, and nothing ready that somebody who runs could take. */
  get idle(): boolean {
    if (this.stock.books.unacked > 0 || this.postponed) return false;
    for (const subscriber of this.subscribers) if (subscriber.awake > 0) return false;
    return !(this.stock.loading && !this.paused && this.roster.able);
  }

  whenIdle(): Promise<void> {
    if (this.idle) return Promise.resolve();
    return new Promise((resolve, reject) => this.idlers.push({ resolve, reject }));
  }

  rested(): void {
    if (this.crowded) this.options.relieved();
    if (this.idlers.length === 0 || !this.idle) return;
    const idlers = this.idlers;
    this.idlers = [];
    for (const { resolve } of idlers) resolve();
  }

  /** Nobody waits for it to be idle any more. */
  refuse(error: SluiceError): void {
    const idlers = this.idlers;
    this.idlers = [];
    for (const { reject } of idlers) reject(error);
  }

  /** The broker closes: everything in hand goes back, no attempt counted. What that was. */
  abandon(reason: SluiceError): { readonly source: string; readonly id: string }[] {
    this.paused = true;
    const held = [...this.inHand()].filter((taken) => taken instanceof Held);
    for (const one of held) this.takeBack(one, 'abandon', reason);
    return held.map(({ id }) => ({ source: this.name, id }));
  }

  close(): void {
    this.closed = true;
    this.stock.close();
  }

  /** It is gone, with all that it held. What is in hand is fenced. */
  delete(error: SluiceError): void {
    this.paused = true;
    for (const held of [...this.inHand()]) {
      if (!(held instanceof Held)) continue;
      held.inHand = false;
      held.holder.lose(held);
      held.holder.released(held);
      held.giveUp(error);
    }
    for (const subscriber of [...this.subscribers]) void subscriber.end();
    this.close();
    this.refuse(error);
  }
}
