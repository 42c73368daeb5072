import { types } from 'node:util';
import { describe } from '../arguments.js';
import type { Body, Entry, LogRange, ReadLimit, StorageOp, StoredEntry } from '../storage/storage.js';

/** An entry as a disk has it: the head as text, the body a copy. Read back, it shares nothing with what was written. */
interface WrittenEntry {
  readonly head: string;
  readonly body: string | Uint8Array | undefined;
}

export type WrittenOp =
  | { readonly type: 'append'; readonly log: string; readonly entry: WrittenEntry }
  | Exclude<StorageOp, { readonly type: 'append' }>;

/** The bytes of an op, so to speak. @throws TypeError when its head has no JSON, or its body is neither text nor bytes */
export function writeDown(op: StorageOp): WrittenOp {
  if (op.type !== 'append') return { ...op };
  const { head, body } = op.entry;
  return { type: 'append', log: op.log, entry: { head: JSON.stringify(head), body: copy(body) } };
}

interface LogImage {
  next: number;
  /** Nothing below it is left. */
  first: number;
  readonly entries: Map<number, WrittenEntry>;
}

/** What a disk would hold after a number of batches, as naively as it can be written. */
export class DiskImage {
  private readonly logs = new Map<string, LogImage>();

  /** Another disk with the same on it. Entries are shared: nobody changes them. */
  clone(): DiskImage {
    const clone = new DiskImage();
    for (const [name, { next, first, entries }] of this.logs) {
      clone.logs.set(name, { next, first, entries: new Map(entries) });
    }
    return clone;
  }

  /** Applies a batch; returns the offset of each append, undefined for the other ops. */
  apply(batch: readonly WrittenOp[]): (number | undefined)[] {
    return batch.map((op) => {
      if (op.type === 'append') return this.append(op.log, op.entry);
      if (op.type === 'remove') this.logs.delete(op.log);
      else this.drop(op.log, op.from, op.to);
      return undefined;
    });
  }

  read(name: string, from: number, limit: ReadLimit): StoredEntry[] {
    const found: StoredEntry[] = [];
    const log = this.logs.get(name);
    if (log === undefined) return found;
    let bytes = 0;
    for (let offset = Math.max(from, log.first); offset < log.next; offset++) {
      const written = log.entries.get(offset);
      if (written === undefined) continue;
      found.push({ offset, entry: readBack(written) });
      bytes += written.head.length + (written.body?.length ?? 0);
      if (found.length >= limit.entries || bytes >= limit.bytes) break;
    }
    return found;
  }

  ranges(): Map<string, LogRange> {
    return new Map([...this.logs].map(([name, { first, next }]) => [name, { first, next }]));
  }

  private append(name: string, entry: WrittenEntry): number {
    let log = this.logs.get(name);
    if (log === undefined) this.logs.set(name, (log = { next: 0, first: 0, entries: new Map() }));
    log.entries.set(log.next, entry);
    return log.next++;
  }

  private drop(name: string, from: number, to: number): void {
    const log = this.logs.get(name);
    if (log === undefined) return;
    const end = Math.min(to, log.next);
    for (let offset = Math.max(from, log.first); offset < end; offset++) log.entries.delete(offset);
    while (log.first < log.next && !log.entries.has(log.first)) log.first++;
  }
}

function readBack({ head, body }: WrittenEntry): Entry {
  return { head: JSON.parse(head) as object, body: copy(body) };
}

function copy(body: Body): string | Uint8Array | undefined {
  if (body === undefined || typeof body === 'string') return body;
  if (types.isUint8Array(body)) return new Uint8Array(body);
  throw new TypeError(`a disk takes strings and Uint8Arrays; got ${describe(body)}`);
}
