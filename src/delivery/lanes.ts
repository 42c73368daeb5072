import { AsyncLocalStorage } from 'node:async_hooks';
import PQueue from 'p-queue';

/** One slot of a consumer: a loop that takes messages, one run of the handler after the other. */
export class Lane {
  /** How many runs of the handler it began, and whether the last one goes on. */
  runs = 0;
  busy = false;
  /** Its handler did not come back in time: another lane has its slot, and it ends when the handler does. */
  lost = false;
}

/**
 * The slots of one consumer. A lane is started when it is first needed, in the async context in which its consumer was made, and
 * from then on sleeps on a promise of its own while there is nothing to take.
 *
 *     spare ──wake()──► awake: take, handle, take, …  ──sleep()──► spare
 *                          └─ handler times out: lose() ─► its slot is spare again; the lane ends with its handler
 */
export class Lanes {
  /** Slots that do nothing now: asleep, or not started yet. */
  spare: number;
  /** Lanes that take or handle. */
  awake = 0;
  private readonly pool: PQueue;
  private readonly body: (lane: Lane) => Promise<void>;
  private readonly inContext = AsyncLocalStorage.snapshot();
  private readonly sleepers: (() => void)[] = [];

  constructor(concurrency: number, body: (lane: Lane) => Promise<void>) {
    this.spare = concurrency;
    this.pool = new PQueue({ concurrency });
    this.body = body;
  }

  wake(): void {
    this.spare--;
    this.awake++;
    const sleeper = this.sleepers.pop();
    if (sleeper !== undefined) sleeper();
    else this.inContext(this.start);
  }

  sleep(): Promise<void> {
    this.spare++;
    this.awake--;
    return new Promise(this.lieDown);
  }

  /** sleep(), for a lane that can also be woken by the function it is given. That one says whether it did. */
  doze(alarm: (wake: () => boolean) => void): Promise<void> {
    this.spare++;
    this.awake--;
    return new Promise((resolve) => {
      this.sleepers.push(resolve);
      alarm(() => {
        const at = this.sleepers.indexOf(resolve);
        if (at < 0) return false;
        this.sleepers.splice(at, 1);
        this.spare--;
        this.awake++;
        resolve();
        return true;
      });
    });
  }

  /** The handler of this lane is not waited for any more. */
  lose(lane: Lane): void {
    lane.lost = true;
    this.pool.concurrency++;
    this.spare++;
    this.awake--;
  }

  /** The last word of a lane's body. */
  ended(lane: Lane): void {
    if (lane.lost) this.pool.concurrency--;
    else this.awake--;
  }

  /** Wakes all, so that they see that it is over. */
  dismiss(): void {
    while (this.sleepers.length > 0) this.wake();
  }

  private readonly start = (): void => {
    // Not on the stack of whoever sends, or makes the consumer.
    void this.pool.add(() => Promise.resolve(new Lane()).then(this.body));
  };

  private readonly lieDown = (resolve: () => void): void => {
    this.sleepers.push(resolve);
  };
}
