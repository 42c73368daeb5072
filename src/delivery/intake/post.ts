import type { Clock } from '../../clock.js';
import type { Encoded } from '../../codec.js';
import { SluiceError } from '../../errors.js';
import type { Durability, MessageOptions, Receipt } from '../../message.js';
import type { Awaitable } from '../../storage/storage.js';
import type { Agenda } from '../agenda.js';
import type { LogEntry } from '../cursor/buffer.js';
import type { Head } from '../head.js';
import type { Envelopes } from './envelope.js';
import { reachOf, type Deposit, type Inbox } from './inbox.js';
import type { Intake } from './intake.js';
import { policyOf } from '../retry.js';

/** One of several messages that are sent together. Its options are checked. */
export interface Sending {
  readonly body: unknown;
  readonly options: MessageOptions | undefined;
}

const RANK: Readonly<Record<Durability, number>> = { memory: 0, os: 1, disk: 2 };
const BY_RANK: readonly Durability[] = ['memory', 'os', 'disk'];

/** The way in: body and options become a head and encoded bytes, once; the intake stores them; a receipt tells it. */
export class Post {
  private readonly envelopes: Envelopes;
  private readonly intake: Intake;
  private readonly agenda: Agenda;
  private readonly clock: Clock;
  private readonly report: (error: unknown) => void;
  /** Those who wait for their next try. */
  private readonly resting = new Map<(error: SluiceError) => void, readonly Deposit[]>();

  constructor(envelopes: Envelopes, intake: Intake, agenda: Agenda, clock: Clock, report: (error: unknown) => void) {
    this.envelopes = envelopes;
    this.intake = intake;
    this.agenda = agenda;
    this.clock = clock;
    this.report = report;
  }

  /** One message, for one place. Resolves once it is stored as durably as its storage promises. */
  sendTo(
    inbox: Inbox,
    body: unknown,
    options: MessageOptions | undefined,
    routingKey: string | undefined,
  ): Promise<Receipt> {
    if (options === undefined && inbox.open && inbox.validate === undefined) {
      return this.sendPlain(inbox, body, routingKey);
    }
    return this.send([inbox], body, options, routingKey);
  }

  /** The way of most messages: nothing here waits for anything but the storage. */
  private sendPlain(inbox: Inbox, body: unknown, routingKey: string | undefined): Promise<Receipt> {
    const { envelopes } = this;
    const encoded = envelopes.encode(body);
    const head = envelopes.head(encoded, undefined, routingKey);
    const { id } = envelopes;
    const { names, durability } = inbox;
    if (!inbox.put(head, encoded)) {
      const op = inbox.append(head, encoded);
      const written = inbox.journal.write([op]);
      if (written !== undefined) {
        inbox.comes(op, written);
        return confirmed(written, { id, duplicate: false, destinations: names, durability });
      }
      inbox.arrived(op);
    }
    // A promise of a literal is made in half the time of one that could be of anything with a then().
    return Promise.resolve({ id, duplicate: false, destinations: names, durability });
  }

  /** One message, for any number of places: all of them or none, in one write. */
  send(
    inboxes: readonly Inbox[],
    body: unknown,
    options: MessageOptions | undefined,
    routingKey: string | undefined,
  ): Promise<Receipt> {
    check(inboxes, body, options);
    const { envelopes } = this;
    const encoded = envelopes.encode(body);
    const head = envelopes.head(encoded, options, routingKey);
    const { id } = envelopes;
    if (mayTakeLong(options) || !takeAtOnce(inboxes, head)) {
      return this.sendInLine(id, inboxes, head, encoded, options);
    }
    const written = storeAtOnce(inboxes, head, encoded);
    const receipt = receiptOf(id, inboxes, head);
    return written === undefined ? Promise.resolve(receipt) : confirmed(written, receipt);
  }

  /** As send(), where there may be something to wait for. */
  private async sendInLine(
    id: string,
    inboxes: readonly Inbox[],
    head: Head,
    body: Encoded,
    options: MessageOptions | undefined,
  ): Promise<Receipt> {
    const deposits = inboxes.map((inbox) => ({ inbox, head, body, parcel: 0 }));
    return receiptFor(id, await this.attempt(deposits, [options]));
  }

  /** All or none, in one write. */
  sendMany(inbox: Inbox, messages: readonly Sending[]): Promise<Receipt[]> {
    const { envelopes } = this;
    const ids: string[] = [];
    let bytes = 0;
    const entries = messages.map(({ body, options }) => {
      check([inbox], body, options);
      const encoded = envelopes.encode(body);
      const head = envelopes.head(encoded, options, undefined);
      ids.push(envelopes.id);
      bytes += head.size;
      return { head, body: encoded };
    });
    const last = entries.at(-1)?.head;
    if (last === undefined) return Promise.resolve([]);
    if (messages.some(({ options }) => mayTakeLong(options)) || !inbox.takes(entries.length, bytes, last)) {
      return this.sendManyInLine(inbox, messages, ids, entries);
    }
    const written = storeAll(inbox, entries);
    const receipts = entries.map(({ head }, n) => receiptOf(ids[n]!, [inbox], head));
    return written === undefined ? Promise.resolve(receipts) : confirmed(written, receipts);
  }

  /** As sendMany(), where there may be something to wait for. */
  private async sendManyInLine(
    inbox: Inbox,
    messages: readonly Sending[],
    ids: readonly string[],
    entries: readonly LogEntry[],
  ): Promise<Receipt[]> {
    const deposits = entries.map(({ head, body }, parcel) => ({ inbox, head, body, parcel }));
    const options = messages.map((message) => message.options);
    const stored: Deposit[][] = ids.map(() => []);
    for (const deposit of await this.attempt(deposits, options)) stored[deposit.parcel]!.push(deposit);
    return ids.map((id, parcel) => receiptFor(id, stored[parcel]!));
  }

  /** Whoever waits for his next try, at `inbox` or anywhere, gives up. */
  refuse(error: SluiceError, inbox?: Inbox): void {
    for (const [reject, deposits] of this.resting) {
      if (inbox === undefined || deposits.some((deposit) => deposit.inbox === inbox)) reject(error);
    }
  }

  /** Tries as often as the sender wants it, where a failure may pass. */
  private async attempt(
    deposits: readonly Deposit[],
    options: readonly (MessageOptions | undefined)[],
  ): Promise<readonly Deposit[]> {
    const signals = options.flatMap((each) => each?.signal ?? []);
    const signal = signals.length > 1 ? AbortSignal.any(signals) : signals[0];
    const retry = options.find((each) => each?.retry !== undefined)?.retry;
    const policy = policyOf([retry ?? { attempts: 1 }], { buries: false, buriesOverflow: false }, this.report);
    for (let attempt = 1; ; attempt++) {
      try {
        if (signal?.aborted) throw aborted(signal);
        const offered = attempt === 1 ? deposits : this.intake.restamped(deposits);
        const stored = this.intake.accept(offered, signal);
        return await (signal === undefined ? stored : untilAborted(signal, Promise.resolve(stored)));
      } catch (error) {
        if (attempt >= policy.attempts || !mayPass(error)) throw error;
        await this.rest(policy.backoff(attempt, error), signal, deposits);
      }
    }
  }

  private rest(delay: number, signal: AbortSignal | undefined, deposits: readonly Deposit[]): Promise<void> {
    let alarm = this.agenda.alarm(() => undefined);
    let cancel: (error: SluiceError) => void = () => undefined;
    const rested = new Promise<void>((resolve, reject) => {
      alarm = this.agenda.alarm(resolve);
      alarm.set(this.clock.now() + delay, true);
      cancel = reject;
      this.resting.set(cancel, deposits);
    });
    return (signal === undefined ? rested : untilAborted(signal, rested)).finally(() => {
      this.resting.delete(cancel);
      alarm.clear();
    });
  }
}

/** @throws TypeError; SluiceError ERR_VALIDATION */
function check(inboxes: readonly Inbox[], body: unknown, options: MessageOptions | undefined): void {
  for (const inbox of inboxes) {
    if (options !== undefined) inbox.checkOptions(options);
    inbox.validate?.(body);
  }
}

/** Somebody may give up, or try again. */
function mayTakeLong(options: MessageOptions | undefined): boolean {
  return options !== undefined && (options.signal !== undefined || options.retry !== undefined);
}

/** Whether all of them take it now, in one write. */
function takeAtOnce(inboxes: readonly Inbox[], head: Head): boolean {
  for (const inbox of inboxes) {
    if (inbox.journal !== inboxes[0]!.journal || !inbox.takes(1, head.size, head)) return false;
  }
  return true;
}

/** Done when it returns, or resolves. All are of one journal. */
function storeAtOnce(inboxes: readonly Inbox[], head: Head, body: Encoded): Awaitable<void> {
  if (inboxes.length === 0) return;
  if (inboxes[0]!.put(head, body)) {
    // What one takes so, all of its storage do.
    for (let n = 1; n < inboxes.length; n++) inboxes[n]!.put(head, body);
    return;
  }
  const ops = inboxes.map((inbox) => inbox.append(head, body));
  const written = inboxes[0]!.journal.write([...ops], reachOf([{ head }]));
  ops.forEach((op, n) => {
    if (written === undefined) inboxes[n]!.arrived(op);
    else inboxes[n]!.comes(op, written);
  });
  return written;
}

/** As storeAtOnce(), of several for one place. */
function storeAll(inbox: Inbox, entries: readonly LogEntry[]): Awaitable<void> {
  const [first, ...rest] = entries;
  if (inbox.put(first!.head, first!.body)) {
    for (const { head, body } of rest) inbox.put(head, body);
    return;
  }
  const ops = entries.map(({ head, body }) => inbox.append(head, body));
  const written = inbox.journal.write([...ops], reachOf(entries));
  if (written === undefined) inbox.arrivedTogether(ops);
  else for (const op of ops) inbox.comes(op, written);
  return written;
}

function confirmed<T>(written: Promise<void>, receipt: T): Promise<T> {
  return written.then(() => receipt);
}

/** Of one that went to all of them, which are of one journal. */
function receiptOf(id: string, inboxes: readonly Inbox[], head: Head): Receipt {
  const [only] = inboxes;
  const durability = only === undefined || head.isTransient ? 'memory' : only.durability;
  const destinations = inboxes.length === 1 ? only!.names : inboxes.map(({ name }) => name);
  return { id, duplicate: false, destinations, durability };
}

/** Of one that went where it could. */
function receiptFor(id: string, stored: readonly Deposit[]): Receipt {
  let rank = RANK.disk;
  for (const { inbox, head } of stored) {
    rank = Math.min(rank, RANK[head.isTransient ? 'memory' : inbox.durability]);
  }
  const destinations =
    stored.length === 1 ? stored[0]!.inbox.names : [...new Set(stored.map(({ inbox }) => inbox.name))];
  return { id, duplicate: false, destinations, durability: stored.length === 0 ? 'memory' : BY_RANK[rank]! };
}

function mayPass(error: unknown): boolean {
  return SluiceError.is(error, 'ERR_QUEUE_FULL') || SluiceError.is(error, 'ERR_STORAGE_FULL');
}

/** `promise`, or ERR_ABORTED as soon as the signal aborts. What goes on behind it goes on. */
export function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(aborted(signal));
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Why a message whose signal has aborted is not sent. */
export function aborted(signal: AbortSignal): SluiceError {
  return new SluiceError('ERR_ABORTED', 'sending was given up', { cause: signal.reason });
}
