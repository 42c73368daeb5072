import { diverge } from './divergence.js';
import type { Endings } from './endings.js';
import { INVALID, type Payload } from './expectations.js';
import type { Fates } from './fates.js';
import type { Letter } from './letter.js';
import type { QueueModel } from './queue-model.js';
import type { Hand, Run, Taker } from './taker.js';
import type { World } from './world.js';

/** Who takes, and what he gets: is it his turn, and that message's? */
export class Deliveries {
  private readonly world: World;
  private readonly fates: Fates;
  private readonly endings: Endings;

  constructor(world: World, fates: Fates, endings: Endings) {
    this.world = world;
    this.fates = fates;
    this.endings = endings;
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
    taker.closesAt = this.world.now() + timeout;
    const over = new Set(taker.runs.filter(({ state }) => state !== 'running'));
    this.world.expectations.silently(taker.closesAt, () => {
      if (taker.closed) return;
      for (const run of taker.runs) {
        // What a handler that returned leaves to others stays in hand; but without a timeout nobody sees that it returned.
        const leaves = run.state !== 'running' && taker.options.ack === 'manual' && timeout > 0;
        if (!leaves && !over.has(run)) this.fates.abandon(run);
      }
      for (const hand of [...taker.gathered]) this.fates.takeBack(hand);
    });
  }

  delivered(queue: QueueModel, { id, attempt, consumer: name }: Payload): void {
    const letter = queue.find(id) ?? diverge(`${queue.name} delivered ${id}, which it does not have`);
    const takers = name === 'receive' ? queue.takers.filter(({ pulls }) => pulls) : this.named(queue, name);
    const taker = this.world.expectations.explained(() => {
      if (letter.state !== 'waiting') return undefined;
      return takers.find(
        (one) => queue.mayTake(one, letter, this.world.now()) && queue.isNext(letter, one, this.world.now()),
      );
    });
    if (taker === undefined && !this.world.exact && this.endings.failSilently(queue))
      return this.delivered(queue, { id, attempt, consumer: name });
    if (taker === undefined) diverge(this.wrongDelivery(queue, letter, takers, name));
    if (queue.invalid(letter)) diverge(`${letter} was delivered, and its body is not valid`);
    // Those before it were looked at.
    for (const other of queue.before(letter, taker, this.world.now()))
      if (queue.invalid(other)) this.fates.die(other, 'invalid', other.failures, INVALID);
    letter.deliveries++;
    if (attempt !== letter.failures + 1)
      diverge(`${letter} was delivered as attempt ${String(attempt)}, not ${letter.failures + 1}`);
    const since = this.world.now();
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
    if (letter.alone) queue.aloneAt = since;
    taker.gathered.push(hand);
    taker.spend(since);
    if (taker.pulls) this.leave(queue, taker);
    queue.books.delivered++;
    this.world.count(letter.failures > 0 ? 'delivered again' : 'delivered');
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
    if (this.world.now() !== taker.options.until)
      diverge(`${taker.name} gave up ${taker.options.until! - this.world.now()} ms too early`);
    this.leave(queue, taker);
  }

  private named(queue: QueueModel, name: unknown): Taker[] {
    return queue.takers.filter((taker) => taker.name === name);
  }

  private wrongDelivery(queue: QueueModel, letter: Letter, takers: readonly Taker[], name: unknown): string {
    const now = this.world.now();
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
      const early = known.length < batch.size && this.world.now() < first!.since + batch.wait;
      // What must come alone is not joined, and does not hold up the others, also where somebody else took it by now.
      const alone = (): true | undefined =>
        first!.letter.alone ||
        queue.aloneAt === this.world.now() ||
        queue.letters.some((letter) => letter.alone) ||
        undefined;
      if (early && taker.closesAt === undefined && this.world.expectations.explained(alone) === undefined)
        diverge(`${taker.name} got a batch too early`);
      this.world.count(known.length > 1 ? 'batch of several' : 'batch of one');
    }
    const { ack } = taker.options;
    for (const { letter } of known) {
      // What was acked at its start has let the next one go: that must not have started before.
      const split = queue.letters.some(
        ({ hand, key }) =>
          hand !== undefined &&
          key === letter.key &&
          !known.includes(hand) &&
          (ack !== 'none' || hand.run !== undefined),
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
}
