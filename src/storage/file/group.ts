import { describe } from '../../arguments.js';
import type { SpokenHead, StorageOp } from '../storage.js';
import { EFFECT, Effects } from './effects.js';
import { FRAME_ALIGNMENT, FRAME_HEADER } from './frame.js';
import type { Log, LogTable } from './log-table.js';
import { COPY, ENTRY, RecordBuffer } from './record.js';
import type { HeadText, RecordView, SpelledHead } from './record.js';
import { encodeDrop, encodeLogName, encodeRemove } from './state.js';

/** A frame is closed at this much payload; a batch never straddles two. Bytes. */
const FRAME_TARGET = 64 * 1024;
/** Of a buffer that is new. Bytes. */
const CAPACITY = 128 * 1024;

/** Settles the promises of the batches of one group. */
export interface Waiter {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** A batch with all that can be wrong with it found out: nothing that comes later may throw. */
export interface CheckedBatch {
  readonly ops: readonly StorageOp[];
  /** JSON of the heads, one per append, or who writes it. Undefined where all write it themselves. */
  readonly heads: readonly HeadText[] | undefined;
  /** Whether an append carries a body: such batches have no part in the reserve of a full disk. */
  readonly bodied: boolean;
  /** About what it will take on the disk. Bytes. */
  readonly bytes: number;
}

interface Member {
  readonly batch: CheckedBatch;
  readonly waiter: Waiter;
}

/**
 * The batches that share one write, encoded as they come: frames one after the other, their headers still open. What they
 * do is kept, and done when the write is.
 */
export class Group {
  readonly buffer = new RecordBuffer(CAPACITY);
  readonly effects = new Effects();
  /** Where each frame begins in the buffer. */
  readonly frames: number[] = [];
  /** Batches without bodies: where a disk is full they are tried again. */
  readonly members: Member[] = [];
  /** Whether anybody waits for the disk, and not only for the operating system. */
  toDisk = false;
  /** Written even when there is nothing in it: a frame that only says how far everything is synced. */
  isMark = false;
  /** Begins a new segment, however much room there is in this one. */
  rolls = false;
  hasBodies = false;

  private bodied: Waiter | undefined = undefined;
  private bodiless: Waiter | undefined = undefined;

  /** Empties one that is done with, to be filled again. */
  clear(): void {
    this.buffer.length = 0;
    this.frames.length = 0;
    this.members.length = 0;
    this.toDisk = this.isMark = this.rolls = this.hasBodies = false;
    this.effects.count = 0;
    this.bodied = this.bodiless = undefined;
  }

  get isEmpty(): boolean {
    return this.frames.length === 0;
  }

  /** Bytes that the records take, frame headers included. */
  get length(): number {
    return this.buffer.length;
  }

  /** Encodes a batch; the promise is settled with the group. */
  add(batch: CheckedBatch, table: LogTable, waiter?: Waiter): Promise<void> {
    const settled = waiter ?? this.waiterOf(batch.bodied);
    if (batch.bodied) this.hasBodies = true;
    else this.members.push({ batch, waiter: settled });
    this.beginRecords();
    let append = 0;
    const { ops, heads } = batch;
    for (let i = 0; i < ops.length; i++) {
      const op = ops[i]!;
      if (op.type === 'append') {
        const log = table.assigned.get(op.log) ?? this.declare(op.log, table);
        const offset = log.assigned++;
        op.offset = offset;
        const head = heads === undefined ? (op.entry.head as SpelledHead) : heads[append++];
        const body = op.entry.body as string | Uint8Array | undefined;
        this.effects.add(EFFECT.append, log, offset, this.buffer.record(ENTRY, offset, log.id, head, body));
      } else {
        const log = table.assigned.get(op.log);
        if (log === undefined) continue;
        if (op.type === 'drop') this.drop(log, op.from, op.to);
        else {
          table.assigned.delete(op.log);
          encodeRemove(this.buffer, log.id);
          this.effects.add(EFFECT.remove, log, 0, 0);
        }
      }
    }
    this.endRecords();
    return settled.promise;
  }

  /** Entries of `log` as they stand elsewhere, to be written once more; `view` moves from one to the next. */
  addCopies(log: Log, views: Iterable<RecordView>): Promise<void> {
    this.beginRecords();
    for (const view of views) this.effects.add(EFFECT.copy, log, view.offset, this.buffer.copy(COPY, view));
    this.endRecords();
    return this.waiterOf(false).promise;
  }

  /** Settled when the group is written, of a group without batches too. */
  whenWritten(): Promise<void> {
    return this.waiterOf(false).promise;
  }

  resolve(): void {
    this.settle((waiter) => waiter.resolve());
  }

  /** Rejects all who wait, but for those that wait for another group by now. */
  reject(error: Error, kept?: ReadonlySet<Waiter>): void {
    this.settle((waiter) => {
      if (kept === undefined || !kept.has(waiter)) waiter.reject(error);
    });
  }

  private settle(how: (waiter: Waiter) => void): void {
    const waiters = new Set(this.members.map((member) => member.waiter));
    if (this.bodied !== undefined) waiters.add(this.bodied);
    if (this.bodiless !== undefined) waiters.add(this.bodiless);
    for (const waiter of waiters) how(waiter);
  }

  private waiterOf(bodied: boolean): Waiter {
    if (bodied) return (this.bodied ??= makeWaiter());
    return (this.bodiless ??= makeWaiter());
  }

  private declare(name: string, table: LogTable): Log {
    const log = table.assign(name);
    encodeLogName(this.buffer, log.id, name);
    this.effects.add(EFFECT.declare, log, 0, 0);
    return log;
  }

  private drop(log: Log, from: number, to: number): void {
    const end = Math.min(to, log.assigned);
    if (from >= end) return;
    encodeDrop(this.buffer, log.id, from, end);
    this.effects.add(EFFECT.drop, log, from, end);
  }

  private beginRecords(): void {
    const open = this.frames[this.frames.length - 1];
    if (open !== undefined && this.length - open < FRAME_TARGET) return;
    this.beginFrame();
  }

  /** A frame begins at a multiple of 8; what pads the one before it is zero, and no part of its payload. */
  beginFrame(): void {
    this.buffer.pad(FRAME_ALIGNMENT);
    this.frames.push(this.length);
    this.buffer.reserve(FRAME_HEADER);
    this.buffer.length += FRAME_HEADER;
  }

  private endRecords(): void {
    const open = this.frames[this.frames.length - 1]!;
    // Nothing came of it (drops in logs that are gone): no frame for nothing.
    if (this.length === open + FRAME_HEADER && !this.isMark) {
      this.buffer.length = open;
      this.frames.pop();
    }
  }
}

function makeWaiter(): Waiter {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}

/** Longest body and head that a record can hold; far below what u32 offsets in a segment allow. */
const LARGEST_BATCH = 2 ** 30;

/**
 * @throws TypeError for a body that is neither a string nor a Uint8Array, or a head without JSON; RangeError for a batch
 * over 1 GiB; whatever a head's toJSON throws
 */
export function checkBatch(ops: readonly StorageOp[]): CheckedBatch {
  let heads: HeadText[] | undefined;
  let bodied = false;
  let bytes = FRAME_HEADER;
  let last: object | undefined;
  for (let i = 0; i < ops.length; i++) {
    const op = ops[i]!;
    bytes += 32;
    if (op.type !== 'append') continue;
    const { head, body } = op.entry as { head: object & Partial<SpokenHead>; body?: unknown };
    const { spelled } = head;
    if (spelled && heads === undefined) bytes += spelled;
    else {
      heads ??= spelledOf(ops, i);
      // Entries that go to several logs share their head.
      const text = head === last ? heads[heads.length - 1]! : textOf(head);
      if (text === undefined) throw new TypeError(`a head must have JSON; got ${describe(head)}`);
      last = head;
      heads.push(text);
      bytes += typeof text === 'string' ? text.length : text.spelled;
    }
    if (body === undefined) continue;
    bodied = true;
    if (typeof body === 'string') bytes += body.length;
    else if (body instanceof Uint8Array) bytes += body.byteLength;
    else throw new TypeError(`a body must be a string or a Uint8Array in a file; got ${describe(body)}`);
  }
  if (bytes > LARGEST_BATCH) throw new RangeError(`a batch must be under ${LARGEST_BATCH} bytes; got about ${bytes}`);
  return { ops, heads, bodied, bytes };
}

/** The heads of the first appends, all of which write their JSON themselves. */
function spelledOf(ops: readonly StorageOp[], end: number): HeadText[] {
  return ops.slice(0, end).flatMap((op) => (op.type === 'append' ? [op.entry.head as SpelledHead] : []));
}

function textOf(head: object & Partial<SpokenHead>): HeadText | undefined {
  if (head.spelled) return head as SpelledHead;
  return typeof head.json === 'function' ? head.json() : JSON.stringify(head);
}
