import { MADE_FOR_DEAD, type QueueConfiguration } from './configuration.js';
import { diverge } from './divergence.js';
import { Expectations } from './expectations.js';
import { QueueModel } from './queue-model.js';

/** What all parts of the model look at: the queues, the time, and what has to happen. */
export class World {
  readonly queues = new Map<string, QueueModel>();
  readonly now: () => number;
  /** The storage answers at once, so that nothing is ever under way that no event has told of. */
  readonly exact: boolean;
  readonly expectations: Expectations;
  /** Told of everything that is worth counting. */
  readonly count: (outcome: string) => void;

  constructor(now: () => number, exact: boolean, count: (outcome: string) => void) {
    this.now = now;
    this.exact = exact;
    this.count = count;
    this.expectations = new Expectations(now);
  }

  queue(name: string): QueueModel {
    return this.queues.get(name) ?? diverge(`there is no queue ${name}`);
  }

  declare(name: string, configuration: QueueConfiguration): QueueModel {
    const queue = new QueueModel(name, configuration, this.exact);
    this.queues.set(name, queue);
    return queue;
  }

  /** A queue that dead letters go to is made when the first comes. */
  grave(name: string): QueueModel {
    return this.queues.get(name) ?? this.declare(name, MADE_FOR_DEAD);
  }
}
