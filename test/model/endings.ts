import { INVALID, TIMED_OUT, type Payload } from './expectations.js';
import { diverge } from './divergence.js';
import type { Fates } from './fates.js';
import type { Letter, Reason } from './letter.js';
import type { QueueModel } from './queue-model.js';
import type { Hand } from './taker.js';
import type { World } from './world.js';

/** Judges what the engine says that it did with messages: was it told to, and if not, was it right to do so by itself? */
export class Endings {
  private readonly world: World;
  private readonly fates: Fates;

  constructor(world: World, fates: Fates) {
    this.world = world;
    this.fates = fates;
  }

  acked(queue: QueueModel, payload: Payload): void {
    this.world.expectations.met('acked', queue, payload, (letter) => {
      const { hand } = letter;
      const auto = hand?.run?.state === 'returned' && hand.taker.options.ack === 'auto';
      if (hand !== undefined && (auto || hand.taker.options.ack === 'none')) this.fates.settle(hand, 'ack');
    });
  }

  retried(queue: QueueModel, payload: Payload): void {
    this.world.expectations.met('retried', queue, payload, (letter) => this.explainFailure(letter));
  }

  deadLettered(queue: QueueModel, payload: Payload): void {
    const { id, reason } = payload;
    const turnsAway = reason === 'overflow' && queue.configuration.overflow === 'dead-letter';
    const bounced = turnsAway
      ? (queue.incoming.find((letter) => letter.id === id) ?? this.diedInto(queue, id))
      : undefined;
    if (bounced !== undefined) {
      queue.incoming = queue.incoming.filter((letter) => letter !== bounced);
      // Where writing takes time, others may be on their way that nobody has heard of; with no room at all, who waits is not known.
      const known = this.world.exact && queue.configuration.maxLength !== 0;
      if (known && queue.takes(bounced, 1, bounced.draft.bytes, this.world.now()))
        diverge(`${bounced} was turned away, and there was room`);
      this.fates.die(bounced, 'overflow', 0, undefined);
    }
    this.world.expectations.met('deadLettered', queue, payload, (letter) =>
      this.explainDeath(letter, (one) => one === reason),
    );
  }

  /** An attempt failed, and nobody said so. */
  private explainFailure(letter: Letter): void {
    const { hand } = letter;
    if (hand === undefined) return;
    const { run, deadline } = hand;
    if (run?.state === 'threw' && run.hands.length === 1) {
      this.fates.settle(hand, 'nack', { error: run.error!.message });
      this.world.count('threw');
    } else if (deadline <= this.world.now()) {
      // Of a batch, those before it timed out before.
      const before = run?.hands.slice(0, run.hands.indexOf(hand)) ?? [];
      for (const one of [...before, hand]) if (one.live && one.deadline <= this.world.now()) this.timeOut(one);
    }
  }

  private timeOut(hand: Hand): void {
    const { run, deadline, letter } = hand;
    if (deadline < this.world.now()) diverge(`${letter} timed out ${this.world.now() - deadline} ms too late`);
    if (run !== undefined && run.state === 'running') run.lost = true;
    hand.aborted = true;
    this.fates.settle(hand, 'nack', { error: TIMED_OUT });
    this.world.count('timed out');
  }

  /** Where writing takes time, nobody has heard yet of those that failed and die. */
  failSilently(queue: QueueModel): boolean {
    const inHand = queue.letters.filter(({ state }) => state === 'hand');
    for (const letter of inHand) this.explainFailure(letter);
    return inHand.some(({ state }) => state !== 'hand');
  }

  /** @param fits whether it can have died of this */
  private explainDeath(letter: Letter, fits: (reason: Reason) => boolean): void {
    const { queue, state, failures } = letter;
    const now = this.world.now();
    if (state === 'hand') return this.explainFailure(letter);
    if (state !== 'waiting') return;
    // Whose turn it was is known only where nothing takes time.
    const turn = (): boolean =>
      queue.takers.some((one) => queue.mayTake(one, letter, now) && queue.isNext(letter, one, now));
    const drops = (): boolean => letter === queue.droppable(now) || letter === queue.droppable(now, true);
    const over = queue.undecided && queue.excess.count + queue.excess.bytes > 0;
    const pushedOut = over && fits('overflow') && drops();
    // Behind a paused queue nothing expires before its turn comes.
    if (letter.mayExpire(now) && fits('expired') && !(queue.paused && pushedOut)) {
      this.fates.die(letter, 'expired', failures, undefined);
    } else if (pushedOut) {
      this.fates.die(letter, 'overflow', failures, undefined);
    } else if (queue.invalid(letter) && fits('invalid')) {
      if (this.world.exact ? turn() : letter.ready(now) && !queue.paused)
        this.fates.die(letter, 'invalid', failures, INVALID);
    }
  }

  /** A message that must be dying just now, since what it becomes is stored in `queue`. */
  diedInto(queue: QueueModel, id: string): Letter | undefined {
    if (![...this.world.queues.values()].some((source) => source.find(id) !== undefined)) return undefined;
    return this.world.expectations.explained(() => {
      for (const source of this.world.queues.values()) {
        const letter = source.find(id);
        if (letter !== undefined)
          this.explainDeath(letter, (reason) => this.fates.wayOut(letter, reason, false) === queue);
      }
      return queue.incoming.find((one) => one.id === id);
    });
  }
}
