import type { Headers } from '../../src/index.js';
import type { QueueModel } from './queue-model.js';
import type { Hand } from './taker.js';

export type Reason = 'rejected' | 'attempts' | 'expired' | 'overflow' | 'invalid';

export interface Death {
  readonly source: string;
  readonly reason: Reason;
  readonly at: number;
  readonly count: number;
  readonly attempts: number;
  /** Message of the error that it died of. */
  readonly error: string | undefined;
}

/** What a sender gives. */
export interface Draft {
  /** Says in the body which message it is. */
  readonly number: number;
  readonly text: string;
  readonly bytes: number;
  /** undefined: the broker makes one. */
  readonly id: string | undefined;
  readonly key: string | undefined;
  readonly headers: Headers | undefined;
  readonly priority: number;
  readonly persistent: boolean;
  readonly ttl: number | undefined;
  /** From when it is accepted. */
  readonly delay: number | undefined;
  readonly deliverAt: number | undefined;
  readonly sentAt: number;
}

/**
 *     coming ──► waiting ⇄ hand
 *                   └──────┴──► leaving (to the dead letters) ──► gone
 */
export type State = 'coming' | 'waiting' | 'hand' | 'leaving' | 'gone';

/** The life of one message in one queue. A dead letter begins another one. */
export class Letter {
  readonly draft: Draft;
  readonly queue: QueueModel;
  /** The broker's, where the sender gave none: learned from the first that is heard of it. */
  id: string | undefined;
  state: State = 'coming';
  /** In order of acceptance. */
  place = -1;
  arrivedAt: number;
  readyAt = 0;
  expiresAt = Infinity;
  failures = 0;
  deliveries = 0;
  deaths: readonly Death[] = [];
  hand: Hand | undefined;
  /** It was in hand, and came back: where order is kept by key, the key is its. */
  turn = false;
  /** It was not due when it came. */
  delayed = false;
  /** It came back with a wait. */
  backingOff = false;
  /** It was in a batch that failed: not in one of several again. */
  alone = false;
  /** It expires at once, but somebody waited for it, surely or perhaps. */
  awaited: 'surely' | 'perhaps' | undefined;
  /** What it was before redrive() moved it. */
  movedFrom: Letter | undefined;
  /** Names of the queues that stored it, while its sender waits to hear of it. */
  stored: string[] | undefined;

  constructor(queue: QueueModel, draft: Draft) {
    this.queue = queue;
    this.draft = draft;
    this.id = draft.id;
    this.arrivedAt = draft.sentAt;
  }

  get key(): string | undefined {
    return this.draft.key;
  }

  /** It is here because somebody sent it here: its delay and ttl hold. */
  get fresh(): boolean {
    return this.deaths.length === 0 && this.movedFrom === undefined;
  }

  /** When it can be delivered, if it is accepted `now`. */
  due(now: number): number {
    const { delay = 0, deliverAt = now } = this.draft;
    return this.fresh ? Math.max(now + delay, deliverAt) : now;
  }

  get level(): number {
    return Math.min(this.draft.priority, (this.queue.configuration.priorities ?? 1) - 1);
  }

  ready(now: number): boolean {
    return this.state === 'waiting' && this.readyAt <= now;
  }

  /** Its delay or backoff ends at this moment. */
  comesBackAt(now: number): boolean {
    return this.readyAt === now && (this.delayed || this.backingOff);
  }

  /** It must not be delivered any more. */
  expired(now: number): boolean {
    return this.mayExpire(now) && !(this.awaited !== undefined && this.arrivedAt === now);
  }

  /** It may be dead-lettered as expired. */
  mayExpire(now: number): boolean {
    return this.state === 'waiting' && this.expiresAt <= now && !(this.awaited === 'surely' && this.arrivedAt === now);
  }

  toString(): string {
    return `#${this.draft.number} in ${this.queue.name}`;
  }
}
