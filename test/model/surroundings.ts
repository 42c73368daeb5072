import { nextTurn, type Clock, type Timer } from '../../src/clock.js';
import type { Awaitable, Durability, LogRange, ReadLimit, Storage, StorageOp, StoredEntry } from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import { diverge } from './divergence.js';

/** So many turns of the event loop without anybody at work: nothing moves any more. */
const QUIET_TURNS = 4;
/** Something goes on for ever. */
const MOST_TURNS = 50_000;

/** Clock and storage of a broker, and whether it is at work: who works asks for the time, or waits for the storage. */
export class Surroundings implements Clock {
  readonly storage: Storage;
  private readonly clock: ManualClock;
  private asked = 0;
  private underWay = 0;

  /** @param start where the clock stands */
  constructor(storage: Storage, start?: number) {
    this.clock = new ManualClock(start);
    this.storage = this.watched(storage);
  }

  /** For everybody but the broker. */
  get time(): number {
    return this.clock.now();
  }

  now(): number {
    this.asked++;
    return this.clock.now();
  }

  setTimer(delay: number, fire: () => void): Timer {
    this.asked++;
    return this.clock.setTimer(delay, fire);
  }

  /** Lets everything run that can run without the time moving. */
  async rest(): Promise<void> {
    for (let turns = 0; ;) {
      for (let quiet = 0; quiet < QUIET_TURNS; turns++) {
        const { asked } = this;
        await new Promise<void>(nextTurn);
        quiet = this.asked === asked && this.underWay === 0 ? quiet + 1 : 0;
        if (turns > MOST_TURNS) diverge('something goes on for ever');
      }
      if (this.nextDue > this.time) return;
      await this.clock.advance(0);
    }
  }

  /** When something is due next; Infinity: nothing is. */
  get nextDue(): number {
    return this.clock.nextDue() ?? Infinity;
  }

  /** Timers that wait. */
  get pending(): number {
    return this.clock.pending();
  }

  advanceTo(time: number): Promise<void> {
    return this.clock.advance(time - this.time);
  }

  private watched(storage: Storage): Storage {
    const watch = <T>(answer: Awaitable<T>): Awaitable<T> => {
      this.asked++;
      if (!(answer instanceof Promise)) return answer;
      this.underWay++;
      return answer.finally(() => this.underWay--);
    };
    return {
      durability: storage.durability,
      open: (): Awaitable<ReadonlyMap<string, LogRange>> => watch(storage.open()),
      write: (batch: readonly StorageOp[], reach?: Durability): Awaitable<void> => watch(storage.write(batch, reach)),
      read: (log: string, from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]> =>
        watch(storage.read(log, from, limit)),
      close: (): Promise<void> => storage.close(),
    };
  }
}
