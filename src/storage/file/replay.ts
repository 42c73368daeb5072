import { corrupt } from './format.js';
import { STATE } from './frame.js';
import type { FrameHeader } from './frame.js';
import { Log } from './log-table.js';
import type { LogTable } from './log-table.js';
import { COPY, DROP, ENTRY, LOG, RecordView, REMOVE } from './record.js';
import { decodeState, dropEnd } from './state.js';
import type { SealedRow } from './state.js';

/** Brings a table to where the frames of a segment leave it, one after the other. */
export class Replay {
  readonly table: LogTable;
  /** As the last state says. */
  sealed: readonly SealedRow[] = [];
  /** Offset and bytes of the last state. */
  stateAt = 0;
  stateBytes = 0;
  private readonly path: string;

  constructor(table: LogTable, path: string) {
    this.table = table;
    this.path = path;
  }

  /** @throws ERR_STORAGE_CORRUPT when an intact frame makes no sense */
  frame(header: FrameHeader, bytes: Buffer, from: number, to: number): void {
    try {
      if ((header.flags & STATE) !== 0) this.state(header, bytes, from, to);
      else this.records(new RecordView(bytes, from), to);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw corrupt(this.path, header.offset, `its checksum fits, but ${error.message}`, error);
    }
  }

  private state(header: FrameHeader, bytes: Buffer, from: number, to: number): void {
    const state = decodeState(bytes, from, to);
    if (state === undefined) throw new RangeError('it does not begin with a state');
    const { table } = this;
    table.written.clear();
    table.byId.clear();
    for (const log of state.logs) table.declare(log);
    table.nextId = Math.max(table.nextId, state.nextId);
    this.sealed = state.segments;
    this.stateAt = header.offset;
    this.stateBytes = to - from;
  }

  private records(record: RecordView, to: number): void {
    const { table } = this;
    for (; record.fits(to); record.at = record.next) {
      const { kind } = record;
      if (kind === COPY) continue;
      if (kind === LOG) {
        if (table.byId.has(record.log)) throw new RangeError(`log ${record.log} is declared twice`);
        table.declare(new Log(record.log, record.head()));
        continue;
      }
      const log = table.byId.get(record.log);
      if (log === undefined) throw new RangeError(`it speaks of log ${record.log}, which nobody declared`);
      if (kind === ENTRY) {
        if (record.offset !== log.next) throw new RangeError(`offset ${record.offset} follows ${log.next - 1}`);
        log.next++;
      } else if (kind === DROP) {
        log.drop(record.offset, dropEnd(record), () => {});
      } else if (kind === REMOVE) {
        table.remove(log);
      } else {
        throw new RangeError(`it has a record of kind ${kind}`);
      }
    }
  }
}
