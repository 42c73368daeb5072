import { nextTurn } from '../../clock.js';
import { SluiceError } from '../../errors.js';
import type { Durability } from '../storage.js';
import type { Appender } from './appender.js';
import type { Chain, Place } from './chain.js';
import { isNoSpace } from './file-system.js';
import { FRAME_ALIGNMENT } from './frame.js';
import { Group } from './group.js';
import type { CheckedBatch, Waiter } from './group.js';
import type { Log, LogTable } from './log-table.js';
import type { Pace } from './pace.js';
import { publish } from './publish.js';
import { OpenPositions } from './open-positions.js';
import type { Reserve } from './reserve.js';
import { Segment } from './segment.js';
import type { Prefix, Segments } from './segment.js';
import type { Space } from './space.js';
import type { Spares } from './spares.js';

/** A group takes no more batches from this size on, bytes; where room may be missing, soon: it is refused as a whole. */
const LARGEST_GROUP = 4 * 1024 * 1024;
const LARGEST_WHEN_SCARCE = 64 * 1024;
/** Groups up to this size are filled again. Bytes. */
const LARGEST_KEPT = 1024 * 1024;
/** A state is written after this share of a segment, or eight times its own size where that is more. */
const STATES = 16;

export interface WriterParts {
  readonly appender: Appender;
  readonly spares: Spares;
  readonly reserve: Reserve;
  readonly segments: Segments;
  readonly table: LogTable;
  readonly segmentBytes: number;
  /** What a write reaches unless it says otherwise. */
  readonly durability: Durability;
  readonly pace: Pace;
  readonly chain: Chain;
  /** Bytes written since the last state. */
  readonly sinceState: number;
  /** The next segment is begun: the index of this one may say so. */
  readonly onSealed: (segment: Segment) => void;
  /** The active segment has a state at which an index can end. */
  readonly onPrefix: (segment: Segment, prefix: Prefix) => void;
  /** Something was written: positions and logs are up to date. */
  readonly onWritten: () => void;
  readonly onFailed: (error: SluiceError) => void;
}

/**
 * Group commit. Batches are encoded as they come, into the group that will be written next; one write is under way at a
 * time, and when it is done all who waited for it go on, and the next group leaves. Messages wait until the event loop turns
 * for those that are sent with them; what has no bodies was gathered by whoever wrote it, and leaves at once.
 */
export class Writer {
  /** Set by the owner: it needs the writer. */
  space!: Space;
  failure: SluiceError | undefined;
  private readonly parts: WriterParts;
  private readonly queue: Group[] = [];
  private isWriting = false;
  private scheduled = false;
  /**
   * Groups that are done with, to be filled again. A full collection that finds no group makes V8 forget the shape of groups,
   * and all code that was compiled for it.
   */
  private readonly spent: Group[] = [];
  private sinceState: number;
  private idle: (() => void)[] = [];

  constructor(parts: WriterParts) {
    this.parts = parts;
    this.sinceState = parts.sinceState;
  }

  write(batch: CheckedBatch, reach: Durability): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (batch.bodied) {
      const refusal = this.space.refuse(batch.bytes, this.queue);
      if (refusal !== undefined) return Promise.reject(refusal);
    }
    const group = this.group();
    if (reach === 'disk') group.toDisk = true;
    const done = group.add(batch, this.parts.table);
    if (!group.hasBodies || this.parts.pace.isEnough(group)) this.start();
    else this.schedule();
    return done;
  }

  /** Entries of a log once more, at the end. Resolves when they are written. */
  copy(log: Log, views: Parameters<Group['addCopies']>[1]): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const group = this.group();
    group.toDisk ||= this.parts.durability === 'disk';
    const done = group.addCopies(log, views);
    this.schedule();
    return done;
  }

  /** A frame that says that everything before it is on the disk: damage there is no torn tail from then on. */
  mark(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const group = this.group();
    group.toDisk = group.isMark = true;
    this.schedule();
    return group.whenWritten();
  }

  /** Ends the active segment. Resolves when the next one is begun. */
  roll(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const group = this.group();
    group.rolls = group.isMark = true;
    this.schedule();
    return group.whenWritten();
  }

  /** Resolves when nothing waits to be written. */
  async drained(): Promise<void> {
    if (!this.isWriting && this.queue.length === 0) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  /** The last thing to be written: the state, on the disk. Returns where it begins. Nothing may be under way. */
  async finish(): Promise<number> {
    const { appender, segments, table } = this.parts;
    await appender.sync();
    const at = appender.end;
    const state = this.parts.chain.state(segments.sealed, table, this.place(at));
    await appender.append([state], true);
    if (at === 0) segments.active.firstChecksum = this.parts.chain.previous;
    segments.active.open!.frame(at);
    segments.active.end = appender.end;
    segments.active.lastChecksum = this.parts.chain.previous;
    return at;
  }

  private group(): Group {
    const last = this.queue[this.queue.length - 1];
    const largest = this.space.isScarce ? LARGEST_WHEN_SCARCE : LARGEST_GROUP;
    if (last !== undefined && last.length < largest) return last;
    const group = this.spent.pop() ?? new Group();
    this.queue.push(group);
    return group;
  }

  private schedule(): void {
    if (this.scheduled || this.isWriting) return;
    this.scheduled = true;
    nextTurn(this.start);
  }

  private readonly start = (): void => {
    this.scheduled = false;
    if (this.queue.length === 0 || this.isWriting) return;
    this.isWriting = true;
    void this.commit(this.queue.splice(0, 1)[0]!);
  };

  private async commit(group: Group): Promise<void> {
    const { pace } = this.parts;
    const began = pace.time();
    try {
      if (!group.isEmpty || group.isMark) await this.put(group);
      else if (group.toDisk && !this.parts.appender.isSynced) await this.parts.appender.sync();
    } catch (error) {
      await this.refused(group, error);
      return this.goOn();
    }
    pace.wrote(group, began, this.queue[0]);
    this.goOn();
    group.resolve();
    if (group.buffer.bytes.byteLength <= LARGEST_KEPT && this.spent.length < 4) {
      group.clear();
      this.spent.push(group);
    }
    this.parts.onWritten();
  }

  /** Nothing is under way. Whoever waited and sends again in the same turn is in time for the next group, unless it has enough. */
  private goOn(): void {
    this.isWriting = false;
    const next = this.queue[0];
    if (next === undefined) for (const resolve of this.idle.splice(0)) resolve();
    else if (!next.hasBodies || this.parts.pace.isEnough(next)) this.start();
    else this.schedule();
  }

  private async put(group: Group): Promise<void> {
    const { appender, chain, reserve, segmentBytes, segments, table } = this.parts;
    // Awaited only where it has to be: who waits for the write before would come first.
    if (group.hasBodies && !reserve.isThere) await reserve.make();
    if (group.rolls ? appender.end > 0 : this.mustRoll(group)) await this.begin();
    if (group.isMark && group.isEmpty) group.beginFrame();
    group.buffer.pad(FRAME_ALIGNMENT);

    const start = appender.end;
    const { previous } = chain;
    const hasState = start === 0 || this.sinceState >= Math.max(segmentBytes / STATES, 8 * chain.stateBytes);
    const parts = hasState ? [chain.state(segments.sealed, table, this.place(start))] : [];
    const first = chain.previous;
    const base = start + (parts[0]?.byteLength ?? 0);
    chain.sealGroup(group, this.place(base));
    parts.push(group.buffer.bytes.subarray(0, group.length));
    try {
      await appender.append(parts, group.toDisk);
    } catch (error) {
      chain.rewind(previous);
      throw error;
    }
    const { active } = segments;
    if (start === 0) {
      active.firstChecksum = first;
      const before = segments.sealed.at(-1);
      if (before?.packed !== undefined) this.parts.onSealed(before);
    }
    if (hasState) {
      active.open!.frame(start);
      if (active.wantsPrefix(base, segmentBytes)) {
        this.parts.onPrefix(active, { end: base, stateAt: start, lastChecksum: first, index: active.open!.pack() });
      }
    }
    this.sinceState = hasState ? group.length : this.sinceState + group.length;
    active.end = appender.end;
    active.lastChecksum = chain.previous;
    publish(group, base, segments, table);
  }

  private place(offset: number): Place {
    const { segment, synced } = this.parts.appender;
    return { segment, offset, synced };
  }

  private mustRoll(group: Group): boolean {
    const { appender, segments, segmentBytes } = this.parts;
    // Never a segment with nothing but its state: a large one in small segments would fill the disk by itself.
    const isWorn = appender.end > 2 * this.parts.chain.stateBytes;
    return appender.end > 0 && isWorn && segments.active.end + group.length > segmentBytes;
  }

  /** Goes on in the next segment. Its first frame, the state, is written with what comes first. */
  private async begin(): Promise<void> {
    const { appender, spares, segments } = this.parts;
    const file = await spares.take();
    await appender.begin(file);
    const old = segments.active;
    segments.active = new Segment(file.number);
    segments.active.open = new OpenPositions();
    const index = old.open!.pack();
    old.seal(index);
    segments.sealed.push(old);
  }

  /** A write did not happen. For want of room: what carries no body tries again, from the reserve. Otherwise: the end. */
  private async refused(group: Group, error: unknown): Promise<void> {
    const { appender, spares } = this.parts;
    const groups = [group, ...this.queue.splice(0)];
    if (!isNoSpace(error)) return this.fail(groups, error);
    try {
      await appender.undo();
    } catch (failed) {
      return this.fail([...groups, ...this.queue.splice(0)], failed);
    }
    groups.push(...this.queue.splice(0));
    const full = this.space.ranOut((error as Error).message);
    const again = new Group();
    this.parts.table.resetAssigned();
    // Without bodies and still no room where it was: the reserve is in the next segment, once.
    const isStuck = !group.hasBodies && (group.rolls || spares.ready.length === 0);
    again.rolls = !group.hasBodies && !isStuck;
    const kept = new Set<Waiter>();
    groups.forEach((refusedGroup, i) => {
      for (const { batch, waiter } of refusedGroup.members) {
        if (isStuck && i === 0) continue;
        void again.add(batch, this.parts.table, waiter);
        again.toDisk ||= refusedGroup.toDisk;
        kept.add(waiter);
      }
    });
    for (const refusedGroup of groups) refusedGroup.reject(full, kept);
    if (again.members.length > 0) this.queue.push(again);
    this.parts.onWritten();
  }

  private fail(groups: readonly Group[], cause: unknown): void {
    this.stop(new SluiceError('ERR_STORAGE_FAILED', `a write failed: ${(cause as Error).message}`, { cause }), groups);
  }

  /** From now on every write rejects with `error`. */
  stop(error: SluiceError, groups: readonly Group[] = []): void {
    const rejected = [...groups, ...this.queue.splice(0)];
    if (this.failure === undefined) {
      this.failure = error;
      this.parts.onFailed(error);
    }
    for (const group of rejected) group.reject(this.failure);
  }
}
