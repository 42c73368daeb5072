import { nextOf } from './acceptance.js';
import { diverge } from './divergence.js';
import type { Letter } from './letter.js';
import type { QueueModel } from './queue-model.js';
import type { Taker } from './taker.js';
import type { World } from './world.js';

/** Nothing moves any more: what should have happened, and has not? */
export class Rest {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** Nothing moves any more: what should have happened and has not? */
  atRest(): void {
    this.world.expectations.none();
    for (const queue of this.world.queues.values()) {
      for (const letter of queue.incoming) diverge(`${letter} should have arrived`);
      queue.sendings = queue.sendings.filter(({ doubtful }) => !doubtful);
      const { count, bytes } = queue.excess;
      if (queue.undecided && count + bytes > 0 && queue.droppable(this.world.now()) !== undefined)
        diverge(`${queue.name} is over its limits`);
      queue.undecided = false;
      this.checkBlocked(queue);
      for (const taker of queue.takers) this.checkFed(queue, taker);
      for (const letter of queue.letters) this.checkLetter(queue, letter);
    }
  }

  private checkBlocked(queue: QueueModel): void {
    const [first, ...rest] = queue.sendings;
    if (first === undefined) return;
    if (queue.configuration.overflow !== 'block') diverge(`${nextOf(first)} should have been accepted`);
    queue.sendings = [];
    const bytes = first.expected.reduce((sum, { draft }) => sum + draft.bytes, 0);
    const fits = queue.takes(first.expected[0]!, first.expected.length, bytes, this.world.now());
    queue.sendings = [first, ...rest];
    if (fits) diverge(`there is room for ${nextOf(first)}, and its sender waits`);
  }

  private checkFed(queue: QueueModel, taker: Taker): void {
    const now = this.world.now();
    const next = queue.next(taker, now);
    if (next !== undefined && queue.mayTake(taker, next, now)) diverge(`${taker.name} should have got ${next}`);
    if (taker.pulls && taker.options.until! <= now) diverge(`${taker.name} should have given up`);
    if (taker.gathered.length > 0 && (taker.options.batch === undefined || taker.fillsUntil <= now)) {
      diverge(`the handler of ${taker.name} should have been called with ${taker.gathered[0]!.letter}`);
    }
  }

  private checkLetter(queue: QueueModel, letter: Letter): void {
    const { hand, state } = letter;
    const now = this.world.now();
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
      (other) => other.level === letter.level && other.place < letter.place && other.ready(this.world.now()),
    );
  }

  /** When something is due next, after now. */
  get nextInstant(): number {
    const now = this.world.now();
    const instants: number[] = this.world.expectations.instants;
    for (const { letters, takers } of this.world.queues.values()) {
      for (const { readyAt, expiresAt, hand } of letters) instants.push(readyAt, expiresAt, hand?.deadline ?? Infinity);
      for (const taker of takers)
        instants.push(taker.options.until ?? Infinity, taker.fillsUntil, taker.nextToken(now));
    }
    return Math.min(...instants.filter((instant) => instant > now));
  }
}
