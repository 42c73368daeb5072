import { SluiceError } from '../../errors.js';
import type { Appender } from './appender.js';
import { codeOf, isNoSpace, removeIfThere } from './file-system.js';
import { indexName } from './format.js';
import type { Log, LogTable } from './log-table.js';
import type { Reader } from './reader.js';
import type { RecordView } from './record.js';
import type { SegmentFiles } from './segment-files.js';
import type { Prefix, Segment, Segments } from './segment.js';
import type { Space } from './space.js';
import type { Spares } from './spares.js';
import type { Writer } from './writer.js';

/** Copied at a time, at most. */
const COPIED_ENTRIES = 256;
const COPIED_BYTES = 128 * 1024;

/**
 * A segment with less than this share of its entries live is copied forward, once nothing of it was dropped for a while:
 * what is being consumed is gone soon by itself. The second share where space is scarce, the third at once.
 */
const SPARSE = 0.5;
const SPARSE_WHEN_SCARCE = 0.8;
const ALL_BUT_GONE = 1 / 32;

export interface ReclaimerParts {
  readonly appender: Appender;
  readonly writer: Writer;
  readonly segments: Segments;
  readonly table: LogTable;
  readonly files: SegmentFiles;
  readonly reader: Reader;
  readonly spares: Spares;
  readonly space: Space;
  readonly segmentBytes: number;
  readonly onFailed: (error: unknown) => void;
}

/**
 * What is done behind the writes, one thing after the other: index files of sealed segments, spares for what comes,
 * segments with nothing live given back, and what is live in sparse ones copied to the end, so that they can be.
 */
export class Reclaimer {
  reclaimed = 0;
  copied = 0;
  private readonly parts: ReclaimerParts;
  private readonly unindexed: Segment[];
  /** Not worth a copy while so many or more of it are live. */
  private readonly notWorth = new WeakMap<Segment, number>();
  /** How many were live at the last tick. */
  private readonly lastLive = new WeakMap<Segment, number>();
  private prefix: { readonly segment: Segment; readonly prefix: Prefix } | undefined;
  private isEager = false;
  /** The last try failed. */
  private isStuck = false;
  /** Something was written since the last look. */
  private kicked = false;
  private working: Promise<void> | undefined;
  private stopped = false;

  constructor(parts: ReclaimerParts, unindexed: readonly Segment[]) {
    this.parts = parts;
    this.unindexed = [...unindexed];
  }

  sealed(segment: Segment): void {
    this.unindexed.push(segment);
  }

  /** The active segment can be indexed up to here. */
  prefixed(segment: Segment, prefix: Prefix): void {
    this.prefix = { segment, prefix };
  }

  /** Something was written: there may be something to do. */
  kick(): void {
    if (this.stopped) return;
    this.kicked = true;
    if (this.working !== undefined || !this.hasWork()) return;
    this.kicked = false;
    this.working = this.work()
      .catch((error) => this.failed(error))
      .finally(() => {
        this.working = undefined;
        // It may have looked for work just before there was some.
        if (this.kicked) this.kick();
      });
  }

  /** A while has passed. */
  tick(): void {
    this.kick();
    for (const segment of this.parts.segments.sealed) this.lastLive.set(segment, segment.live);
  }

  /** Ends after what is under way. */
  async close(): Promise<void> {
    this.stopped = true;
    await this.working;
  }

  /** Resolves when there is nothing left to do, or it cannot be done now. */
  async idle(): Promise<void> {
    this.isEager = true;
    this.isStuck = false;
    for (this.kick(); this.working !== undefined && !this.isStuck; this.kick()) await this.working;
  }

  private hasWork(): boolean {
    if (this.unindexed.length > 0 || this.prefix !== undefined) return true;
    return this.dead() !== undefined || this.victim() !== undefined || this.wantsRoll();
  }

  private async work(): Promise<void> {
    while (!this.stopped) {
      const unindexed = this.unindexed[this.unindexed.length - 1];
      const dead = this.dead();
      const victim = this.victim();
      if (dead !== undefined) await this.free(dead);
      else if (unindexed !== undefined) await this.index(unindexed);
      else if (this.prefix !== undefined) await this.indexPrefix(this.prefix);
      else if (victim !== undefined) await this.evacuate(victim);
      else if (this.wantsRoll()) await this.parts.writer.roll();
      else return;
    }
  }

  private dead(): Segment | undefined {
    return this.parts.segments.sealed.find((segment) => segment.live === 0 && segment.readers === 0);
  }

  /** The segment with the least live share, if that is little enough. */
  private victim(): Segment | undefined {
    const { segments, space, spares, appender } = this.parts;
    let share = space.isScarce ? SPARSE_WHEN_SCARCE : SPARSE;
    let victim: Segment | undefined;
    // A full disk is emptied into its reserve: by no more than half of it.
    const room = space.isScarce ? (spares.allocated + appender.room + space.rest) / 2 : Infinity;
    for (const segment of segments.sealed) {
      const live = segment.live / Math.max(segment.entries, 1);
      if (segment.live === 0 || live >= share || live * segment.end > room) continue;
      if (segment.live >= (this.notWorth.get(segment) ?? Infinity)) continue;
      const isConsumed = segment.live !== this.lastLive.get(segment) && live > ALL_BUT_GONE;
      if (isConsumed && !space.isScarce && !this.isEager) continue;
      share = live;
      victim = segment;
    }
    return victim;
  }

  /** On a full disk, what is dead in the active segment must come back as well. */
  private wantsRoll(): boolean {
    const { space, segments, spares } = this.parts;
    const { active } = segments;
    return space.isScarce && spares.ready.length > 0 && active.entries > 0 && active.live * 2 < active.entries;
  }

  /** It will say that the segment is sealed: the one that follows has to be there, after a power cut too. */
  private async index(segment: Segment): Promise<void> {
    await this.parts.appender.sync();
    await this.parts.files.writeIndex(segment);
    this.indexed(segment);
  }

  private indexed(segment: Segment): void {
    const at = this.unindexed.indexOf(segment);
    if (at >= 0) this.unindexed.splice(at, 1);
  }

  /** A crash leaves less to be read then: only what came after it. */
  private async indexPrefix({ segment, prefix }: NonNullable<Reclaimer['prefix']>): Promise<void> {
    this.prefix = undefined;
    if (segment.isSealed) return;
    await this.parts.appender.sync();
    await this.parts.files.writePrefix(segment, prefix);
  }

  /** Its index file first, on the disk in that order: an index file without its segment means that one was lost. */
  private async free(segment: Segment): Promise<void> {
    const { appender, files, segments, spares, space, segmentBytes } = this.parts;
    // What killed it must not come back to nothing after a power cut, and find it gone.
    await appender.sync();
    if (segment.readers > 0) return;
    segments.remove(segment);
    this.indexed(segment);
    await files.forget(segment.number);
    await removeIfThere(files.fs, `${files.directory}/${indexName(segment.number)}`);
    // On a full disk a spare would only keep room from those who need it.
    await spares.recycle(segment.number, segment.end <= 2 * segmentBytes && !space.isScarce && space.hasRoomFor(0));
    this.reclaimed++;
    if (space.isScarce) await space.look();
  }

  /** Copies what is live to the end: log by log, in order, so that it lies closer together than before. */
  private async evacuate(segment: Segment): Promise<void> {
    let bytes = 0;
    while (!this.stopped && segment.live > 0) {
      const range = firstLive(segment, this.parts.table);
      if (range === undefined) return void this.notWorth.set(segment, segment.live);
      const live = segment.live;
      bytes += await this.copySome(segment, range.log, range.ranges);
      // A large message among small ones that are gone is not copied from segment to segment for ever.
      const isWasted = segment.live >= live || bytes > segment.end * SPARSE;
      if (isWasted && segment.live > 0) return void this.notWorth.set(segment, segment.live / 2);
    }
  }

  private async copySome(segment: Segment, log: Log, ranges: readonly { from: number; to: number }[]): Promise<number> {
    const views: RecordView[] = [];
    let bytes = 0;
    try {
      for (const { from, to } of ranges) {
        for (let offset = from; offset < to && bytes < COPIED_BYTES;) {
          offset += await this.parts.reader.some(log, offset, to - offset, (record) => {
            views.push(record.copied());
            bytes += record.size;
            return bytes < COPIED_BYTES;
          });
        }
        if (bytes >= COPIED_BYTES) break;
      }
    } catch (error) {
      // It stays, and whoever reads what is damaged in it will be told.
      if (!SluiceError.is(error, 'ERR_STORAGE_CORRUPT')) throw error;
      this.notWorth.set(segment, 0);
      return Infinity;
    }
    await this.parts.writer.copy(log, views);
    this.copied += views.length;
    return bytes;
  }

  /** Want of room, or of descriptors, passes; it is tried again after later writes. Anything else is a failing disk. */
  private failed(error: unknown): void {
    this.isStuck = true;
    // What is dead gives room back. Anything else would fail again.
    if (this.dead() === undefined) this.kicked = false;
    if (isNoSpace(error) || codeOf(error) === 'EMFILE' || codeOf(error) === 'ENFILE') return;
    if (SluiceError.is(error)) return;
    this.parts.onFailed(error);
  }
}

/** The first live ranges of a segment, all of one log. */
function firstLive(
  segment: Segment,
  table: LogTable,
): { readonly log: Log; readonly ranges: { from: number; to: number }[] } | undefined {
  let found: { log: Log; ranges: { from: number; to: number }[] } | undefined;
  let room = COPIED_ENTRIES;
  segment.eachLive(table.byId, (log, from, to) => {
    found ??= { log, ranges: [] };
    if (found.log !== log || room === 0) return;
    const count = Math.min(to - from, room);
    room -= count;
    found.ranges.push({ from, to: from + count });
  });
  return found;
}
