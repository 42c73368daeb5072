import { Claims, overlapOpen } from './claims.js';
import type { SealedRow } from './state.js';
import { PackedPositions } from './segment-index.js';
import type { OpenPositions } from './open-positions.js';
import type { SegmentIndex } from './segment-index.js';
import type { Log } from './log-table.js';

/** The share of a segment that is written between two index files of it. */
const PREFIXES = 4;

/** What is known of a segment up to a state in it: enough for recovery to begin there. */
export interface Prefix {
  readonly end: number;
  readonly stateAt: number;
  readonly lastChecksum: number;
  readonly index: SegmentIndex;
}

/** A segment that was begun: where it ends, whose home it is, who reads it. */
export class Segment implements SealedRow {
  readonly number: number;
  end = 0;
  firstChecksum = 0;
  lastChecksum = 0;
  /** How far an index file says what is in it, or is about to, while it is the active one. */
  prefix = 0;
  /** Entries at home here that are not dropped. */
  live = 0;
  /** Reads and copies under way: its file stays while there are any. */
  readers = 0;
  /** Positions, of the active segment and until the index file is written. */
  open: OpenPositions | undefined;
  packed: PackedPositions | undefined;
  /** Of a sealed one. */
  private claims: Claims | undefined;
  private sealedEntries = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** Whether, of a segment that is to have so many bytes, enough was written for another index file that ends at `end`. */
  wantsPrefix(end: number, segmentBytes: number): boolean {
    if (end - this.prefix < segmentBytes / PREFIXES) return false;
    this.prefix = end;
    return true;
  }

  get isSealed(): boolean {
    return this.claims !== undefined;
  }

  /** Entries ever written here. */
  get entries(): number {
    return this.open?.entries ?? this.sealedEntries;
  }

  /** Nothing more is written to it. */
  seal(index: SegmentIndex): void {
    this.packed = new PackedPositions(index);
    this.claims = new Claims(index.rows);
    this.sealedEntries = index.positions.length;
    this.open = undefined;
  }

  /** As seal(), for one whose index stays on the disk. */
  claim(claims: Claims, entries: number): void {
    this.claims = claims;
    this.sealedEntries = entries;
  }

  has(log: number, offset: number): boolean {
    return this.claims === undefined ? this.open?.find(log, offset) !== undefined : this.claims.has(log, offset);
  }

  /** Calls `visit` with each part of [from, to) of a log that is at home here. */
  overlap(log: number, from: number, to: number, visit: (from: number, to: number) => void): void {
    if (this.claims !== undefined) this.claims.overlap(log, from, to, visit);
    else if (this.open !== undefined) overlapOpen(this.open, log, from, to, visit);
  }

  /** Calls `visit` with each run of offsets that is at home here. */
  each(visit: (log: number, first: number, count: number) => void): void {
    (this.claims ?? this.open)?.each(visit);
  }

  /** [from, to) of a log has its home in a later segment; for recovery, where a crash left two copies of something. */
  exclude(log: number, from: number, to: number): void {
    this.claims!.exclude(log, from, to);
  }

  /** [from, to) of a log is dropped. Its parts are told once, so that the count stays exact. */
  drop(log: number, from: number, to: number): void {
    this.overlap(log, from, to, (start, end) => {
      this.live -= end - start;
    });
  }

  /** An entry has a copy in a later segment, which is its home from now on. */
  moveAway(log: number, offset: number): void {
    this.claims!.release(log, offset, offset + 1);
    this.live--;
  }

  /** Live entries of each log at home here, in ranges. */
  eachLive(logs: ReadonlyMap<number, Log>, visit: (log: Log, from: number, to: number) => void): void {
    this.claims?.each((id, first, count) => {
      const log = logs.get(id);
      if (log === undefined) return;
      const from = Math.max(first, log.first);
      const to = Math.min(first + count, log.next);
      if (from < to) log.holes.gaps(from, to, (start, end) => visit(log, start, end));
    });
  }
}

/** All segments that count, in order; the last is the active one, where everything is written. */
export class Segments {
  readonly sealed: Segment[] = [];
  active: Segment;

  constructor(active: Segment) {
    this.active = active;
  }

  /** The home of an entry. */
  locate(log: Log, offset: number): Segment | undefined {
    if (this.active.has(log.id, offset)) return this.active;
    for (let i = this.sealed.length - 1; i >= 0; i--) {
      if (this.sealed[i]!.has(log.id, offset)) return this.sealed[i];
    }
    return undefined;
  }

  drop(log: Log, from: number, to: number): void {
    for (const segment of this.sealed) segment.drop(log.id, from, to);
    this.active.drop(log.id, from, to);
  }

  /** Bytes of everything begun. */
  get bytes(): number {
    let bytes = this.active.end;
    for (const segment of this.sealed) bytes += segment.end;
    return bytes;
  }

  remove(segment: Segment): void {
    const at = this.sealed.indexOf(segment);
    if (at >= 0) this.sealed.splice(at, 1);
  }
}
