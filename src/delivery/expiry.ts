import type { Agenda, Alarm } from './agenda.js';
import type { Cursor } from './cursor/cursor.js';
import { READY } from './cursor/next.js';
import type { Head } from './head.js';

/** What expires, and how. */
export interface ExpiryOwner {
  readonly cursors: readonly Cursor[];
  /** Nobody gets anything: heads do not expire by themselves, but when their turn comes. */
  readonly paused: boolean;
  now(): number;
  /** The candidate at `cursor` is past its time: take it out, and bury it. */
  expired(cursor: Cursor): void;
}

/** Heads that expire in one go before the event loop gets a turn. */
const AT_ONCE = 1000;

/** Times to live: when a message expires, and an alarm for the head of a queue that nobody reads. */
export class Expiry {
  /** For every message that has no shorter one, ms. */
  private ttl: number | undefined;
  /** Something here has a ttl, so that heads are watched. */
  mortal = false;
  private readonly owner: ExpiryOwner;
  private readonly alarm: Alarm;
  /** A message with ttl 0 that somebody waits for is handed over, though it expires at once. */
  private readonly exempt = new Set<Head>();

  constructor(agenda: Agenda, owner: ExpiryOwner) {
    this.owner = owner;
    this.alarm = agenda.alarm(() => this.expireHeads());
  }

  limit(ttl: number | undefined): void {
    this.ttl = ttl;
    if (ttl !== undefined) this.mortal = true;
    this.watch();
  }

  /** A message came. `awaited`: somebody gets it before the time can move. */
  came(head: Head, awaited: boolean): void {
    if (awaited && this.of(head) <= this.owner.now()) this.exempt.add(head);
  }

  /** When it expires: its own ttl or its queue's, whichever is sooner, from when it came or, later, was due. */
  of(head: Head): number {
    const own = head.rare?.expires ?? Infinity;
    return this.ttl === undefined ? own : Math.min(own, Math.max(head.rare?.due ?? 0, head.arrived) + this.ttl);
  }

  /** Whether its time has come now that it is its turn. */
  over(head: Head): boolean {
    return this.of(head) <= this.owner.now() && !this.exempt.delete(head);
  }

  /** When it expires by itself: not at all if somebody is about to get it. */
  private unattended(head: Head): number {
    return this.exempt.has(head) ? Infinity : this.of(head);
  }

  /** Sets the alarm for the first of the heads. */
  watch(): void {
    if (!this.mortal || this.owner.paused) return this.alarm.clear();
    let due = Infinity;
    for (const cursor of this.owner.cursors)
      if (cursor.next() === READY) due = Math.min(due, this.unattended(cursor.head));
    this.alarm.set(due);
  }

  forget(): void {
    this.exempt.clear();
    this.watch();
  }

  close(): void {
    this.alarm.clear();
  }

  private expireHeads(): void {
    const { owner } = this;
    const now = owner.now();
    let left = owner.paused ? 0 : AT_ONCE;
    for (const cursor of owner.cursors) {
      for (; left > 0 && cursor.next() === READY && this.unattended(cursor.head) <= now; left--) owner.expired(cursor);
    }
    this.watch();
  }
}
