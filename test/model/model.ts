import { Acceptance } from './acceptance.js';
import type { QueueConfiguration } from './configuration.js';
import { Deliveries } from './deliveries.js';
import { Endings } from './endings.js';
import { Fates } from './fates.js';
import { Letter } from './letter.js';
import type { QueueModel } from './queue-model.js';
import { Rest } from './rest.js';
import { World } from './world.js';

/**
 * What a broker with a few queues has to do, written from the contract alone. Commands are told to it before the engine gets them, and
 * it says what they return. What the engine does by itself it is told by events, and judges: was that right, and was it the time? At
 * rest, when nothing moves any more, it says what should have happened and has not.
 *
 *     send ──► acceptance ──► deliveries ──► fates ──► gone, or back, or into another queue
 *     events ─────┴──────────────┴──► endings      at rest: nothing is left to be done
 */
export class Model {
  readonly world: World;
  readonly fates: Fates;
  readonly endings: Endings;
  readonly acceptance: Acceptance;
  readonly deliveries: Deliveries;
  readonly rest: Rest;

  constructor(now: () => number, exact: boolean, count: (outcome: string) => void) {
    this.world = new World(now, exact, count);
    this.fates = new Fates(this.world);
    this.endings = new Endings(this.world, this.fates);
    this.acceptance = new Acceptance(this.world, this.fates, this.endings);
    this.deliveries = new Deliveries(this.world, this.fates, this.endings);
    this.rest = new Rest(this.world);
  }

  get queues(): ReadonlyMap<string, QueueModel> {
    return this.world.queues;
  }

  queue(name: string): QueueModel {
    return this.world.queue(name);
  }

  declare(name: string, configuration: QueueConfiguration): QueueModel {
    return this.world.declare(name, configuration);
  }

  /** How many are removed. */
  purge(queue: QueueModel): number {
    const { waiting } = queue;
    for (const letter of waiting) queue.remove(letter);
    queue.books.removed += waiting.length;
    this.world.count(waiting.length > 0 ? 'purged' : 'purged nothing');
    return waiting.length;
  }

  /** The messages that redrive() moves, in this order. */
  redrive(queue: QueueModel, to: string | undefined, limit: number, filter: (letter: Letter) => boolean): Letter[] {
    const ready = queue.letters.filter((letter) => letter.ready(this.world.now()) && !letter.expired(this.world.now()));
    // Each is looked at: it is out for a moment, in which others may come in.
    if (ready.length > 0) queue.returned++;
    const moving = ready
      .filter((letter) => !queue.keyIsHeld(letter, this.world.now()))
      .sort((a, b) => b.level - a.level || a.place - b.place)
      .filter((letter) => this.world.queues.has(to ?? letter.deaths[0]?.source ?? '') && filter(letter))
      .slice(0, limit);
    for (const letter of moving) {
      const target = this.world.queue(to ?? letter.deaths[0]!.source);
      const copy = new Letter(target, letter.draft);
      copy.id = letter.id;
      copy.deaths = letter.deaths;
      copy.movedFrom = letter;
      copy.arrivedAt = this.world.now();
      letter.state = 'leaving';
      target.incoming.push(copy);
    }
    return moving;
  }

  delete(name: string): void {
    const queue = this.world.queue(name);
    for (const { hand } of queue.letters) {
      if (hand === undefined) continue;
      hand.aborted = true;
      this.fates.release(hand);
    }
    queue.gone = true;
    for (const taker of queue.takers) taker.closesAt ??= this.world.now();
    this.world.queues.delete(name);
  }
}
