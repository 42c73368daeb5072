import { Broker, MemoryStorage, type Topic } from '../../../src/index.js';
import { MACHINES, type Machine } from '../../broker/machines.js';
import { diverge } from '../divergence.js';
import { Minutes, type Census } from '../minutes.js';
import { Surroundings } from '../surroundings.js';
import type { Watched } from '../../watched.js';
import { optionsOf, TOPIC, type Configuration, type GroupConfiguration } from './configuration.js';
import { Entries } from './entries.js';
import { PULLER, type Body, type Hand, type Message } from './hand.js';
import { Ledger } from './ledger.js';
import { listen } from './listening.js';
import type { Call, Consuming } from './members.js';
import { checkAtRest } from './rest.js';

/** receive(), or the next() of an iterator. */
export interface Pull {
  readonly ledger: Ledger;
  readonly answer: Watched<Message | undefined>;
  readonly abort: AbortController | undefined;
  /** It waits no longer than that. */
  readonly until: number;
}

export interface Iteration {
  readonly ledger: Ledger;
  readonly iterator: AsyncIterator<Message>;
  pull: Pull | undefined;
}

/** What has to be answered when nothing moves any more. */
interface Promised {
  readonly what: string;
  readonly answer: Watched<unknown>;
  readonly done?: () => void;
}

/** Late verbs are tried on so many of the messages that were in hand last. */
const MOST_PAST = 24;

/** One broker after the other on one machine, everything that their users hold on to, and what is known of all this. */
export class Driver extends Minutes {
  readonly configuration: Configuration;
  readonly seed: number;
  readonly entries = new Entries();
  ledgers: Ledger[] = [];
  surroundings!: Surroundings;
  broker!: Broker;
  handle!: Topic<Body>;
  calls: Call[] = [];
  pulls: Pull[] = [];
  iterations: Iteration[] = [];
  consumers: Consuming[] = [];
  hands: Hand[] = [];
  past: Hand[] = [];
  promises: Promised[] = [];
  idles: { readonly ledger: Ledger; readonly answer: Watched<void> }[] = [];
  quiet = true;
  /** Messages made, consumers made. */
  numbers = 0;
  errors: Error[] = [];
  /** What `error` events have to tell. */
  awaitedErrors: string[] = [];
  readonly machine: Machine;

  constructor(configuration: Configuration, seed: number, census: Census, log: string[] | undefined) {
    super(census, log);
    this.configuration = configuration;
    this.seed = seed;
    const machine = MACHINES.find(({ name }) => name === configuration.machine);
    this.machine = machine?.start(seed) ?? { storage: () => new MemoryStorage(), kill: never, cutPower: never };
  }

  get now(): number {
    return this.surroundings.time;
  }

  /** As guard(), as long as the process lives that runs now. */
  get process(): { readonly guard: (work: () => void) => void } {
    const { broker } = this;
    return {
      guard: (work) => {
        if (broker === this.broker) this.guard(work);
      },
    };
  }

  get lasts(): boolean {
    return this.configuration.machine !== 'MemoryStorage';
  }

  async open(): Promise<void> {
    await this.begin(undefined);
    for (const configuration of this.configuration.groups) this.declare(configuration);
    await this.broker.flush();
  }

  /** A process begins on the machine. `opened`: told when the groups are declared, and nothing has moved yet. */
  async begin(time: number | undefined, opened?: () => void): Promise<void> {
    this.surroundings = new Surroundings(this.machine.storage(), time);
    const { storage } = this.surroundings;
    this.errors = [];
    this.broker = await Broker.open({ storage, clock: this.surroundings });
    listen(this);
    const { retention } = this.configuration;
    const partitions = Math.max(this.configuration.partitions, this.entries.partitions.length);
    this.entries.grow(partitions);
    this.handle = this.broker.topic<Body>(TOPIC, { partitions, retention });
    for (const ledger of this.ledgers) this.follow(ledger);
    opened?.();
    this.sync();
  }

  declare(configuration: GroupConfiguration): void {
    this.note(() => `declare ${JSON.stringify(configuration)}`);
    this.sync();
    const ledger = new Ledger(
      configuration,
      this.entries,
      () => this.now,
      (outcome) => this.count(outcome),
    );
    this.ledgers.push(ledger);
    this.follow(ledger);
  }

  /** When the engine moves a group is its own business: what becomes of it is not. */
  private follow(ledger: Ledger): void {
    ledger.handle = this.handle.group(ledger.name, optionsOf(ledger.configuration));
    const { position } = ledger.handle;
    const move = position.move.bind(position);
    position.move = (partition, offset, reason) => {
      this.guard(() => {
        this.sync();
        const to = this.entries.locate(offset, partition.number);
        this.note(() => `    ${ledger.name} goes to ${partition.number}@${to}`);
        ledger.moved(partition.number, to);
      });
      move(partition, offset, reason);
    };
  }

  ledgerOf({ letter }: Hand): Ledger | undefined {
    const { partition, offset } = letter.entry;
    return this.ledgers.find(({ letters }) => letters[partition]?.[offset] === letter);
  }

  /** What retention did since it was last asked. */
  sync(): void {
    const { ranges: before } = this.entries;
    const after = this.handle.stats().partitions;
    before.forEach(({ first }, number) => {
      if (after[number]!.first < first)
        diverge(`partition ${number} begins at ${after[number]!.first}, and was at ${first}`);
    });
    this.entries.ranges = after;
    for (const ledger of this.ledgers) ledger.trimmed(before, after);
  }

  /** Until nothing moves any more; then everything is compared. */
  async rest(): Promise<void> {
    this.check();
    await this.surroundings.rest();
    this.check();
    this.sync();
    for (const { what, answer, done } of this.promises.splice(0)) {
      if (answer.state !== 'resolved') diverge(`${what} is ${answer.state}: ${String(answer.error)}`);
      done?.();
    }
    this.pulls = this.pulls.filter(({ answer }) => answer.state === 'pending');
    if (this.pulls.some(({ until }) => until <= this.now)) diverge('a receive() waits too long');
    const errors = this.errors.splice(0).map(({ message }) => message);
    const awaited = this.awaitedErrors.splice(0);
    if (errors.join() !== awaited.join()) diverge(`there were errors: ${errors.join()}, not ${awaited.join()}`);
    for (const ledger of this.ledgers) {
      const pulling = ledger.members.get(PULLER);
      if (pulling !== undefined) pulling.waiting = this.pulls.filter((pull) => pull.ledger === ledger).length;
      checkAtRest(ledger);
    }
    this.check();
    this.checkIdle();
    this.past = [...this.past, ...this.hands.filter(({ over }) => over)].slice(-MOST_PAST);
    this.hands = this.ledgers.flatMap((ledger) => [...ledger.hands()]).filter(({ delivery }) => delivery !== undefined);
    this.quiet = true;
  }

  /** Who waits for a group to have nothing to do is told. */
  private checkIdle(): void {
    for (const { ledger, answer } of this.idles) {
      const { members, letters, name, handle } = ledger;
      const busy = [...members.values()].some(({ hands, running }) => hands.size > 0 || running.size > 0);
      if (busy || handle.stats().unacked > 0 || letters.flat().some(({ suspect }) => suspect)) continue;
      if (answer.state === 'pending') diverge(`${name} has nothing to do, and idle() waits`);
    }
    this.idles = this.idles.filter(({ answer }) => answer.state === 'pending');
  }

  /** From one moment at which something is due to the next. */
  async advance(by: number): Promise<void> {
    await this.rest();
    for (const end = this.now + by; this.now < end;) {
      await this.surroundings.advanceTo(Math.min(end, this.surroundings.nextDue));
      await this.rest();
    }
  }

  /** Everybody who used the broker is gone. */
  leave(): void {
    this.calls = [];
    this.pulls = [];
    this.iterations = [];
    this.consumers = [];
    this.hands = [];
    this.past = [];
    this.promises = [];
    this.idles = [];
    this.awaitedErrors = [];
    for (const ledger of this.ledgers) {
      ledger.members = new Map();
      ledger.assignment = {};
      ledger.paused = false;
    }
  }
}

function never(): Promise<void> {
  throw new Error('what is in memory does not outlive its process');
}
