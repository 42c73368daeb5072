import { SluiceError } from '../errors.js';
import { LONGEST } from '../duration.js';
import { Hand } from './hand.js';
import type { Held, Holder } from './held.js';
import type { Taker } from './order/roster.js';
import type { Share } from './order/share.js';
import type { Subscription } from './subscription.js';

/** Those who take messages one by one, with receive() or an iterator, and what they have in hand. */
export class Puller implements Holder {
  readonly name = 'receive';
  readonly hand: Hand;
  share: Share | undefined = undefined;
  get lingers(): boolean {
    return this.hand.size > 0;
  }
  private readonly source: Subscription;
  private readonly timeout: () => number;
  private readonly waiting = new Set<Pull>();
  /** Nothing more comes. */
  private over: { readonly error: SluiceError | undefined } | undefined;

  constructor(source: Subscription, timeout: () => number) {
    this.source = source;
    this.timeout = timeout;
    this.hand = new Hand(
      source.agenda.alarm(() => source.overdue(this.hand)),
      source.epoch,
    );
  }

  /**
   * The next message, or undefined after `wait` ms (0: once it is sure that nothing is ready; Infinity: when the queue closes).
   * @throws SluiceError ERR_ABORTED, and what close() was given
   */
  receive(wait: number, signal: AbortSignal | undefined): Promise<Held | undefined> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal));
      if (this.over !== undefined) return this.over.error === undefined ? resolve(undefined) : reject(this.over.error);
      const until = this.source.now() + wait;
      const pull = new Pull(this, this.source, wait === 0);
      const onAbort = (): void => pull.fail(aborted(signal!));
      const alarm = this.source.agenda.alarm(() => pull.finish(undefined));
      pull.finish = (held) => {
        pull.end();
        resolve(held === undefined ? undefined : this.noted(held, until, signal));
      };
      pull.fail = (error) => {
        pull.end();
        reject(error);
      };
      pull.ended = () => {
        this.waiting.delete(pull);
        alarm.clear();
        signal?.removeEventListener('abort', onAbort);
      };
      this.waiting.add(pull);
      this.source.roster.add(pull);
      pull.attempt();
      if (!this.waiting.has(pull)) return;
      signal?.addEventListener('abort', onAbort, { once: true });
      if (wait > 0) alarm.set(this.source.now() + Math.min(wait, LONGEST), true);
    });
  }

  /** Nothing more comes: undefined, or an error, for all who wait, and who ask from now on. */
  close(error?: SluiceError): void {
    this.over = { error };
    for (const pull of [...this.waiting]) {
      if (error === undefined) pull.finish(undefined);
      else pull.fail(error);
    }
  }

  /** Whoever takes it may begin at once, so the storage has to know before. One that was taken back meanwhile is not the answer: the next is. */
  private noted(held: Held, until: number, signal: AbortSignal | undefined): Held | Promise<Held | undefined> {
    const noted = this.source.stock.begun?.begins(held);
    if (noted === undefined) return held;
    return noted.then(() => (held.inHand ? held : this.receive(Math.max(until - this.source.now(), 0), signal)));
  }

  get calm(): boolean {
    return true;
  }
  tries(): void {}

  get ackTimeout(): number {
    return this.timeout();
  }

  /** Who waits longest. */
  get first(): Pull {
    for (const pull of this.waiting) return pull;
    throw new Error('nobody waits');
  }

  take(): Held | undefined {
    return this.source.dispatcher.takeFor(this, this.hand, this.ackTimeout, undefined);
  }

  took(): void {
    this.source.leftHands.add(this.hand);
  }

  released(held: Held): void {
    this.hand.remove(held);
    if (this.hand.size === 0) this.source.roster.rested(this);
  }
  lose(): void {}
  reschedule(held: Held, deadline: number): void {
    this.hand.move(held, deadline);
  }
}

/** One pending receive(): a taker with a single slot. */
class Pull implements Taker {
  spare = 1;
  readonly room = 1;
  readonly member: Puller;
  private readonly impatient: boolean;
  finish!: (held: Held | undefined) => void;
  fail!: (error: SluiceError) => void;
  ended!: () => void;
  private over = false;
  private readonly puller: Puller;
  private readonly source: Subscription;

  constructor(puller: Puller, source: Subscription, impatient: boolean) {
    this.puller = puller;
    this.member = puller;
    this.source = source;
    this.impatient = impatient;
  }

  willing(): boolean {
    return true;
  }

  /** Takes on a stack of its own: a sender's, or another receiver's, is not the place. */
  wake(): void {
    this.rest(0);
    void Promise.resolve().then(() => {
      if (!this.over) this.attempt();
    });
  }

  loaded(): void {
    if (this.impatient) this.attempt();
  }

  /** Takes, if it is its turn. It is no spare slot meanwhile: what it takes makes room for others only. */
  attempt(): void {
    const { source } = this;
    this.rest(0);
    const held = source.roster.active(this) ? this.puller.take() : undefined;
    if (held !== undefined) {
      // In order of their calls, whoever was woken.
      const { first } = this.puller;
      if (first !== this) this.rest(1);
      first.finish(held);
      // It took for another one: is there one for it as well?
      if (first !== this && this.impatient) this.attempt();
    } else if (this.impatient && !source.stock.loading) this.finish(undefined);
    else {
      this.rest(1);
      // A queue without room of its own takes messages for those who wait.
      source.rested();
    }
  }

  private rest(spare: number): void {
    this.source.roster.spare += spare - this.spare;
    this.spare = spare;
  }

  end(): void {
    const called = this.spare === 0;
    this.over = true;
    this.source.roster.remove(this);
    this.ended();
    this.source.stock.watchDues();
    // It was called and is gone: somebody else may take.
    if (called) this.source.restocked();
  }
}

function aborted(signal: AbortSignal): SluiceError {
  return new SluiceError('ERR_ABORTED', 'receive() was aborted', { cause: signal.reason });
}
