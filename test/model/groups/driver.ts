import {
  Broker,
  MemoryStorage,
  type ConsumerGroup,
  type Delivery,
  type Located,
  type Topic,
} from '../../../src/index.js';
import { MACHINES, type Machine } from '../../broker/machines.js';
import type { Body, Watched } from '../driver.js';
import { diverge } from '../divergence.js';
import { Surroundings } from '../surroundings.js';
import { checkGroup } from './comparison.js';
import { optionsOf, TOPIC, type Configuration } from './configuration.js';
import { GroupModel } from './group-model.js';
import type { Hand, MemberModel, Run } from './member-model.js';
import type { Member } from './members.js';
import { TopicModel, type Range } from './topic-model.js';

export type Message = Delivery<Body> & Located;

/** A handler that was called, and waits to be told what to do. */
export interface Call {
  readonly run: Run;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** receive(), or the next() of an iterator. */
export interface Pull {
  readonly group: GroupModel;
  readonly answer: Watched<Message | undefined>;
  readonly abort: AbortController | undefined;
}

export interface Iteration {
  readonly group: GroupModel;
  readonly iterator: AsyncIterator<Message>;
  pull: Pull | undefined;
  current: Hand | undefined;
}

/** Late verbs are tried on so many of the messages that were in hand last. */
const MOST_PAST = 24;

/** One broker after the other on one machine, the model, and everything that their users hold on to. */
export class Driver {
  readonly configuration: Configuration;
  readonly seed: number;
  readonly topic: TopicModel;
  readonly groups: GroupModel[] = [];
  surroundings!: Surroundings;
  broker!: Broker;
  handle!: Topic<Body>;
  calls: Call[] = [];
  pulls: Pull[] = [];
  iterations: Iteration[] = [];
  members: Member[] = [];
  past: Hand[] = [];
  /** What has to be done when nothing moves any more. */
  promises: { readonly what: string; readonly answer: Watched<unknown>; readonly done?: () => void }[] = [];
  quiet = true;
  numbers = 0;
  /** What `error` events have to tell. */
  awaitedErrors: string[] = [];
  private readonly machine: Machine;
  private readonly census: Map<string, number>;
  private readonly log: string[] | undefined;
  private errors: Error[] = [];
  private failure: Error | undefined;

  constructor(configuration: Configuration, seed: number, census: Map<string, number>, log: string[] | undefined) {
    this.configuration = configuration;
    this.seed = seed;
    this.census = census;
    this.log = log;
    this.topic = new TopicModel(configuration.retention, (outcome) => this.count(outcome));
    const machine = MACHINES.find(({ name }) => name === configuration.machine);
    this.machine = machine?.start(seed) ?? { storage: () => new MemoryStorage(), kill: never, cutPower: never };
  }

  get now(): number {
    return this.surroundings.time;
  }

  get lasts(): boolean {
    return this.configuration.machine !== 'MemoryStorage';
  }

  count(outcome: string): void {
    this.census.set(outcome, (this.census.get(outcome) ?? 0) + 1);
  }

  note(line: () => string): void {
    this.log?.push(`${String(this.now % 10_000_000).padStart(7)} ${line()}`);
  }

  async open(): Promise<void> {
    await this.begin(undefined);
    for (const configuration of this.configuration.groups) this.declare(configuration);
    await this.broker.flush();
  }

  /** Another process begins on the same machine. */
  async begin(time: number | undefined, compare?: () => Promise<void>): Promise<void> {
    this.surroundings = new Surroundings(this.machine.storage(), time);
    const { storage } = this.surroundings;
    this.errors = [];
    this.broker = await Broker.open({ storage, clock: this.surroundings });
    this.listen(this.broker);
    const { retention } = this.configuration;
    const partitions = Math.max(this.configuration.partitions, this.topic.partitions.length);
    this.topic.grow(partitions);
    this.handle = this.broker.topic<Body>(TOPIC, { partitions, retention });
    for (const group of this.groups) this.follow(group);
    await compare?.();
    await this.broker.flush();
    for (const group of this.groups) group.sure = group.changes;
  }

  declare(configuration: GroupModel['configuration']): void {
    this.note(() => `declare ${JSON.stringify(configuration)}`);
    const group = new GroupModel(
      configuration,
      this.topic,
      () => this.now,
      (outcome) => this.count(outcome),
    );
    this.groups.push(group);
    this.topic.readers.add(group);
    this.follow(group);
  }

  /** When the engine moves a group is its own business: what becomes of it is not. */
  private follow(group: GroupModel): void {
    const { position } = this.handle.group(group.name, optionsOf(group.configuration));
    const move = position.move.bind(position);
    position.move = (partition, offset, reason) => {
      this.guard(() => {
        this.note(() => `    ${group.name} goes to ${partition.number}@${offset}`);
        group.moved(partition.number, Math.min(Math.max(offset, partition.first), partition.next));
      });
      move(partition, offset, reason);
    };
  }

  handleOf({ name }: GroupModel): ConsumerGroup<Body> {
    return this.handle.group(name);
  }

  private listen(broker: Broker): void {
    const heard =
      <P extends object>(event: string, tell: (payload: P) => void) =>
      (payload: P): void => {
        if (broker !== this.broker) return;
        this.note(() => `    ${event} ${JSON.stringify({ ...payload, message: undefined, error: undefined })}`);
        this.guard(() => {
          this.sync();
          tell(payload);
        });
      };
    const ofGroup = (name: string | undefined, tell: (group: GroupModel) => void): void => {
      const group = this.groups.find((one) => one.name === name);
      if (group !== undefined) tell(group);
    };
    broker
      .on('accepted', ({ source, id }) => {
        if (source !== TOPIC || broker !== this.broker) return;
        this.guard(() => {
          const entry = this.topic.accepted(id, this.ranges);
          this.note(() => `    accepted ${id} at ${entry.partition}@${entry.offset}`);
          for (const group of this.groups) group.accepted(entry);
          this.sync();
        });
      })
      .on(
        'delivered',
        heard('delivered', ({ id, attempt, consumer, group }) =>
          ofGroup(group, (one) => one.delivered(id, attempt, consumer)),
        ),
      )
      .on(
        'acked',
        heard('acked', ({ id, group }) => ofGroup(group, (one) => one.acked(id))),
      )
      .on(
        'retried',
        heard('retried', ({ id, attempt, delay, group }) => ofGroup(group, (one) => one.retried(id, attempt, delay))),
      )
      .on(
        'deadLettered',
        heard('deadLettered', ({ id, reason, to, group }) => ofGroup(group, (one) => one.deadLettered(id, reason, to))),
      )
      .on(
        'rebalanced',
        heard('rebalanced', ({ group, assignment }) => ofGroup(group, (one) => one.rebalanced(assignment))),
      )
      .on(
        'warning',
        heard('warning', ({ code, details }) => {
          if (code !== 'GROUP_OVERTAKEN') return;
          ofGroup(details['group'] as string, (one) => {
            one.missedToldOf += details['missed'] as number;
            this.count('warning: overtaken');
          });
        }),
      )
      .on('error', ({ error }) => {
        if (broker === this.broker) this.errors.push(error);
      });
  }

  get ranges(): readonly Range[] {
    return this.handle.stats().partitions;
  }

  /** What retention did since it was last asked. */
  sync(): void {
    this.topic.trim(this.ranges, this.now);
  }

  /** What goes wrong on the engine's stack must not be thrown into it. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (this.failure === undefined) this.note(() => `>>> ${(error as Error).message}`);
      this.failure ??= error as Error;
    }
  }

  get failed(): boolean {
    return this.failure !== undefined;
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  get hands(): Hand[] {
    return this.groups.flatMap(({ members }) => members.flatMap(({ hands }) => [...hands]));
  }

  /** A message is in the hands of whoever asked for it. */
  claim(group: GroupModel, member: MemberModel, delivery: Message): Hand {
    const { partition, offset } = delivery;
    const of = (hand: Hand): boolean =>
      hand.member === member &&
      hand.delivery === undefined &&
      hand.letter.entry === group.letters[partition]?.[offset]?.entry;
    const hand = [...group.unclaimed, ...member.hands].find(of);
    if (hand === undefined) return diverge(`${member} got ${partition}@${offset}, which was not delivered`);
    const { letter, attempt } = hand;
    const { entry } = letter;
    hand.delivery = delivery;
    group.unclaimed = group.unclaimed.filter((other) => other !== hand);
    if (letter.vague) {
      if (delivery.deliveries > hand.deliveries) diverge(`${letter} was delivered ${delivery.deliveries} times`);
      letter.vague = false;
      if (hand.live) letter.deliveries = delivery.deliveries;
    } else if (delivery.deliveries !== hand.deliveries) {
      diverge(`${letter} says deliveries ${delivery.deliveries}, not ${hand.deliveries}`);
    }
    const found = [
      delivery.id,
      delivery.body.number,
      delivery.key,
      delivery.attempt,
      delivery.timestamp.getTime(),
      delivery.source,
    ];
    const expected = [entry.id, entry.number, entry.key, attempt, entry.sentAt, TOPIC];
    if (JSON.stringify(found) !== JSON.stringify(expected))
      diverge(`${letter} is ${found.join()}, not ${expected.join()}`);
    delivery.body.number = -1;
    return hand;
  }

  /** Until nothing moves any more; then everything is compared. */
  async rest(): Promise<void> {
    this.check();
    await this.surroundings.rest();
    this.check();
    this.guard(() => this.sync());
    this.check();
    for (const { what, answer, done } of this.promises.splice(0)) {
      if (answer.state !== 'resolved') diverge(`${what} is ${answer.state}: ${String(answer.error)}`);
      done?.();
    }
    const errors = this.errors.splice(0).map(({ message }) => message);
    const awaited = this.awaitedErrors.splice(0);
    if (errors.sort().join() !== awaited.sort().join())
      diverge(`there were errors: ${errors.join()}, not ${awaited.join()}`);
    const hands = this.hands;
    for (const group of this.groups) checkGroup(group, this.handleOf(group), this.ranges);
    this.topic.atRest(this.now);
    for (const hand of [...hands, ...this.past]) {
      const { delivery, aborted, letter } = hand;
      if (delivery !== undefined && delivery.signal.aborted !== aborted)
        diverge(`the signal of ${letter} is ${aborted ? 'not ' : ''}aborted`);
    }
    this.past = [...this.past, ...hands.filter(({ live }) => !live)].slice(-MOST_PAST);
    this.quiet = true;
  }

  async advance(by: number): Promise<void> {
    await this.rest();
    for (const end = this.now + by; this.now < end;) {
      await this.surroundings.advanceTo(Math.min(end, this.surroundings.nextDue));
      await this.rest();
    }
  }

  /** Everybody who used the broker is gone. */
  private leave(): void {
    this.calls = [];
    this.pulls = [];
    this.iterations = [];
    this.members = [];
    this.past = [];
    this.promises = [];
    this.awaitedErrors = [];
  }

  /** The process ends as it should. */
  async close(): Promise<void> {
    await this.rest();
    const pulls = this.pulls.map(({ answer }) => answer);
    await this.broker.close({ timeout: 0 });
    const { hands } = this;
    this.guard(() => this.groups.forEach((group) => group.closed()));
    this.check();
    const { pending } = this.surroundings;
    if (pending > 0) diverge(`${pending} timers are left`);
    for (const { delivery, letter } of hands) {
      if (delivery?.signal.aborted === false) diverge(`the signal of ${letter} is not aborted, and the broker closed`);
      if (delivery?.ack() === true) diverge(`${letter} could be acked, and the broker closed`);
    }
    if (pulls.some(({ state }) => state === 'pending')) diverge('somebody waits for a message, and the broker closed');
    this.leave();
  }

  /** The process ends as it must not. */
  async crash(power: boolean): Promise<void> {
    this.check();
    const { broker } = this;
    this.broker = undefined as unknown as Broker;
    await (power ? this.machine.cutPower() : this.machine.kill());
    this.leave();
    void broker;
    this.check();
  }
}

function never(): Promise<void> {
  throw new Error('what is in memory does not outlive its process');
}
