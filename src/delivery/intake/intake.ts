import { SluiceError } from '../../errors.js';
import type { Events } from '../../events.js';
import type { Awaitable } from '../../storage/storage.js';
import type { Head } from '../head.js';
import { reachOf, type Append, type Deposit, type Inbox, type Load } from './inbox.js';
import type { Journal } from '../journal.js';

/** Where a full queue's newcomers go: the deposits that make a dead letter of this one, none where it is dropped. */
export type Bounce = (deposit: Deposit) => readonly Omit<Deposit, 'parcel'>[];

interface Blocked {
  readonly deposits: readonly Deposit[];
  readonly inboxes: readonly Inbox[];
  /** Those of them that block: it is counted there as one who waits. */
  readonly blocking: readonly Inbox[];
  readonly resolve: (stored: readonly Deposit[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * How several messages, or one for several queues, come in: all or none, in one write. Asks the limits first; those who have to
 * wait for room form one line per broker, and are tried as a whole, so that nobody overtakes at the queue he waits for.
 */
export class Intake {
  private readonly events: Events;
  private readonly bounce: Bounce;
  private readonly accepted: (head: Head) => Head;
  private line: Blocked[] = [];
  private advancing = false;

  /** @param accepted the head of a message that is accepted only now, having waited for it */
  constructor(events: Events, bounce: Bounce, accepted: (head: Head) => Head) {
    this.events = events;
    this.bounce = bounce;
    this.accepted = accepted;
  }

  /**
   * Stores what somebody sends. Resolves with what was stored, which is not what was asked for where a full queue
   * dead-letters newcomers.
   * @throws SluiceError ERR_QUEUE_FULL, ERR_ABORTED
   */
  accept(deposits: readonly Deposit[], signal: AbortSignal | undefined): Awaitable<readonly Deposit[]> {
    const loads = loadsOf(deposits);
    for (const [inbox, load] of loads) {
      if (inbox.open) continue;
      const { overflow, maxBytes } = inbox.limits;
      const single = deposits.find((deposit) => deposit.inbox === inbox && deposit.head.size > maxBytes);
      if (single !== undefined) throw inbox.full({ bytes: single.head.size });
      const binding = overflow === 'block' || overflow === 'reject';
      if (binding && inbox.neverFits(load)) throw inbox.full({ messages: load.count, bytes: load.bytes });
      if (overflow === 'reject' && !inbox.fits(load)) throw inbox.full();
    }
    const crowded = [...loads].some(([inbox, load]) => mustWait(inbox, load));
    if (!crowded) return this.store(this.redirected(deposits));
    return this.wait(deposits, [...loads.keys()], signal);
  }

  /** Moves what was accepted before: `block` and `reject` let it in. */
  admit(deposits: readonly Deposit[]): Awaitable<readonly Deposit[]> {
    return this.store(this.redirected(deposits));
  }

  /** There may be room again. */
  advance(): void {
    if (this.line.length === 0 || this.advancing) return;
    this.advancing = true;
    const held = new Set<Inbox>();
    const line = this.line;
    this.line = [];
    for (const blocked of line) {
      const loads = loadsOf(blocked.deposits);
      const passes =
        !blocked.inboxes.some((inbox) => held.has(inbox)) &&
        blocked.blocking.every((inbox) => inbox.fits(loads.get(inbox)!));
      if (passes) this.leave(blocked, () => this.storeBlocked(blocked));
      else {
        this.line.push(blocked);
        for (const inbox of blocked.inboxes) held.add(inbox);
      }
    }
    this.advancing = false;
  }

  /** Whoever waits for room at `inbox`, or anywhere, gives up. */
  refuse(error: SluiceError, inbox?: Inbox): void {
    const line = this.line;
    this.line = [];
    for (const blocked of line) {
      if (inbox !== undefined && !blocked.inboxes.includes(inbox)) this.line.push(blocked);
      else this.leave(blocked, () => blocked.reject(error));
    }
    this.advance();
  }

  private wait(
    deposits: readonly Deposit[],
    inboxes: readonly Inbox[],
    signal: AbortSignal | undefined,
  ): Promise<readonly Deposit[]> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(aborted(signal));
      const abort = (): void => {
        const at = this.line.indexOf(blocked);
        if (at < 0) return;
        this.line.splice(at, 1);
        this.leave(blocked, () => blocked.reject(aborted(signal!)));
        this.advance();
      };
      const blocked: Blocked = {
        deposits,
        inboxes,
        blocking: inboxes.filter(({ open, limits }) => !open && limits.overflow === 'block'),
        resolve: (stored) => {
          signal?.removeEventListener('abort', abort);
          resolve(stored);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', abort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      this.line.push(blocked);
      for (const inbox of blocked.blocking) {
        inbox.crowd(true);
        if (inbox.waiting++ === 0 && this.events.heard.blocked) this.events.emit('blocked', { source: inbox.name });
      }
    });
  }

  /** Out of the line; `then` says what becomes of it, before anybody is told who might send in turn. */
  private leave({ blocking }: Blocked, then: () => void): void {
    for (const inbox of blocking) if (--inbox.waiting === 0) inbox.crowd(false);
    then();
    if (!this.events.heard.unblocked) return;
    for (const { waiting, name } of blocking) if (waiting === 0) this.events.emit('unblocked', { source: name });
  }

  /** As they are when they come in now: delay and ttl run from here. */
  restamped(deposits: readonly Deposit[]): Deposit[] {
    const heads = new Map<Head, Head>();
    return deposits.map((deposit) => {
      let head = heads.get(deposit.head);
      if (head === undefined) heads.set(deposit.head, (head = this.accepted(deposit.head)));
      return { ...deposit, head };
    });
  }

  private storeBlocked(blocked: Blocked): void {
    try {
      for (const [inbox, load] of loadsOf(blocked.deposits)) {
        if (!inbox.open && inbox.limits.overflow === 'reject' && !inbox.fits(load)) throw inbox.full();
      }
      const stored = this.store(this.redirected(this.restamped(blocked.deposits)));
      if (stored instanceof Promise) stored.then(blocked.resolve, blocked.reject);
      else blocked.resolve(stored);
    } catch (error) {
      blocked.reject(error);
    }
  }

  /**
   * Turns newcomers of full `dead-letter` queues into dead letters. Those may find their queue full in turn: each queue is asked
   * once, and what comes back to one that was asked stays there.
   */
  private redirected(deposits: readonly Deposit[]): readonly Deposit[] {
    if (deposits.every(({ inbox }) => inbox.open || inbox.limits.overflow !== 'dead-letter')) return deposits;
    const stored: Deposit[] = [];
    const loads = new Map<Inbox, Load>();
    const asked = new Map<Deposit, ReadonlySet<Inbox>>();
    const open = [...deposits];
    for (let n = 0; n < open.length; n++) {
      const deposit = open[n]!;
      const { inbox, head } = deposit;
      const load = loads.get(inbox) ?? { count: 0, bytes: 0 };
      const more = { count: load.count + 1, bytes: load.bytes + head.size, head };
      const before = asked.get(deposit);
      const stays = inbox.open || inbox.limits.overflow !== 'dead-letter' || before?.has(inbox) || inbox.fits(more);
      if (stays) {
        loads.set(inbox, more);
        stored.push(deposit);
        continue;
      }
      const path = new Set([...(before ?? []), inbox]);
      for (const next of this.bounce(deposit)) {
        const bounced = { ...next, parcel: deposit.parcel };
        asked.set(bounced, path);
        open.push(bounced);
      }
    }
    return stored;
  }

  /** One write per storage; what must last first. */
  private store(deposits: readonly Deposit[]): Awaitable<readonly Deposit[]> {
    if (deposits.length === 0) return deposits;
    const groups = new Map<Journal, Deposit[]>();
    for (const deposit of deposits) {
      const group = groups.get(deposit.inbox.journal);
      if (group === undefined) groups.set(deposit.inbox.journal, [deposit]);
      else group.push(deposit);
    }
    const ordered = [...groups].sort(([a], [b]) => Number(b.lasting) - Number(a.lasting));
    for (const { inbox, head } of deposits) inbox.reserve(1, head.size);
    const release = (group: readonly Deposit[]): void => {
      for (const { inbox, head } of group) inbox.reserve(-1, -head.size);
    };
    const writeFrom = (at: number): Awaitable<readonly Deposit[]> => {
      const entry = ordered[at];
      if (entry === undefined) return deposits;
      const [journal, all] = entry;
      // While the first part was written, what the rest goes to may have been deleted, and another have its name.
      const group = at === 0 ? all : all.filter(({ inbox }) => !inbox.deleted);
      const batch: Append[] = group.map(({ inbox, head, body }) => inbox.append(head, body));
      for (const { inbox } of group) inbox.part();
      const failed = (error: unknown): never => {
        for (const [, rest] of ordered.slice(at)) release(rest);
        throw error;
      };
      const done = (): Awaitable<readonly Deposit[]> => {
        release(all);
        const arrivals = new Map<Inbox, Append[]>(group.map(({ inbox }) => [inbox, []]));
        group.forEach(({ inbox }, n) => arrivals.get(inbox)!.push(batch[n]!));
        for (const [inbox, ops] of arrivals) inbox.arrivedTogether(ops);
        return writeFrom(at + 1);
      };
      let written: Awaitable<void>;
      try {
        written = journal.write(batch, reachOf(group));
      } catch (error) {
        return failed(error);
      }
      return written === undefined ? done() : written.then(done, failed);
    };
    return writeFrom(0);
  }
}

function mustWait(inbox: Inbox, load: Load): boolean {
  return !inbox.open && inbox.limits.overflow === 'block' && (inbox.waiting > 0 || !inbox.fits(load));
}

function loadsOf(deposits: readonly Deposit[]): Map<Inbox, Load> {
  const loads = new Map<Inbox, Load>();
  for (const { inbox, head } of deposits) {
    const load = loads.get(inbox);
    if (load === undefined) loads.set(inbox, { count: 1, bytes: head.size, head });
    else {
      load.count++;
      load.bytes += head.size;
      load.head = head;
    }
  }
  return loads;
}

function aborted(signal: AbortSignal): SluiceError {
  return new SluiceError('ERR_ABORTED', 'sending was given up while waiting for room', { cause: signal.reason });
}
