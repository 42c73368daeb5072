import { isBefore, writeAll } from './file-system.js';
import type { Position } from './file-system.js';
import { ZEROED_HEADER } from './frame.js';
import type { LookAhead } from './look-ahead.js';
import { closeSpare } from './spares.js';
import type { Spare } from './spares.js';

/** As much as this is written a second time, to be synced with what follows it; more is synced by a call of its own. Bytes. */
const LARGEST_REWRITE = 128 * 1024;

/**
 * The end of the storage: where bytes are put, one write at a time, and how far they are known to be on the disk.
 *
 *     ┌──── on the disk ────┬─ in the system ─┬─ allocated, or not ─┐
 *     0                  synced              end
 *
 * A write through to the disk syncs its own range and nothing else. What was written before it without a sync (`os`) is
 * therefore written again with it, the same bytes: a frame that is confirmed must never stand behind one that is not.
 */
export class Appender {
  /** Everything in every file up to here is on the disk. Goes into frames as what they vouch for. */
  synced: Position;
  /** Where the next write goes. */
  end: number;
  writes = 0;
  syncs = 0;
  /** Set by the owner, where room is to be made ahead. */
  lookAhead: LookAhead | undefined;
  private file: Spare;
  /** Bytes between `synced` and `end`; undefined when they are too many to keep, or unknown. */
  private unsynced: Uint8Array[] | undefined;
  private flushing: Promise<void> | undefined;
  /** A sync failed. The next one might succeed, and would say nothing of what this one left out. */
  private failure: Error | undefined;

  constructor(file: Spare, end: number, synced: Position) {
    this.file = file;
    this.end = end;
    this.synced = synced;
    this.unsynced = this.isSynced ? [] : undefined;
  }

  get segment(): number {
    return this.file.number;
  }

  get isSynced(): boolean {
    return this.synced.segment === this.segment && this.synced.offset === this.end;
  }

  /** Bytes that can be appended without asking the disk for room. */
  get room(): number {
    return Math.max(this.file.allocated - this.end, 0);
  }

  /** Resolves when the bytes are in the operating system, or, with `toDisk`, they and all before them on the disk. */
  async append(parts: readonly Uint8Array[], toDisk: boolean): Promise<void> {
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    const { plain, through } = this.file;
    // What is being zeroed must not have anything in it.
    const zeros = this.end + bytes > this.file.allocated ? this.lookAhead?.underWay : undefined;
    if (zeros !== undefined) await zeros;
    this.writes++;
    if (toDisk && through !== undefined && this.unsynced !== undefined) {
      const before = this.unsynced;
      const from = this.end - before.reduce((sum, part) => sum + part.byteLength, 0);
      this.syncs++;
      await writeAll(through, before.length === 0 ? parts : [...before, ...parts], from);
      this.advance(bytes);
      this.unsynced = [];
      this.synced = { segment: this.segment, offset: this.end };
      this.lookAhead?.written(this.file, this.end, bytes);
      return;
    }
    await writeAll(plain, parts, this.end);
    this.advance(bytes);
    if (toDisk) await this.sync();
    else this.keep(parts);
  }

  /** Everything that is written is on the disk when it resolves. A second call while one runs waits, and syncs anew. */
  async sync(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
    if (this.failure !== undefined) throw this.failure;
    if (this.isSynced) return;
    // What is written while it runs may or may not be covered.
    const called = { segment: this.segment, offset: this.end };
    this.syncs++;
    this.flushing = this.file.plain.sync();
    try {
      await this.flushing;
    } catch (error) {
      // Without its code: what a failed sync leaves on the disk is unknown, also when it failed for want of room.
      this.failure = new Error(`a sync failed: ${(error as Error).message}`, { cause: error });
      throw this.failure;
    } finally {
      this.flushing = undefined;
    }
    if (isBefore(this.synced, called)) this.synced = called;
    if (this.isSynced) this.unsynced = [];
  }

  /** Goes on in a new file. The old one is on the disk as a whole before anything stands in the new one. */
  async begin(file: Spare): Promise<void> {
    await this.sync();
    while (this.flushing !== undefined) await this.flushing;
    await this.lookAhead?.underWay;
    const old = this.file;
    this.file = file;
    this.end = 0;
    this.unsynced = [];
    // All of it is on the disk: whatever closing it complains about is nobody's loss.
    await closeSpare(old).catch(() => undefined);
  }

  /** Nothing of an append that was refused may ever be taken for a frame, after a crash neither. */
  async undo(): Promise<void> {
    await this.lookAhead?.underWay;
    const { plain, through, allocated } = this.file;
    const size = await plain.size();
    const bytes = Math.min(size - this.end, ZEROED_HEADER.byteLength);
    if (bytes <= 0) return;
    await writeAll(through ?? plain, [ZEROED_HEADER.subarray(0, bytes)], this.end);
    if (through === undefined) await plain.sync();
    // What was written of it gives back its room.
    if (size > allocated) await plain.truncate(Math.max(allocated, this.end));
  }

  async close(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing.catch(() => undefined);
    await this.lookAhead?.underWay;
    await closeSpare(this.file);
  }

  private advance(bytes: number): void {
    this.end += bytes;
    this.file.allocated = Math.max(this.file.allocated, this.end);
  }

  private keep(parts: readonly Uint8Array[]): void {
    if (this.file.through === undefined || this.unsynced === undefined) return;
    // Copies: the buffers go back to be filled anew.
    for (const part of parts) this.unsynced.push(Uint8Array.from(part));
    if (this.unsynced.reduce((sum, part) => sum + part.byteLength, 0) > LARGEST_REWRITE) this.unsynced = undefined;
  }
}
