import type { Delivery, Located } from '../../../src/index.js';
import type { Letter } from './letter.js';

/** What a message says. */
export interface Body {
  number: number;
}

export type Message = Delivery<Body> & Located;
export type Verb = 'ack' | 'nack' | 'reject' | 'requeue';

/** All who pull are one member. */
export const PULLER = 'receive';

export interface MemberOptions {
  readonly name: string;
  readonly kind: 'single' | 'batch' | 'pull';
  readonly concurrency: number;
  readonly prefetch: number;
  readonly ack: 'auto' | 'manual' | 'none';
  /** ms; Infinity: none. */
  readonly ackTimeout: number;
}

/** A call of a handler, or a receive() that was answered. */
export interface Run {
  readonly hands: readonly Hand[];
  /** Nothing else is handed out beside it, perhaps. */
  readonly alone: boolean;
  ended: 'returned' | 'threw' | undefined;
}

/** Who takes messages together: a consumer, or all who pull. */
export class Member {
  readonly options: MemberOptions;
  paused = false;
  /** It takes nothing more, and gives up what its handlers have then. */
  closesAt: number | undefined;
  /** A message of it timed out, and it may not have been heard of since. */
  silent = false;
  /** And surely was not. */
  mute = false;
  /** Calls of its handler that have not returned. */
  readonly running = new Set<Run>();
  /** What it has in hand, or may have. */
  readonly hands = new Set<Hand>();
  /** Those who pull, and wait. */
  waiting = 0;

  constructor(options: MemberOptions) {
    this.options = options;
  }

  get name(): string {
    return this.options.name;
  }

  /** Whether it surely takes what is there for it. */
  get free(): boolean {
    const { kind, concurrency, prefetch } = this.options;
    if (kind === 'pull') return this.waiting > 0;
    if (this.paused || this.closesAt !== undefined || [...this.running].some(({ alone }) => alone)) return false;
    if (kind === 'batch') return this.running.size === 0 && this.hands.size === 0;
    return this.running.size < concurrency && this.hands.size < prefetch;
  }

  /** It settled something, or tried to. */
  speaks(): void {
    this.silent = false;
    this.mute = false;
  }

  toString(): string {
    return this.name;
  }
}

/** A delivery: a message in the hands of a member, until it is settled or taken back. */
export class Hand {
  readonly letter: Letter;
  readonly member: Member;
  readonly attempt: number;
  deadline: number;
  /** Its handler got it, or whoever pulled. */
  delivery: Message | undefined;
  run: Run | undefined;
  /** It is not in hand any more: no verb does anything. */
  over = false;
  /** It may be so: it went back with one before it of its order, or its iterator was left. */
  doubtful = false;
  /** The group was moved, or deleted, with it in hand. */
  fenced = false;
  /** The last verb, and the delay that it asked for. */
  verb: Verb | undefined;
  delay: number | undefined;

  constructor(letter: Letter, member: Member, attempt: number, now: number) {
    this.letter = letter;
    this.member = member;
    this.attempt = attempt;
    this.deadline = now + member.options.ackTimeout;
    member.hands.add(this);
  }

  end(): void {
    this.over = true;
    this.member.hands.delete(this);
  }

  /** Its handler has ended in a way that settles it, and perhaps did so already. */
  get settling(): boolean {
    const { ended } = this.run ?? {};
    return ended === 'threw' || (ended === 'returned' && this.member.options.ack === 'auto');
  }

  /** Whether it is in hand for sure. */
  certain(now: number): boolean {
    const { closesAt, options } = this.member;
    if (this.over || this.doubtful || this.settling || this.deadline <= now) return false;
    if (options.ack === 'none' || this.delivery?.signal.aborted === true) return false;
    return closesAt === undefined || (this.run !== undefined && (closesAt > now || this.run.ended !== undefined));
  }

  /** Gathered into a batch that is not handed out yet. */
  gathersFor(member: Member): boolean {
    return this.member === member && member.options.kind === 'batch' && this.run === undefined;
  }

  toString(): string {
    return `${this.letter} in hand of ${this.member}`;
  }
}
