import { JournalStorage } from '../../src/testing/journal-storage.js';
import { Broker, fixed, MemoryStorage, type Delivery, type Queue, type Receipt } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { checkAnswers } from './answers.js';
import { checkMessage, checkStats } from './comparison.js';
import {
  ASIDE,
  BROKER_WAIT,
  GRAVEYARD,
  MAIN,
  optionsOf,
  PLAIN,
  type Configuration,
  type QueueConfiguration,
} from './configuration.js';
import type { Member, Call } from './members.js';
import { diverge } from './divergence.js';
import type { Payload } from './expectations.js';
import { Minutes, type Census } from './minutes.js';
import { Model } from './model.js';
import type { QueueModel, Sending } from './queue-model.js';
import { Surroundings } from './surroundings.js';
import type { Hand, Taker } from './taker.js';
import type { Watched } from '../watched.js';

/** What a message says. */
export interface Body {
  number: number;
  text: string;
}

/** send() or sendMany(). */
export interface Send {
  readonly queue: QueueModel;
  readonly sending: Sending;
  readonly answer: Watched<readonly Receipt[]>;
  readonly abort: AbortController | undefined;
}

/** receive(), or the next() of an iterator. */
export interface Pull {
  readonly queue: QueueModel;
  taker: Taker;
  readonly answer: Watched<Delivery<Body> | undefined>;
  readonly abort: AbortController | undefined;
  /** What it brings, where that is sure. */
  readonly brings: 'message' | 'nothing' | undefined;
}

export interface Iteration {
  readonly queue: QueueModel;
  readonly iterator: AsyncIterator<Delivery<Body>>;
  /** What it is waiting for, and what it got last. */
  pull: Pull | undefined;
  current: Hand | undefined;
}

/** What somebody has in hand, or had. */
export interface Holding {
  readonly delivery: Delivery<Body>;
  readonly hand: Hand;
}

/** Late verbs are tried on so many of the messages that were in hand last. */
const MOST_PAST = 24;

/** One broker, its model, and everything that its users hold on to. */
export class Driver extends Minutes {
  readonly configuration: Configuration;
  readonly seed: number;
  readonly surroundings: Surroundings;
  readonly model: Model;
  broker!: Broker;
  sends: Send[] = [];
  pulls: Pull[] = [];
  idles: { readonly queue: QueueModel; readonly answer: Watched<void> }[] = [];
  iterations: Iteration[] = [];
  members: Member[] = [];
  calls: Call[] = [];
  holdings: Holding[] = [];
  past: Holding[] = [];
  /** Nothing moves: what is asked now can be answered exactly. */
  quiet = true;
  /** Messages made, consumers made. */
  numbers = 0;
  /** What `error` events have to tell. */
  awaitedErrors: string[] = [];
  private readonly errors: Error[] = [];
  private readonly handles = new Map<string, Queue<Body>>();
  private readonly blocked = new Set<string>();

  constructor(configuration: Configuration, seed: number, census: Census, log: string[] | undefined) {
    super(census, log);
    this.configuration = configuration;
    this.seed = seed;
    const latency = seededRandom(seed ^ 0x5eed);
    this.surroundings = new Surroundings(
      configuration.storage === 'memory' ? new MemoryStorage() : new JournalStorage({ latency }),
    );
    this.model = new Model(
      () => this.surroundings.time,
      configuration.storage === 'memory',
      (outcome) => this.count(outcome),
    );
  }

  /** Whether something fits depends on who waits: that is sure only at rest. */
  get tight(): boolean {
    return [...this.model.queues.values()].some(({ configuration }) => configuration.maxLength === 0);
  }

  get now(): number {
    return this.surroundings.time;
  }

  async open(): Promise<void> {
    const { storage } = this.surroundings;
    this.broker = await Broker.open({ storage, clock: this.surroundings, retry: { backoff: fixed(BROKER_WAIT) } });
    this.listen();
    this.declare(GRAVEYARD, this.configuration.graveyard);
    this.declare(ASIDE, PLAIN);
    this.declare(MAIN, this.configuration.main);
  }

  declare(name: string, configuration: QueueConfiguration): QueueModel {
    this.note(() => `declare ${name} ${JSON.stringify(configuration)}`);
    const queue = this.model.declare(name, configuration);
    this.handles.set(
      name,
      this.broker.queue<Body>(
        name,
        optionsOf(configuration, () => queue.strict),
      ),
    );
    return queue;
  }

  /** The engine's queue of that name. */
  handle({ name }: QueueModel): Queue<Body> {
    let handle = this.handles.get(name);
    if (handle === undefined) this.handles.set(name, (handle = this.broker.queue<Body>(name)));
    return handle;
  }

  forget({ name }: QueueModel): Queue<Body> | undefined {
    const handle = this.handles.get(name);
    this.handles.delete(name);
    return handle;
  }

  private listen(): void {
    const { broker, model } = this;
    const heard =
      (event: string, tell: (queue: QueueModel, payload: Payload) => void) =>
      (given: object): void => {
        const payload = given as Payload & { readonly source: string };
        this.note(
          () =>
            `    ${event} ${JSON.stringify({ ...payload, message: undefined, error: (payload['error'] as Error | undefined)?.message })}`,
        );
        this.guard(() => tell(model.queue(payload.source), payload));
      };
    broker.on('accepted', ({ source }) => void model.world.grave(source));
    broker.on(
      'accepted',
      heard('accepted', (queue, { id }) => model.acceptance.accepted(queue, id)),
    );
    broker.on(
      'delivered',
      heard('delivered', (queue, payload) => model.deliveries.delivered(queue, payload)),
    );
    broker.on(
      'acked',
      heard('acked', (queue, payload) => model.endings.acked(queue, payload)),
    );
    broker.on(
      'retried',
      heard('retried', (queue, payload) => model.endings.retried(queue, payload)),
    );
    broker.on(
      'deadLettered',
      heard('deadLettered', (queue, payload) => model.endings.deadLettered(queue, payload)),
    );
    broker.on('blocked', ({ source }) => {
      this.note(() => `    blocked ${source}`);
      if (this.blocked.has(source)) this.guard(() => diverge(`${source} was blocked, and was so before`));
      this.blocked.add(source);
      this.count('blocked');
    });
    broker.on('unblocked', ({ source }) => {
      this.note(() => `    unblocked ${source}`);
      if (!this.blocked.delete(source)) this.guard(() => diverge(`${source} was unblocked, and was not blocked`));
    });
    broker.on('error', ({ error }) => this.errors.push(error));
  }

  /** Somebody got it. */
  hold(delivery: Delivery<Body>, hand: Hand): void {
    checkMessage(delivery, hand.letter, hand, this.now);
    // Decoded anew for every delivery: nobody else may see this.
    delivery.body.number = -1;
    this.holdings.push({ delivery, hand });
  }

  /** Until nothing moves any more; then everything is compared. */
  async rest(): Promise<void> {
    this.check();
    await this.surroundings.rest();
    this.check();
    this.model.world.expectations.catchUp();
    checkAnswers(this);
    this.model.rest.atRest();
    checkStats(this.broker, this.model);
    for (const { delivery, hand } of this.holdings) {
      const { aborted } = delivery.signal;
      if (aborted !== hand.aborted) diverge(`the signal of ${hand.letter} is ${aborted ? 'aborted' : 'not aborted'}`);
    }
    const errors = this.errors.splice(0).map(({ message }) => message);
    const awaited = this.awaitedErrors.splice(0);
    if (errors.join() !== awaited.join()) diverge(`there were errors: ${errors.join()}, not ${awaited.join()}`);
    for (const queue of this.model.queues.values()) {
      if (queue.sendings.length > 0 !== this.blocked.has(queue.name))
        diverge(`somebody waits to send to ${queue.name}, or not`);
    }
    this.past = [...this.past, ...this.holdings.filter(({ hand }) => !hand.live)].slice(-MOST_PAST);
    this.holdings = this.holdings.filter(({ hand }) => hand.live);
    this.quiet = true;
  }

  /** Step by step from one moment at which something is due to the next, or in one go. */
  async advance(by: number, steps: number): Promise<void> {
    await this.rest();
    const end = this.now + by;
    for (let step = 0; this.now < end; step++) {
      const next = Math.min(end, this.model.rest.nextInstant);
      await this.surroundings.advanceTo(step < steps ? next : end);
      await this.rest();
    }
  }

  async close(): Promise<void> {
    await this.broker.close({ timeout: 0 });
  }
}
