import { FATAL, type Wait } from './configuration.js';
import { INVALID } from './expectations.js';
import { Letter, type Death, type Reason } from './letter.js';
import type { QueueModel } from './queue-model.js';
import type { Hand, Run } from './taker.js';
import type { World } from './world.js';

export type Verb = 'ack' | 'nack' | 'reject' | 'requeue';

/** What becomes of a message: acked, back to its place, dead-lettered, dropped. */
export class Fates {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
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
        this.world.expectations.expect('acked', letter, { duration: this.world.now() - hand.since }, () => {
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
        letter.queue.giveBack(letter, delay ?? 0, this.world.now());
        this.giveBackLater(hand);
        break;
    }
    return true;
  }

  extend(hand: Hand, by: number | undefined): boolean {
    if (!hand.live) return false;
    hand.deadline = this.world.now() + (by ?? hand.taker.options.ackTimeout);
    return true;
  }

  /** A handler has returned. */
  returned(run: Run): void {
    run.state = 'returned';
  }

  /** A handler has thrown: of a batch of several, what is not settled comes back one by one. `atOnce`: before it returned a promise. */
  threw(run: Run, error: Error, atOnce: boolean): void {
    run.state = 'threw';
    run.error = error;
    const { hands } = run;
    if (hands.length === 1 || hands[0]!.taker.options.ack === 'none') return;
    if (atOnce) this.comesApart(hands);
    else this.world.expectations.silently(this.world.now(), () => this.comesApart(hands));
  }

  private comesApart(hands: readonly Hand[]): void {
    for (const hand of hands) {
      if (!hand.live) continue;
      this.release(hand);
      hand.letter.queue.giveBack(hand.letter, 0, this.world.now());
      hand.letter.alone = true;
      this.world.count('batch came apart');
    }
  }

  /** What a handler has not settled goes back. */
  abandon(run: Run): void {
    for (const hand of run.hands) this.takeBack(hand);
    if (run.state === 'running') run.lost = true;
  }

  takeBack(hand: Hand): void {
    if (!hand.live) return;
    hand.aborted = true;
    this.giveUp(hand);
  }

  /** It goes back, no attempt counted. */
  giveUp(hand: Hand): void {
    if (!hand.live) return;
    this.release(hand);
    hand.letter.queue.giveBack(hand.letter, 0, this.world.now());
    this.world.count('given back');
  }

  /** An attempt has failed. */
  failed(letter: Letter, delay: number | undefined, error: string | undefined): void {
    const { queue } = letter;
    const { attempts = 5, picky, wait } = queue.configuration;
    const failures = letter.failures + 1;
    if (picky && error === FATAL) return this.die(letter, 'rejected', failures, error);
    if (failures >= attempts) return this.die(letter, 'attempts', failures, error);
    const rest = delay ?? waitAfter(wait, failures);
    letter.failures = failures;
    queue.giveBack(letter, rest, this.world.now());
    this.world.expectations.expect(
      'retried',
      letter,
      { attempt: failures, delay: rest, error },
      () => queue.books.retried++,
    );
  }

  /** In a batch, the later ones of a key go back with the one that failed. */
  private giveBackLater({ letter, run }: Hand): void {
    const { configuration } = letter.queue;
    if (configuration.ordering !== 'key' || letter.key === undefined || run === undefined) return;
    for (const hand of run.hands) {
      if (hand.letter.key === letter.key && hand.letter.place > letter.place) this.giveUp(hand);
    }
  }

  die(letter: Letter, reason: Reason, attempts: number, error: string | undefined): void {
    const { queue } = letter;
    const bounced = letter.state === 'coming';
    const to = this.wayOut(letter, reason, bounced);
    const dead = to === undefined ? undefined : new Letter(to, letter.draft);
    if (dead !== undefined) {
      dead.id = letter.id;
      dead.deaths = this.deathsOf(letter, reason, attempts, error);
      dead.arrivedAt = this.world.now();
      dead.stored = letter.stored;
    }
    letter.state = 'leaving';
    letter.hand = undefined;
    this.world.expectations.expect(
      'deadLettered',
      letter,
      { reason, to: to?.name ?? null, ...(error === INVALID ? {} : { error }) },
      () => {
        if (bounced) queue.books.accepted++;
        queue.remove(letter);
        if (to === undefined) queue.books.dropped++;
        else queue.books.deadLettered++;
        this.world.count(`${to === undefined ? 'dropped' : 'dead'}: ${reason}`);
        if (dead !== undefined) dead.id = letter.id;
      },
    );
    if (dead !== undefined) dead.queue.incoming.push(dead);
    this.arrivedElsewhere(letter);
  }

  /** What was redriven is stored where it went, or died on the way in. */
  arrivedElsewhere(letter: Letter): void {
    const { movedFrom } = letter;
    if (movedFrom === undefined) return;
    letter.movedFrom = undefined;
    movedFrom.queue.remove(movedFrom);
    movedFrom.queue.books.removed++;
    this.world.count('redriven');
  }

  /** The queue that its dead letter goes to; undefined: it is dropped. */
  wayOut(letter: Letter, reason: Reason, bounced: boolean): QueueModel | undefined {
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
    return this.world.grave(cycle ? `${queue.name}.dlq` : graveName);
  }

  private deathsOf(letter: Letter, reason: Reason, attempts: number, error: string | undefined): readonly Death[] {
    const { name } = letter.queue;
    const same = (death: Death): boolean => death.source === name && death.reason === reason;
    const count = (letter.deaths.find(same)?.count ?? 0) + 1;
    const death = { source: name, reason, at: this.world.now(), count, attempts, error };
    return [death, ...letter.deaths.filter((other) => !same(other))];
  }

  release(hand: Hand): void {
    hand.live = false;
    hand.letter.hand = undefined;
    // Settled before its handler is called, it still goes there.
    if (hand.taker.options.ack === 'none') return;
    hand.taker.gathered = hand.taker.gathered.filter((other) => other !== hand);
  }
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
