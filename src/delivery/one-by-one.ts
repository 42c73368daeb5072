import type { Handler } from '../message.js';
import type { Cursor } from './cursor/cursor.js';
import type { Consuming, Feed } from './feed.js';
import type { Held } from './held.js';
import type { Lane } from './lanes.js';

/** Whose slot it is. */
export interface SlotOwner extends Consuming {
  /** Nothing more is taken. */
  readonly closing: boolean;
  /** There is nothing to take. Resolves when there may be again. */
  sleep(): Promise<void>;
  /** A handler is about to be called. */
  began(): void;
  /** It returned, or was not called after all. Whether the slot goes on: false when nobody waited for it any more. */
  returned(lane: Lane, held: Held): boolean;
  /** The slot has ended. */
  leave(lane: Lane): void;
}

/**
 * What a slot does where messages come one by one: takes one, hands it over, settles it when its handler is done, and takes the next.
 * Of callbacks that are made once, since what an async function saves and restores around each `await` takes as long as the rest.
 *
 *     next() ──► take ──none──► sleep, then next()
 *                 └─► handler ──► done() or failed(): settled ──► next()
 */
export class OneByOne {
  private readonly owner: SlotOwner;
  private readonly feed: Feed;
  private readonly lane: Lane;
  private readonly handler: Handler<Held>;
  private readonly mode: 'auto' | 'manual' | 'none';
  private held: Held | undefined = undefined;
  /** Where it took, and settled, the last one. */
  private from: Cursor | undefined = undefined;
  private end: () => void = () => undefined;

  constructor(owner: SlotOwner, feed: Feed, lane: Lane) {
    this.owner = owner;
    this.feed = feed;
    this.lane = lane;
    this.handler = owner.options.handler as Handler<Held>;
    this.mode = owner.options.ack;
  }

  /** Resolves when the slot has ended: its consumer closes, or its handler came back when nobody waited for it any more. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.end = resolve;
      this.next();
    });
  }

  private readonly next = (): void => {
    const { owner, feed, lane } = this;
    for (;;) {
      if (feed.slice.over()) return void feed.slice.rest().then(this.next);
      const held = feed.take(owner, undefined, this.from);
      this.from = undefined;
      if (held === undefined) return this.rest();
      held.lane = lane;
      held.run = ++lane.runs;
      lane.busy = true;
      this.held = held;
      owner.began();
      const settled = this.mode === 'none' && held.ack();
      const noted = feed.stock.begun?.begins(held);
      if (noted !== undefined) return this.handleWhen(noted, held, settled);
      if (this.handle(held)) return;
    }
  };

  /** There is nothing to take. */
  private rest(): void {
    if (this.owner.closing) this.leave();
    else void this.owner.sleep().then(this.next);
  }

  private handleWhen(noted: Promise<void>, held: Held, settled: boolean): void {
    // It may be taken back while that it begins is noted.
    const go = (): boolean => (held.inHand || settled ? this.handle(held) : !this.finished(held));
    void noted.then(() => go() || this.next());
  }

  /** Calls the handler. false: the slot goes on at once. */
  private handle(held: Held): boolean {
    let result: unknown;
    try {
      result = this.handler(held);
    } catch (error) {
      this.fail(held, error);
      return !this.finished(held);
    }
    void Promise.resolve(result).then(this.done, this.failed);
    return true;
  }

  private readonly done = (): void => {
    const held = this.held!;
    if (this.mode === 'auto') {
      this.feed.settleAndGoOn(held);
      this.from = held.cursor;
    }
    if (this.finished(held)) this.next();
  };

  private readonly failed = (error: unknown): void => {
    const held = this.held!;
    this.fail(held, error);
    if (this.finished(held)) this.next();
  };

  private fail(held: Held, error: unknown): void {
    if (this.mode === 'none') this.feed.events.report(error);
    else held.nack({ error });
  }

  /** Whether the slot goes on. */
  private finished(held: Held): boolean {
    this.held = undefined;
    this.lane.busy = false;
    const goesOn = this.owner.returned(this.lane, held);
    if (!goesOn) this.leave();
    return goesOn;
  }

  private leave(): void {
    this.owner.leave(this.lane);
    this.end();
  }
}
