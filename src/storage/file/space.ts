import { SluiceError } from '../../errors.js';
import type { Clock } from '../../clock.js';
import type { FileSystem } from './file-system.js';
import { isNoSpace } from './file-system.js';
import type { Reserve } from './reserve.js';
import type { StorageReporter } from '../storage.js';

/** How long a look at the disk serves, ms: others write to it as well. */
const LOOK_AGAIN = 250;
/** The share of what may be used from which on it is nearly full, and the one below which it no longer is. */
const NEARLY = 0.8;
const NO_LONGER = 0.7;

export interface SpaceLimits {
  readonly maxBytes: number;
  readonly keepFree: number;
}

/**
 * Whether there is room for messages. What carries no body is never asked about: it has the reserve, which is the spare
 * segment. No byte of a body is written while there is no reserve, so that a full disk can always be drained.
 */
export class Space {
  private readonly fs: FileSystem;
  private readonly directory: string;
  private readonly clock: Clock;
  private readonly limits: SpaceLimits;
  /** Bytes used by what was begun. */
  private readonly used: () => number;
  private readonly reserve: Reserve;
  private readonly report: StorageReporter;
  /** Why the disk is full; undefined while it is not. */
  private refusal: string | undefined;
  private free = Infinity;
  private lookedAt = -Infinity;
  private looking: Promise<void> | undefined;
  private warned = false;

  constructor(
    fs: FileSystem,
    directory: string,
    clock: Clock,
    limits: SpaceLimits,
    used: () => number,
    reserve: Reserve,
    report: StorageReporter,
  ) {
    this.fs = fs;
    this.directory = directory;
    this.clock = clock;
    this.limits = limits;
    this.used = used;
    this.reserve = reserve;
    this.report = report;
  }

  get isFull(): boolean {
    return this.refusal !== undefined;
  }

  /** Whether space should be taken back from segments that would otherwise be left alone. */
  get isScarce(): boolean {
    return this.isFull || this.warned;
  }

  /** Why a batch of so many bytes must be refused, or undefined. `pending`: groups on their way. */
  refuse(bytes: number, pending: readonly { readonly length: number }[]): SluiceError | undefined {
    if (this.clock.now() - this.lookedAt >= LOOK_AGAIN) void this.look();
    if (this.refusal !== undefined) return this.error(this.refusal);
    const { maxBytes } = this.limits;
    if (maxBytes === Infinity) return undefined;
    const coming = pending.reduce((sum, { length }) => sum + length, bytes);
    if (this.used() + coming <= maxBytes) return undefined;
    this.warn({ bytes: this.used(), maxBytes });
    return this.error(`${this.used()} of ${maxBytes} bytes are used`);
  }

  /** Whether so many bytes can be allocated and leave what is to be left. */
  hasRoomFor(bytes: number): boolean {
    const { keepFree, maxBytes } = this.limits;
    return this.refusal === undefined && this.free - bytes >= keepFree && this.used() + bytes <= maxBytes;
  }

  /** What the disk has left beside what is to be kept free. */
  get rest(): number {
    return Math.max(this.free - this.limits.keepFree, 0);
  }

  /** A write was refused for want of room. */
  ranOut(why: string): SluiceError {
    this.refusal = why;
    this.warn({ bytes: this.used(), maxBytes: this.limits.maxBytes, free: this.free });
    return this.error(why);
  }

  /** Looks how much room there is, and whether there is a reserve again. Never rejects for want of room. */
  look(): Promise<void> {
    this.lookedAt = this.clock.now();
    this.looking ??= this.lookNow().finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  /** Waits for a look under way. */
  async close(): Promise<void> {
    this.lookedAt = Infinity;
    await this.looking;
  }

  stats(): Record<string, number> {
    return { full: this.isFull ? 1 : 0, ...(Number.isFinite(this.free) ? { free: this.free } : {}) };
  }

  private async lookNow(): Promise<void> {
    const { keepFree, maxBytes } = this.limits;
    try {
      this.free = await this.fs.freeBytes(this.directory);
    } catch {
      // A system that does not tell is taken at its writes.
      this.free = Infinity;
    }
    if (this.free < keepFree) {
      this.refusal = `${this.free} bytes are free, ${keepFree} are to be kept free`;
    } else if (this.refusal !== undefined) {
      try {
        await this.reserve.make();
        this.refusal = undefined;
      } catch (error) {
        if (!isNoSpace(error)) return;
      }
    }
    const used = this.used();
    if (this.free < keepFree * 2 || used > maxBytes * NEARLY || this.isFull) {
      this.warn({ bytes: used, maxBytes, free: this.free, keepFree });
    } else if (this.free > keepFree * 3 && used < maxBytes * NO_LONGER) {
      this.warned = false;
    }
  }

  private warn(details: Readonly<Record<string, number>>): void {
    if (this.warned) return;
    this.warned = true;
    const finite = Object.fromEntries(Object.entries(details).filter(([, value]) => Number.isFinite(value)));
    this.report({ type: 'nearly-full', details: { directory: this.directory, ...finite } });
  }

  private error(why: string): SluiceError {
    return new SluiceError('ERR_STORAGE_FULL', `${this.directory} has no room: ${why}`, {
      details: { directory: this.directory, bytes: this.used(), maxBytes: this.limits.maxBytes },
    });
  }
}
