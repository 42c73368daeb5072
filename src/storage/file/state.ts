import { Log } from './log-table.js';
import type { LogTable } from './log-table.js';
import { DROP, LOG, readU64, RecordView, REMOVE, STATE_LOG, STATE_NEXT, STATE_SEGMENT, writeU64 } from './record.js';
import type { RecordBuffer } from './record.js';

/** A segment that is sealed and still needed, as a state names it. */
export interface SealedRow {
  readonly number: number;
  readonly end: number;
  readonly lastChecksum: number;
}

/**
 * The state of everything: which segments count and where they end, which logs there are and what of them exists. It
 * stands at the start of every segment and now and then in between, so that the frames that said so first can go.
 */
export interface State {
  readonly segments: readonly SealedRow[];
  readonly logs: readonly Log[];
  readonly nextId: number;
}

export function encodeState(target: RecordBuffer, segments: readonly SealedRow[], table: LogTable): void {
  target.record(STATE_NEXT, 0, table.nextId, undefined, undefined);
  for (const { number, end, lastChecksum } of segments) {
    const body = Buffer.alloc(4);
    body.writeUInt32LE(lastChecksum, 0);
    target.record(STATE_SEGMENT, end, number, undefined, body);
  }
  for (const log of table.written.values()) {
    const { holes } = log;
    const body = Buffer.alloc(8 + holes.length * 16);
    writeU64(body, log.next, 0);
    for (let i = 0; i < holes.length; i++) {
      writeU64(body, holes.starts[i]!, 8 + i * 16);
      writeU64(body, holes.ends[i]!, 16 + i * 16);
    }
    target.record(STATE_LOG, log.first, log.id, log.name, body);
  }
}

/** Reads a payload that begins with a state; undefined when it does not. Throws RangeError where it makes no sense. */
export function decodeState(bytes: Buffer, from: number, to: number): State | undefined {
  const record = new RecordView(bytes, from);
  const begins = record.fits(to) && record.kind === STATE_NEXT;
  if (!begins) return undefined;
  const nextId = record.log;
  const segments: SealedRow[] = [];
  const logs: Log[] = [];
  for (record.at = record.next; record.fits(to); record.at = record.next) {
    const kind: number = record.kind;
    if (kind === STATE_SEGMENT) {
      segments.push({ number: record.log, end: record.offset, lastChecksum: bytes.readUInt32LE(record.bodyAt) });
    } else if (kind === STATE_LOG) {
      logs.push(decodeLog(record));
    } else {
      throw new RangeError(`a state has a record of kind ${kind}`);
    }
  }
  return { segments, logs, nextId };
}

function decodeLog(record: RecordView): Log {
  const log = new Log(record.log, record.head());
  const { bytes, bodyAt } = record;
  log.first = record.offset;
  log.next = log.assigned = readU64(bytes, bodyAt);
  const holes = (record.size - record.headLength - 8) / 16;
  for (let i = 0; i < holes; i++) {
    log.holes.add(readU64(bytes, bodyAt + 8 + i * 16), readU64(bytes, bodyAt + 16 + i * 16));
  }
  return log;
}

export function encodeDrop(target: RecordBuffer, log: number, from: number, to: number): void {
  const body = Buffer.allocUnsafe(8);
  writeU64(body, to, 0);
  target.record(DROP, from, log, undefined, body);
}

export function dropEnd(record: RecordView): number {
  return readU64(record.bytes, record.bodyAt);
}

export function encodeLogName(target: RecordBuffer, log: number, name: string): void {
  target.record(LOG, 0, log, name, undefined);
}

export function encodeRemove(target: RecordBuffer, log: number): void {
  target.record(REMOVE, 0, log, undefined, undefined);
}
