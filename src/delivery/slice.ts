import { monotonic, nextTurn } from '../clock.js';

/** How long the engine dispatches before timers, I/O and everybody else get a turn, ms. */
const SLICE = 4;
/** Between two looks at the time: about 1 ms, and no more deliveries than this. */
const LONGEST_STRIDE = 64;
const FIRST_STRIDE = 4;

/**
 * sluice is a guest in somebody's server: after some milliseconds of dispatching without a turn of the event loop, all lanes
 * of the broker wait for one. A turn that comes by itself starts the time anew.
 */
export class Slice {
  private inTurn = false;
  private began = 0;
  private looked = 0;
  private stride = 0;
  private countdown = 0;
  private pause: Promise<void> | undefined;

  /** Asked before each delivery. true: wait for rest() first. */
  over(): boolean {
    if (this.pause !== undefined) return true;
    return this.countdown-- > 0 ? false : this.look();
  }

  rest(): Promise<void> {
    return (this.pause ??= new Promise((resolve) => {
      nextTurn(() => {
        this.pause = undefined;
        resolve();
      });
    }));
  }

  private look(): boolean {
    const now = monotonic();
    if (!this.inTurn) {
      this.inTurn = true;
      this.began = now;
      this.stride = FIRST_STRIDE;
      nextTurn(this.turned);
    } else {
      if (now - this.began >= SLICE) return true;
      const each = (now - this.looked) / this.stride;
      this.stride = Math.max(1, Math.min(LONGEST_STRIDE, Math.floor(1 / each)));
    }
    this.looked = now;
    this.countdown = this.stride - 1;
    return false;
  }

  private readonly turned = (): void => {
    this.inTurn = false;
    this.countdown = 0;
  };
}
