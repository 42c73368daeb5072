import { types } from 'node:util';
import { checkInteger, checkOptions, describe } from '../arguments.js';
import { SluiceError } from '../errors.js';
import { MemoryLog } from './memory-log.js';
import type {
  Awaitable,
  Body,
  Durability,
  LogRange,
  OpenLog,
  ReadLimit,
  Remake,
  Storage,
  StorageOp,
  StoredEntry,
} from './storage.js';

export interface MemoryStorageOptions {
  /**
   * Bytes held at most: of each entry with a body the body, encoded (strings as UTF-8), and 100 for its head.
   * Default: no limit, and nothing is counted.
   */
  readonly maxBytes?: number | undefined;
}

/** What an entry with a body counts towards `maxBytes` beside it: about what a head and its slots take on the heap. */
const ENTRY_BYTES = 100;

const OPTIONS = new Set(['maxBytes']);

/**
 * Keeps entries on the heap, and nothing after close(). Everything is answered at once: no method but close() returns a
 * promise, and what goes wrong is thrown. Heads and bodies are kept and given back as they are, not copied: the codecs
 * see to it that nobody else holds them (`reference` does not, and says so).
 *
 * With `maxBytes`, a write whose appends would go past it throws ERR_STORAGE_FULL; what carries no body
 * (acknowledgements, drops, cursors) goes on, and what it drops makes room for later writes. Bodies must be strings or
 * Uint8Arrays then (TypeError), since the size of anything else is unknown.
 */
export class MemoryStorage implements Storage {
  readonly durability = 'memory';
  private readonly logs = new Map<string, MemoryLog>();
  private readonly maxBytes: number | undefined;
  private bytes = 0;
  private closed = false;
  private lastName: string | undefined;
  private lastLog: MemoryLog | undefined;

  /** @throws TypeError, RangeError when `maxBytes` is not a whole number from 1, or an option is unknown */
  constructor(options?: MemoryStorageOptions) {
    checkOptions(options, 'options', OPTIONS);
    const maxBytes = options?.maxBytes;
    if (maxBytes !== undefined) checkInteger(maxBytes, 'options.maxBytes', 1, Number.MAX_SAFE_INTEGER, true);
    this.maxBytes = maxBytes === Infinity ? undefined : maxBytes;
  }

  /** The logs there are. After close() it is usable again, and empty. */
  open(): Awaitable<ReadonlyMap<string, LogRange>> {
    this.closed = false;
    const ranges = new Map<string, LogRange>();
    for (const [name, log] of this.logs) ranges.set(name, log.range());
    return ranges;
  }

  /** Done when it returns, whatever `reach` asks for: more than memory there is not. */
  write(batch: readonly StorageOp[], _reach?: Durability): Awaitable<void> {
    if (this.closed) throw closedError();
    const counted = this.maxBytes !== undefined;
    if (counted) this.checkRoom(batch, this.maxBytes);
    // Nothing from here on can fail: a batch is applied whole.
    for (let i = 0; i < batch.length; i++) {
      const op = batch[i]!;
      if (op.type === 'append') {
        const { head, body } = op.entry;
        const size = counted ? sizeOf(body) : 0;
        this.bytes += size;
        op.offset = this.log(op.log).append(head, body, size);
      } else if (op.type === 'drop') {
        const log = this.logs.get(op.log);
        if (log !== undefined) this.bytes -= log.drop(op.from, op.to);
      } else {
        this.remove(op.log);
      }
    }
  }

  /** @internal Of one who counts bytes, or a class of somebody's own that looks at what is written, write() sees everything. */
  openLog(name: string, remake: Remake): OpenLog | undefined {
    if (this.closed || this.maxBytes !== undefined || this.write !== MemoryStorage.prototype.write) return undefined;
    const log = this.log(name);
    log.remake = remake;
    return log;
  }

  /** The very heads and bodies that were written; but plain heads of the engine, which may be made anew. */
  read(log: string, from: number, limit: ReadLimit): Awaitable<readonly StoredEntry[]> {
    if (this.closed) throw closedError();
    return this.logs.get(log)?.read(from, limit) ?? [];
  }

  /** Forgets everything. */
  close(): Promise<void> {
    this.closed = true;
    for (const log of this.logs.values()) log.close(closedError());
    this.logs.clear();
    this.lastName = undefined;
    this.bytes = 0;
    return Promise.resolve();
  }

  /** The log of this name, made if there is none. Often it is the one that was asked for last. */
  private log(name: string): MemoryLog {
    if (name === this.lastName) return this.lastLog!;
    let log = this.logs.get(name);
    if (log === undefined) this.logs.set(name, (log = new MemoryLog()));
    this.lastName = name;
    this.lastLog = log;
    return log;
  }

  private remove(name: string): void {
    const log = this.logs.get(name);
    if (log === undefined) return;
    this.bytes -= log.drop(0, log.next);
    this.logs.delete(name);
    this.lastName = undefined;
  }

  /** Refuses a batch that does not fit, before anything of it is applied. */
  private checkRoom(batch: readonly StorageOp[], maxBytes: number): void {
    let needed = 0;
    for (const op of batch) if (op.type === 'append') needed += sizeOf(op.entry.body);
    if (this.bytes + needed <= maxBytes) return;
    throw new SluiceError(
      'ERR_STORAGE_FULL',
      `no room for ${needed} bytes more: ${this.bytes} of ${maxBytes} are used`,
      {
        details: { maxBytes, bytes: this.bytes, needed },
      },
    );
  }
}

function sizeOf(body: Body): number {
  if (body === undefined) return 0;
  if (typeof body === 'string') return ENTRY_BYTES + Buffer.byteLength(body);
  if (types.isUint8Array(body)) return ENTRY_BYTES + body.byteLength;
  throw new TypeError(
    `with maxBytes a body must be a string or a Uint8Array, as every codec but reference makes it; got ${describe(body)}`,
  );
}

function closedError(): SluiceError {
  return new SluiceError('ERR_CLOSED', 'the storage is closed');
}
