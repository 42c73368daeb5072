import { FATAL, MADE_FOR_DEAD, type QueueConfiguration, type Wait } from './configuration.js';
import { Letter, type Death, type Draft, type Reason } from './letter.js';
import { QueueModel, type Sending } from './queue-model.js';
import type { Hand, Run, Taker } from './taker.js';

export type Verb = 'ack' | 'nack' | 'reject' | 'requeue';

/** The engine did what the model does not allow, or did not do what it must. */
export class Divergence extends Error {
  override readonly name = 'Divergence';
}

export function diverge(message: string): never {
  throw new Divergence(message);
}

/** An event that has to come, and what is so once it came. */
interface Due {
  readonly event: 'acked' | 'retried' | 'deadLettered';
  readonly letter: Letter;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly done: () => void;
}

/**
 * What a broker with a few queues has to do, written from the contract alone. Commands are told to it before the engine gets them, and
 * it says what they return. What the engine does by itself it is told by events, and judges: was that right, and was it the time? At
 * rest, when nothing moves any more, it says what should have happened and has not.
 */
export class Model {
  readonly queues = new Map<string, QueueModel>();
  readonly now: () => number;
  private readonly exact: boolean;
  private due: Due[] = [];
  /** What happens soon and is announced by no event: in this order, at this time or later. */
  private silent: { readonly at: number; readonly happen: () => void }[] = [];
  /** Told of everything that is worth counting. */
  private readonly count: (outcome: string) => void;

  /** @param exact the storage answers at once, so that nothing is ever under way that no event has told of */
  constructor(now: () => number, exact: boolean, count: (outcome: string) => void) {
    this.now = now;
    this.exact = exact;
    this.count = count;
  }

  queue(name: string): QueueModel {
    return this.queues.get(name) ?? diverge(`there is no queue ${name}`);
  }

  declare(name: string, configuration: QueueConfiguration): QueueModel {
    const queue = new QueueModel(name, configuration);
    this.queues.set(name, queue);
    return queue;
  }

  /** A queue that dead letters go to is made when the first comes. */
  grave(name: string): QueueModel {
    return this.queues.get(name) ?? this.declare(name, MADE_FOR_DEAD);
  }

  // Commands.

  send(queue: QueueModel, drafts: readonly Draft[], valid: boolean, quiet: boolean): Sending {
    const letters = drafts.map((draft) => {
      const letter = new Letter(queue, draft);
      letter.stored = [];
      return letter;
    });
    const stored = letters.map((letter) => letter.stored!);
    const refused = valid ? this.refusal(queue, letters) : 'ERR_VALIDATION';
    const stay: Letter[] = [];
    const sending: Sending = {
      letters,
      stored,
      quiet,
      expected: stay,
      arrived: 0,
      returned: queue.returned,
      refused,
      doubtful: false,
    };
    if (refused !== undefined) return sending;
    queue.sendings.push(sending);
    for (const letter of letters) {
      const { bytes } = letter.draft;
      const bounces = queue.configuration.overflow === 'dead-letter' && !this.fits(queue, letter, 1, bytes);
      if (bounces) this.die(letter, 'overflow', 0, undefined);
      else stay.push(letter);
    }
    if (stay.length === 0) queue.sendings = queue.sendings.filter((other) => other !== sending);
    return sending;
  }

  private refusal(queue: QueueModel, letters: readonly Letter[]): string | undefined {
    const { maxLength = Infinity, maxBytes = Infinity, overflow = 'reject' } = queue.configuration;
    const sizes = letters.map(({ draft }) => draft.bytes);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (sizes.some((size) => size > maxBytes)) return 'ERR_QUEUE_FULL';
    if (overflow !== 'reject' && overflow !== 'block') return undefined;
    if (bytes > maxBytes || letters.length > Math.max(1, maxLength)) return 'ERR_QUEUE_FULL';
    // What is not due cannot be handed over.
    if (maxLength === 0 && letters.some((letter) => letter.due(this.now()) > this.now())) return 'ERR_QUEUE_FULL';
    if (overflow === 'block' || letters.length === 0) return undefined;
    return this.fits(queue, letters[0]!, letters.length, bytes) ? undefined : 'ERR_QUEUE_FULL';
  }

  private fits(queue: QueueModel, letter: Letter, count: number, bytes: number): boolean {
    if (queue.fits(count, bytes)) return true;
    return this.handsOver(queue, letter, bytes);
  }

  /** With no room at all, a message is taken in when somebody waits for it. */
  private handsOver(queue: QueueModel, letter: Letter, bytes: number): boolean {
    const { maxLength, maxBytes = Infinity } = queue.configuration;
    if (maxLength !== 0 || queue.bytes + bytes > maxBytes || letter.due(this.now()) > this.now()) return false;
    return queue.awaits(letter, this.now()) === 'surely';
  }

  /** Its sender has given up. Whether it is sure that nothing of it is stored. */
  abort(queue: QueueModel, sending: Sending, certain: boolean): void {
    if (certain) queue.sendings = queue.sendings.filter((other) => other !== sending);
    else sending.doubtful = true;
  }

  settle(
    hand: Hand,
    verb: Verb,
    { delay, error }: { delay?: number | undefined; error?: string | undefined } = {},
  ): boolean {
    if (!hand.live) return false;
    const { letter } = hand;
    this.release(hand);
    switch (verb) {
      case 'ack':
        letter.state = 'leaving';
        this.expect('acked', letter, { duration: this.now() - hand.since }, () => {
          letter.queue.remove(letter);
          letter.queue.books.acked++;
        });
        break;
      case 'nack':
        this.failed(letter, delay, error);
        if (letter.state === 'waiting') this.giveBackLater(hand);
        break;
      case 'reject':
        this.die(letter, 'rejected', letter.failures + 1, error);
        break;
      case 'requeue':
        letter.queue.giveBack(letter, delay ?? 0, this.now());
        this.giveBackLater(hand);
        break;
    }
    return true;
  }

  extend(hand: Hand, by: number | undefined): boolean {
    if (!hand.live) return false;
    hand.deadline = this.now() + (by ?? hand.taker.options.ackTimeout);
    return true;
  }

  /** A handler has returned. */
  returned(run: Run): void {
    run.state = 'returned';
  }

  /** A handler has thrown: of a batch of several, what is not settled comes back one by one. */
  threw(run: Run, error: Error): void {
    run.state = 'threw';
    run.error = error;
    const { hands } = run;
    if (hands.length === 1 || hands[0]!.taker.options.ack === 'none') return;
    this.silently(this.now(), () => {
      for (const hand of hands) {
        if (!hand.live) continue;
        this.release(hand);
        hand.letter.queue.giveBack(hand.letter, 0, this.now());
        hand.letter.alone = true;
        this.count('batch came apart');
      }
    });
  }

  join(queue: QueueModel, taker: Taker): void {
    queue.takers.push(taker);
    if (!taker.pulls) queue.consumers.push(taker);
  }

  /** A pending receive() has its answer. */
  leave(queue: QueueModel, taker: Taker): void {
    queue.takers = queue.takers.filter((other) => other !== taker);
  }

  /** It takes nothing more; after `timeout` ms what its handlers have in hand goes back. */
  close(queue: QueueModel, taker: Taker, timeout: number): void {
    if (taker.closesAt !== undefined) return;
    this.leave(queue, taker);
    taker.closesAt = this.now() + timeout;
    this.silently(taker.closesAt, () => {
      if (taker.closed) return;
      for (const run of taker.runs) this.abandon(run);
      for (const hand of [...taker.gathered]) this.takeBack(hand);
    });
  }

  /** What a handler has not settled goes back, unless it returned and leaves that to others. */
  private abandon(run: Run): void {
    const [first] = run.hands;
    if (run.state !== 'running' && first!.taker.options.ack === 'manual') return;
    for (const hand of run.hands) this.takeBack(hand);
    if (run.state === 'running') run.lost = true;
  }

  private takeBack(hand: Hand): void {
    if (!hand.live) return;
    hand.aborted = true;
    this.giveUp(hand);
  }

  /** It goes back, no attempt counted. */
  giveUp(hand: Hand): void {
    if (!hand.live) return;
    this.release(hand);
    hand.letter.queue.giveBack(hand.letter, 0, this.now());
    this.count('given back');
  }

  /** Happens soon, and no event tells. */
  silently(at: number, happen: () => void): void {
    this.silent.push({ at, happen });
  }

  /** How many are removed. */
  purge(queue: QueueModel): number {
    const { waiting } = queue;
    for (const letter of waiting) queue.remove(letter);
    queue.books.removed += waiting.length;
    this.count(waiting.length > 0 ? 'purged' : 'purged nothing');
    return waiting.length;
  }

  /** The messages that redrive() moves, in this order. */
  redrive(queue: QueueModel, to: string | undefined, limit: number, filter: (letter: Letter) => boolean): Letter[] {
    const ready = queue.letters.filter((letter) => letter.ready(this.now()) && !letter.expired(this.now()));
    // Each is looked at, and what stays may join a batch again.
    for (const letter of ready) letter.alone = false;
    const moving = ready
      .filter((letter) => !queue.keyIsHeld(letter, this.now()))
      .sort((a, b) => b.level - a.level || a.place - b.place)
      .filter((letter) => this.queues.has(to ?? letter.deaths[0]?.source ?? '') && filter(letter))
      .slice(0, limit);
    for (const letter of moving) {
      const target = this.queue(to ?? letter.deaths[0]!.source);
      const copy = new Letter(target, letter.draft);
      copy.id = letter.id;
      copy.deaths = letter.deaths;
      copy.movedFrom = letter;
      copy.arrivedAt = this.now();
      letter.state = 'leaving';
      target.incoming.push(copy);
    }
    return moving;
  }

  delete(name: string): void {
    const queue = this.queue(name);
    for (const { hand } of queue.letters) {
      if (hand === undefined) continue;
      hand.aborted = true;
      this.release(hand);
    }
    queue.gone = true;
    for (const taker of queue.takers) taker.closesAt ??= this.now();
    this.queues.delete(name);
  }

  // What the engine says that it did.

  accepted(queue: QueueModel, id: string): void {
    const internal = queue.incoming.find((letter) => letter.id === id) ?? this.diedInto(queue, id);
    if (internal !== undefined) {
      queue.incoming = queue.incoming.filter((letter) => letter !== internal);
      queue.arrive(internal, this.now(), false);
      this.arrivedElsewhere(internal);
      this.dropHeads(queue);
      return;
    }
    while (queue.sendings[0]?.doubtful === true && nextOf(queue.sendings[0]).id !== id) queue.sendings.shift();
    const sending = queue.sendings[0] ?? diverge(`${queue.name} accepted ${id}, and nothing was sent`);
    const letter = nextOf(sending);
    letter.id ??= id;
    if (letter.id !== id) diverge(`${queue.name} accepted ${id}, but it is the turn of ${letter}`);
    const handedOver = this.handsOver(queue, letter, letter.draft.bytes);
    const complete = ++sending.arrived === sending.expected.length;
    if (complete) queue.sendings.shift();
    letter.arrivedAt = this.now();
    queue.arrive(letter, this.now(), sending.quiet && sending.expected[0] === letter);
    const { count, bytes } = queue.excess;
    if (
      this.exact &&
      queue.configuration.overflow !== 'drop-head' &&
      count + bytes > 0 &&
      !handedOver &&
      sending.returned === queue.returned
    ) {
      diverge(`${letter} was accepted, and now ${queue.name} is over its limit`);
    }
    if (complete && !handedOver) this.dropHeads(queue);
    this.count('accepted');
  }

  /** Once all of a write are in, a full ring drops what is too much. */
  private dropHeads(queue: QueueModel): void {
    if (queue.configuration.overflow !== 'drop-head') return;
    for (let { count, bytes } = queue.excess; count + bytes > 0; { count, bytes } = queue.excess) {
      const head = queue.droppable(this.now());
      if (head === undefined) return;
      this.die(head, 'overflow', head.failures, undefined);
    }
  }

  /** A message that must be dying just now, since what it becomes is stored in `queue`. */
  private diedInto(queue: QueueModel, id: string): Letter | undefined {
    return this.explained(() => {
      for (const source of this.queues.values()) {
        const letter = source.find(id);
        if (letter !== undefined) this.explainDeath(letter, (reason) => this.wayOut(letter, reason, false) === queue);
      }
      return queue.incoming.find((one) => one.id === id);
    });
  }

  delivered(queue: QueueModel, { id, attempt, consumer: name }: Payload): void {
    const letter = queue.find(id) ?? diverge(`${queue.name} delivered ${id}, which it does not have`);
    const takers = name === 'receive' ? queue.takers.filter(({ pulls }) => pulls) : this.named(queue, name);
    const taker = this.explained(() => {
      if (letter.state !== 'waiting') return undefined;
      return takers.find((one) => queue.mayTake(one, letter, this.now()) && queue.isNext(letter, one, this.now()));
    });
    if (taker === undefined && !this.exact && this.failSilently(queue))
      return this.delivered(queue, { id, attempt, consumer: name });
    if (taker === undefined) diverge(this.wrongDelivery(queue, letter, takers, name));
    if (queue.invalid(letter)) diverge(`${letter} was delivered, and its body is not valid`);
    letter.deliveries++;
    if (attempt !== letter.failures + 1)
      diverge(`${letter} was delivered as attempt ${String(attempt)}, not ${letter.failures + 1}`);
    const since = this.now();
    const timeout = taker.options.ackTimeout;
    const hand: Hand = {
      letter,
      taker,
      since,
      deadline: since + timeout,
      live: true,
      aborted: false,
      run: undefined,
      attempt: letter.failures + 1,
      deliveries: letter.deliveries,
    };
    letter.state = 'hand';
    letter.hand = hand;
    letter.turn = true;
    letter.awaited = undefined;
    letter.backingOff = false;
    taker.gathered.push(hand);
    taker.spend(since);
    if (taker.pulls) this.leave(queue, taker);
    queue.books.delivered++;
    this.count(letter.failures > 0 ? 'delivered again' : 'delivered');
  }

  /** The receive() of `taker` brought it: the model may have given it to another one that waited. */
  received(queue: QueueModel, taker: Taker, id: string): Hand {
    const hand = queue.find(id)?.hand ?? diverge(`receive() brought ${id}, which was not delivered`);
    const other = hand.taker;
    if (!other.pulls) diverge(`receive() brought ${id}, which was delivered to ${other.name}`);
    this.exchange(queue, other, taker);
    taker.gathered = [];
    return hand;
  }

  /** What one of them was delivered goes to the other, and the other way round. */
  private exchange(queue: QueueModel, one: Taker, other: Taker): void {
    const swap = (taker: Taker): Taker => (taker === one ? other : taker === other ? one : taker);
    queue.takers = queue.takers.map(swap);
    [one.gathered, other.gathered] = [other.gathered, one.gathered];
    for (const hand of [...one.gathered, ...other.gathered]) hand.taker = swap(hand.taker);
  }

  /** The receive() of `taker` brought nothing. */
  gaveUp(queue: QueueModel, taker: Taker): void {
    if (!queue.takers.includes(taker)) {
      const other = queue.takers.find(({ pulls }) => pulls);
      if (other === undefined) diverge(`${taker.name} was delivered a message, and brought nothing`);
      this.exchange(queue, taker, other);
    }
    if (this.now() !== taker.options.until)
      diverge(`${taker.name} gave up ${taker.options.until! - this.now()} ms too early`);
    this.leave(queue, taker);
  }

  private named(queue: QueueModel, name: unknown): Taker[] {
    return queue.takers.filter((taker) => taker.name === name);
  }

  private wrongDelivery(queue: QueueModel, letter: Letter, takers: readonly Taker[], name: unknown): string {
    const now = this.now();
    const why =
      letter.state !== 'waiting'
        ? `it is ${letter.state}`
        : letter.readyAt > now
          ? `it is not due before ${letter.readyAt - now} ms`
          : letter.expired(now)
            ? 'it is expired'
            : queue.paused
              ? 'the queue is paused'
              : !takers.some((taker) => queue.mayTake(taker, letter, now))
                ? 'he has no room'
                : `it is the turn of ${String(takers[0] && queue.next(takers[0], now))}`;
    return `${letter} was delivered to ${String(name)}, but ${why}`;
  }

  /** The handler of `taker` is called with these. */
  handed(queue: QueueModel, taker: Taker, ids: readonly string[]): Run {
    const { batch } = taker.options;
    const hands = ids.map((id) => taker.gathered.find(({ letter }) => letter.id === id));
    const known = hands.filter((hand) => hand !== undefined);
    if (known.length < ids.length) diverge(`${taker.name} got ${ids.join(', ')}, which were not delivered to it`);
    const order = known.map((hand) => taker.gathered.indexOf(hand));
    if (order.some((at, n) => n > 0 && at < order[n - 1]!))
      diverge(`${taker.name} got a batch in another order than it was delivered in`);
    if (batch !== undefined) {
      const [first] = known;
      if (known.length > batch.size) diverge(`${taker.name} got ${known.length} at once`);
      if (known.length > 1 && known.some(({ letter }) => letter.alone))
        diverge(`${taker.name} got a message of a failed batch in a batch`);
      const early = known.length < batch.size && this.now() < first!.since + batch.wait;
      // What must come alone is not joined, and does not hold up the others.
      const alone = (): true | undefined =>
        first!.letter.alone || queue.letters.some((letter) => letter.alone) || undefined;
      if (early && taker.closesAt === undefined && this.explained(alone) === undefined)
        diverge(`${taker.name} got a batch too early`);
      this.count(known.length > 1 ? 'batch of several' : 'batch of one');
    }
    for (const { letter } of known) {
      const split = queue.letters.some(
        ({ hand, key }) => hand !== undefined && key === letter.key && !known.includes(hand),
      );
      if (queue.configuration.ordering === 'key' && letter.key !== undefined && split) {
        diverge(`${letter} is handled while another of its key is`);
      }
    }
    taker.gathered = taker.gathered.filter((hand) => !known.includes(hand));
    const run: Run = { hands: known, state: 'running', error: undefined, lost: false };
    for (const hand of known) hand.run = run;
    taker.runs.push(run);
    return run;
  }

  acked(queue: QueueModel, payload: Payload): void {
    this.met('acked', queue, payload, (letter) => {
      const { hand } = letter;
      const auto = hand?.run?.state === 'returned' && hand.taker.options.ack === 'auto';
      if (hand !== undefined && (auto || hand.taker.options.ack === 'none')) this.settle(hand, 'ack');
    });
  }

  retried(queue: QueueModel, payload: Payload): void {
    this.met('retried', queue, payload, (letter) => this.explainFailure(letter));
  }

  deadLettered(queue: QueueModel, payload: Payload): void {
    const { id, reason } = payload;
    const turnsAway = reason === 'overflow' && queue.configuration.overflow === 'dead-letter';
    const bounced = turnsAway
      ? (queue.incoming.find((letter) => letter.id === id) ?? this.diedInto(queue, id))
      : undefined;
    if (bounced !== undefined) {
      queue.incoming = queue.incoming.filter((letter) => letter !== bounced);
      // Where writing takes time, others may be on their way that nobody has heard of.
      if (this.exact && this.fits(queue, bounced, 1, bounced.draft.bytes))
        diverge(`${bounced} was turned away, and there was room`);
      this.die(bounced, 'overflow', 0, undefined);
    }
    this.met('deadLettered', queue, payload, (letter) => this.explainDeath(letter, (one) => one === reason));
  }

  private met(event: Due['event'], queue: QueueModel, payload: Payload, explain: (letter: Letter) => void): void {
    const { id } = payload;
    const find = (): Due | undefined => {
      const due = this.due.filter(
        (one) => one.event === event && one.letter.queue === queue && (one.letter.id ?? id) === id,
      );
      return due.find((one) => one.payload['reason'] === payload['reason']) ?? due[0];
    };
    const explained = this.explained(() => {
      const letter = queue.find(id);
      if (find() === undefined && letter !== undefined) explain(letter);
      return find();
    });
    const due =
      explained ?? diverge(`${queue.name} says that ${id} was ${event}, for no reason: ${JSON.stringify(payload)}`);
    due.letter.id ??= id;
    for (const [name, expected] of Object.entries(due.payload)) {
      const found = name === 'error' ? messageOf(payload.error) : payload[name];
      if (found !== expected)
        diverge(`${due.letter} was ${event} with ${name} ${String(found)}, not ${String(expected)}`);
    }
    this.due = this.due.filter((other) => other !== due);
    due.done();
  }

  /** An attempt failed, and nobody said so. */
  private explainFailure(letter: Letter): void {
    const { hand } = letter;
    if (hand === undefined) return;
    const { run, deadline } = hand;
    if (run?.state === 'threw' && run.hands.length === 1) {
      this.settle(hand, 'nack', { error: run.error!.message });
      this.count('threw');
    } else if (deadline <= this.now()) {
      if (deadline < this.now()) diverge(`${letter} timed out ${this.now() - deadline} ms too late`);
      if (run !== undefined && run.state === 'running') run.lost = true;
      hand.aborted = true;
      this.settle(hand, 'nack', { error: TIMED_OUT });
      this.count('timed out');
    }
  }

  /** Where writing takes time, nobody has heard yet of those that failed and die. */
  private failSilently(queue: QueueModel): boolean {
    const inHand = queue.letters.filter(({ state }) => state === 'hand');
    for (const letter of inHand) this.explainFailure(letter);
    return inHand.some(({ state }) => state !== 'hand');
  }

  /** @param fits whether it can have died of this */
  private explainDeath(letter: Letter, fits: (reason: Reason) => boolean): void {
    const { queue, state, failures } = letter;
    const now = this.now();
    if (state === 'hand') return this.explainFailure(letter);
    if (state !== 'waiting') return;
    const { count, bytes } = queue.excess;
    const full = queue.configuration.overflow === 'drop-head' && count + bytes > 0;
    // Whose turn it was is known only where nothing takes time.
    const turn = (): boolean =>
      queue.takers.some((one) => queue.mayTake(one, letter, now) && queue.isNext(letter, one, now));
    if (full && queue.droppable(now) === letter && fits('overflow')) {
      this.die(letter, 'overflow', failures, undefined);
    } else if (letter.mayExpire(now) && fits('expired')) {
      this.die(letter, 'expired', failures, undefined);
    } else if (queue.invalid(letter) && fits('invalid')) {
      if (this.exact ? turn() : letter.ready(now) && !queue.paused) this.die(letter, 'invalid', failures, INVALID);
    }
  }

  // What becomes of a message.

  /** An attempt has failed. */
  private failed(letter: Letter, delay: number | undefined, error: string | undefined): void {
    const { queue } = letter;
    const { attempts = 5, picky, wait } = queue.configuration;
    const failures = letter.failures + 1;
    if (picky && error === FATAL) return this.die(letter, 'rejected', failures, error);
    if (failures >= attempts) return this.die(letter, 'attempts', failures, error);
    const rest = delay ?? waitAfter(wait, failures);
    letter.failures = failures;
    queue.giveBack(letter, rest, this.now());
    this.expect('retried', letter, { attempt: failures, delay: rest, error }, () => queue.books.retried++);
  }

  /** In a batch, the later ones of a key go back with the one that failed. */
  private giveBackLater({ letter, run }: Hand): void {
    const { configuration } = letter.queue;
    if (configuration.ordering !== 'key' || letter.key === undefined || run === undefined) return;
    for (const hand of run.hands) {
      if (hand.letter.key === letter.key && hand.letter.place > letter.place) this.giveUp(hand);
    }
  }

  private die(letter: Letter, reason: Reason, attempts: number, error: string | undefined): void {
    const { queue } = letter;
    const bounced = letter.state === 'coming';
    const to = this.wayOut(letter, reason, bounced);
    const dead = to === undefined ? undefined : new Letter(to, letter.draft);
    if (dead !== undefined) {
      dead.id = letter.id;
      dead.deaths = this.deathsOf(letter, reason, attempts, error);
      dead.arrivedAt = this.now();
      dead.stored = letter.stored;
    }
    letter.state = 'leaving';
    letter.hand = undefined;
    this.expect(
      'deadLettered',
      letter,
      { reason, to: to?.name ?? null, ...(error === INVALID ? {} : { error }) },
      () => {
        if (bounced) queue.books.accepted++;
        queue.remove(letter);
        if (to === undefined) queue.books.dropped++;
        else queue.books.deadLettered++;
        this.count(`${to === undefined ? 'dropped' : 'dead'}: ${reason}`);
        if (dead !== undefined) dead.id = letter.id;
      },
    );
    if (dead !== undefined) dead.queue.incoming.push(dead);
    this.arrivedElsewhere(letter);
  }

  /** What was redriven is stored where it went, or died on the way in. */
  private arrivedElsewhere(letter: Letter): void {
    const { movedFrom } = letter;
    if (movedFrom === undefined) return;
    letter.movedFrom = undefined;
    movedFrom.queue.remove(movedFrom);
    movedFrom.queue.books.removed++;
    this.count('redriven');
  }

  /** The queue that its dead letter goes to; undefined: it is dropped. */
  private wayOut(letter: Letter, reason: Reason, bounced: boolean): QueueModel | undefined {
    const { queue } = letter;
    const { graveName, configuration } = queue;
    if (graveName === undefined) return undefined;
    const dropsHead = reason === 'overflow' && configuration.overflow === 'drop-head' && !bounced;
    if (dropsHead && configuration.deadLetter === undefined) return undefined;
    const deaths: readonly { readonly source: string; readonly reason: Reason }[] = [
      { source: queue.name, reason },
      ...letter.deaths.filter((death) => death.source !== queue.name || death.reason !== reason),
    ];
    const last = deaths.findIndex(({ source }) => source === graveName);
    const cycle =
      last >= 0 &&
      deaths.slice(0, last + 1).every((death) => death.reason !== 'rejected' && death.reason !== 'attempts');
    return this.grave(cycle ? `${queue.name}.dlq` : graveName);
  }

  private deathsOf(letter: Letter, reason: Reason, attempts: number, error: string | undefined): readonly Death[] {
    const { name } = letter.queue;
    const same = (death: Death): boolean => death.source === name && death.reason === reason;
    const count = (letter.deaths.find(same)?.count ?? 0) + 1;
    const death = { source: name, reason, at: this.now(), count, attempts, error };
    return [death, ...letter.deaths.filter((other) => !same(other))];
  }

  private release(hand: Hand): void {
    hand.live = false;
    hand.letter.hand = undefined;
    // Settled before its handler is called, it still goes there.
    if (hand.taker.options.ack === 'none') return;
    hand.taker.gathered = hand.taker.gathered.filter((other) => other !== hand);
  }

  private expect(event: Due['event'], letter: Letter, payload: Due['payload'], done: () => void): void {
    this.due.push({ event, letter, payload, done });
  }

  /** What `look` finds, now or after what has happened silently. */
  private explained<T>(look: () => T | undefined): T | undefined {
    for (;;) {
      const found = look();
      const at = this.silent.findIndex((one) => one.at <= this.now());
      if (found !== undefined || at < 0) return found;
      this.silent.splice(at, 1)[0]!.happen();
    }
  }

  // At rest.

  /** Something happens any moment that no event tells of. */
  get uncertain(): boolean {
    return this.silent.some(({ at }) => at <= this.now());
  }

  /** What happens silently has happened by now. */
  catchUp(): void {
    this.explained(() => undefined);
  }

  /** Nothing moves any more: what should have happened and has not? */
  atRest(): void {
    const now = this.now();
    for (const { event, letter } of this.due) diverge(`${letter} should have been ${event}`);
    for (const queue of this.queues.values()) {
      for (const letter of queue.incoming) diverge(`${letter} should have arrived`);
      queue.sendings = queue.sendings.filter(({ doubtful }) => !doubtful);
      this.checkBlocked(queue);
      for (const taker of queue.takers) this.checkFed(queue, taker);
      for (const letter of queue.letters) this.checkLetter(queue, letter);
      const { count, bytes } = queue.excess;
      const { tolerated, configuration } = queue;
      const over = count > tolerated.count || bytes > tolerated.bytes;
      if (configuration.overflow === 'drop-head' && over && queue.droppable(now) !== undefined) {
        diverge(`${queue.name} is over its limit, and nothing was dropped`);
      }
    }
  }

  private checkBlocked(queue: QueueModel): void {
    const [first, ...rest] = queue.sendings;
    if (first === undefined) return;
    if (queue.configuration.overflow !== 'block') diverge(`${nextOf(first)} should have been accepted`);
    queue.sendings = [];
    const bytes = first.expected.reduce((sum, { draft }) => sum + draft.bytes, 0);
    const fits = this.fits(queue, first.expected[0]!, first.expected.length, bytes);
    queue.sendings = [first, ...rest];
    if (fits) diverge(`there is room for ${nextOf(first)}, and its sender waits`);
  }

  private checkFed(queue: QueueModel, taker: Taker): void {
    const now = this.now();
    const next = queue.next(taker, now);
    if (next !== undefined && queue.mayTake(taker, next, now)) diverge(`${taker.name} should have got ${next}`);
  }

  private checkLetter(queue: QueueModel, letter: Letter): void {
    const { hand, state } = letter;
    const now = this.now();
    if (state === 'leaving') diverge(`${letter} should be gone`);
    if (hand !== undefined && hand.deadline <= now) diverge(`${letter} should have timed out`);
    if (hand?.run !== undefined && hand.run.state !== 'running' && hand.taker.options.ack !== 'manual') {
      diverge(`${letter} should have been settled when its handler ${hand.run.state}`);
    }
    if (hand?.run?.state === 'threw') diverge(`${letter} should have been settled when its handler threw`);
    if (
      letter.mayExpire(now) &&
      letter.awaited !== 'surely' &&
      letter.ready(now) &&
      !queue.paused &&
      this.isHead(queue, letter)
    )
      diverge(`${letter} should have expired`);
  }

  private isHead(queue: QueueModel, letter: Letter): boolean {
    const { letters, configuration } = queue;
    const waitsForKey =
      configuration.ordering === 'key' &&
      letter.key !== undefined &&
      letters.some((other) => other !== letter && other.key === letter.key && other.turn);
    if (waitsForKey) return false;
    return !letters.some(
      (other) => other.level === letter.level && other.place < letter.place && other.ready(this.now()),
    );
  }

  /** When something is due next, after now. */
  get nextInstant(): number {
    const now = this.now();
    const instants: number[] = this.silent.map(({ at }) => at);
    for (const { letters, takers } of this.queues.values()) {
      for (const { readyAt, expiresAt, hand } of letters) instants.push(readyAt, expiresAt, hand?.deadline ?? Infinity);
      for (const taker of takers)
        instants.push(taker.options.until ?? Infinity, taker.fillsUntil, taker.nextToken(now));
    }
    return Math.min(...instants.filter((instant) => instant > now));
  }
}

export type Payload = { readonly id: string } & Readonly<Record<string, unknown>>;

export const TIMED_OUT = 'timed out';
const INVALID = 'invalid';

function nextOf({ expected, arrived }: Sending): Letter {
  return expected[arrived]!;
}

function messageOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return (error as { code?: unknown }).code === 'ERR_TIMEOUT' ? TIMED_OUT : (error as Error).message;
}

function waitAfter(wait: Wait, failures: number): number {
  switch (wait.kind) {
    case 'fixed':
      return wait.delay;
    case 'linear':
      return Math.min(wait.max, wait.base + wait.step * (failures - 1));
    case 'exponential':
      return Math.min(wait.max, wait.base * wait.factor ** (failures - 1));
    case 'custom':
      return wait.delays[Math.min(failures, wait.delays.length) - 1]!;
  }
}
