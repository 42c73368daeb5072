import type { Handler } from '../message.js';
import type { Alarm } from './agenda.js';
import type { Feed, SubscriberOptions } from './feed.js';
import { Hand } from './hand.js';
import type { Held } from './held.js';
import { Lanes, type Lane } from './lanes.js';
import { OneByOne, type SlotOwner } from './one-by-one.js';
import type { Share } from './order/share.js';
import { Solitude } from './crash/solitude.js';
import type { TokenBucket } from './token-bucket.js';

/** A consumer, inside: its slots, what it has in hand, and whether it may take more. */
export class Subscriber implements SlotOwner {
  readonly name: string;
  readonly options: SubscriberOptions;
  readonly hand: Hand;
  share: Share | undefined = undefined;
  readonly member = this;
  closing = false;
  /** Handlers whose messages were taken back and that have not returned. */
  lost = 0;
  private readonly feed: Feed;
  private readonly lanes: Lanes;
  private readonly refill: Alarm;
  private paused = false;
  private readonly solitude: Solitude;
  /** Handlers that run and are waited for. */
  private running = 0;
  private finished: () => void = () => undefined;
  private ending: Promise<void> | undefined;

  constructor(feed: Feed, options: SubscriberOptions) {
    this.name = options.name;
    this.options = options;
    this.feed = feed;
    this.hand = new Hand(
      feed.agenda.alarm(() => feed.overdue(this.hand)),
      feed.epoch,
    );
    this.refill = feed.agenda.alarm(() => feed.roster.more(this));
    this.solitude = new Solitude(feed.agenda, () => feed.roster.more(this));
    this.lanes = new Lanes(options.concurrency, options.batch === undefined ? this.single : this.batches);
  }

  get ackTimeout(): number {
    return this.options.ackTimeout;
  }
  get spare(): number {
    return this.lanes.spare;
  }
  get room(): number {
    return Math.min(this.options.prefetch - this.hand.size, this.options.rate?.available(this.feed.now()) ?? Infinity);
  }
  /** Slots that take or handle now. */
  get awake(): number {
    return this.lanes.awake;
  }

  willing(): boolean {
    if (this.paused || this.closing || this.hand.size >= this.options.prefetch) return false;
    if (this.solitude.kept) return false;
    return this.options.rate === undefined || this.hasToken(this.options.rate);
  }

  private hasToken(rate: TokenBucket): boolean {
    if (rate.available(this.feed.now()) > 0) return true;
    this.refill.set(rate.next(), this.feed.stock.stocked);
    return false;
  }

  get calm(): boolean {
    return this.running <= this.solitude.beside;
  }

  tries(suspect: Held): void {
    this.solitude.begin(suspect, this.feed.now());
  }

  wake(): void {
    this.feed.roster.spare--;
    this.lanes.wake();
  }

  reschedule(held: Held, deadline: number): void {
    this.hand.move(held, deadline);
  }

  took(): void {
    this.options.rate?.take(this.feed.now());
  }

  released(held: Held): void {
    this.hand.remove(held);
    if (this.hand.size === this.options.prefetch - 1 && this.spare > 0) this.feed.roster.more(this);
  }

  /** A message was taken back while its handler runs: the slot is free, whenever the handler returns. */
  lose(held: Held): void {
    const lane = held.lane;
    if (lane === undefined || lane.lost || !this.handling(held)) return;
    this.lost++;
    this.lanes.lose(lane);
    if (!this.closing) this.feed.roster.spare++;
    this.solitude.end(held);
    this.ran();
  }

  /** Whether a handler still works on it. */
  handling(held: Held): boolean {
    return held.lane?.busy === true && held.lane.runs === held.run;
  }

  pause(): void {
    this.paused = true;
    this.feed.rested();
  }

  resume(): void {
    this.paused = false;
    this.feed.roster.more(this);
    this.feed.rested();
  }

  /** Takes nothing more. Resolves when its running handlers are done. */
  end(): Promise<void> {
    this.ending ??= new Promise((resolve) => {
      this.closing = true;
      this.finished = resolve;
      this.refill.clear();
      this.feed.roster.remove(this);
      this.lanes.dismiss();
      if (this.running === 0) resolve();
      // What it was called for, or kept others from, is theirs.
      this.feed.restocked();
      this.feed.rested();
    });
    return this.ending;
  }

  /** Whoever waits for its handlers waits no longer. It takes nothing by then. */
  giveUp(): void {
    this.finished();
  }

  /** One message after the other. */
  private readonly single = (lane: Lane): Promise<void> => new OneByOne(this, this.feed, lane).run();

  /** One batch after the other. What a failed batch of several held comes back one by one, no attempt counted. */
  private readonly batches = async (lane: Lane): Promise<void> => {
    const { feed } = this;
    const { slice } = feed;
    for (;;) {
      if (slice.over()) await slice.rest();
      const batch: Held[] = [];
      const first = feed.take(this, batch);
      if (first === undefined) {
        if (this.closing) break;
        await this.sleep();
        continue;
      }
      lane.runs++;
      this.began();
      this.join(batch, first, lane);
      await this.fill(batch, lane);
      // Some may have been taken back while it filled.
      const given = batch.filter((held) => held.inHand);
      if (given.length > 0) await this.handleBatch(given, lane);
      if (!this.returned(lane, first)) break;
    }
    this.leave(lane);
  };

  private async handleBatch(batch: readonly Held[], lane: Lane): Promise<void> {
    const { ack: mode, handler } = this.options;
    lane.busy = true;
    if (mode === 'none') for (const held of batch) held.ack();
    const { begun } = this.feed.stock;
    if (begun !== undefined) {
      let noted: Promise<void> | undefined;
      for (const held of batch) noted = begun.begins(held) ?? noted;
      await noted;
      if (mode !== 'none') batch = batch.filter((held) => held.inHand);
    }
    try {
      if (batch.length > 0) await (handler as Handler<readonly Held[]>)([...batch]);
      if (mode === 'auto') for (const held of batch) held.ack();
    } catch (error) {
      if (mode === 'none') this.feed.events.report(error);
      else if (batch.length === 1) batch[0]!.nack({ error });
      else for (const held of batch) held.unbatch(error);
    }
    lane.busy = false;
  }

  private async fill(batch: Held[], lane: Lane): Promise<void> {
    const { size, wait } = this.options.batch!;
    if (batch[0]!.alone) return;
    const until = wait > 0 ? this.feed.now() + wait : 0;
    let wake: (() => void) | undefined;
    const alarm = wait > 0 ? this.feed.agenda.alarm(() => wake?.()) : undefined;
    while (batch.length < size && !this.closing) {
      const held = this.feed.take(this, batch);
      if (held !== undefined) {
        this.join(batch, held, lane);
        continue;
      }
      if (this.feed.stock.loading) {
        await this.feed.stock.reads.wait();
        continue;
      }
      if (this.feed.stock.picker.metAlone) {
        // Somebody else may take it.
        this.feed.restocked();
        break;
      }
      if (this.feed.now() >= until) break;
      alarm?.set(until, true);
      const dozed = this.lanes.doze((up) => {
        wake = () => {
          if (up() && !this.closing) this.feed.roster.spare--;
        };
      });
      this.feed.roster.spare++;
      this.feed.rested();
      await dozed;
    }
    alarm?.clear();
  }

  private join(batch: Held[], held: Held, lane: Lane): void {
    held.lane = lane;
    held.run = lane.runs;
    batch.push(held);
  }

  began(): void {
    this.running++;
  }

  returned(lane: Lane, held: Held): boolean {
    if (held.suspicion !== 0) this.solitude.end(held);
    if (lane.lost) return false;
    this.ran();
    return true;
  }

  sleep(): Promise<void> {
    const slept = this.lanes.sleep();
    this.feed.roster.spare++;
    this.feed.rested();
    return slept;
  }

  /** A handler is not waited for any more: it returned, or is lost. */
  private ran(): void {
    if (--this.running === 0 && this.closing) {
      this.finished();
      this.feed.rested();
    }
  }

  leave(lane: Lane): void {
    if (lane.lost && --this.lost === 0) this.feed.roster.heard(this);
    this.lanes.ended(lane);
    this.feed.rested();
  }
}
