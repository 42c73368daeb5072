import { Ranges } from './ranges.js';

/** A log as it is on the disk, and how far the writes under way will bring it. */
export class Log {
  readonly id: number;
  readonly name: string;
  /** Lowest offset that may exist. */
  first = 0;
  /** Offset of the next append, of what is written. */
  next = 0;
  /** Dropped above `first`. No hole begins at `first`. */
  readonly holes = new Ranges();
  /** Offset of the next append, with the writes under way. */
  assigned = 0;

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  isLive(offset: number): boolean {
    return offset >= this.first && offset < this.next && !this.holes.has(offset);
  }

  /** How many entries there are. */
  get count(): number {
    return this.next - this.first - this.holes.size;
  }

  /** Drops [from, to) as far as it exists; calls `dropped` with each part that was still there. */
  drop(from: number, to: number, dropped: (from: number, to: number) => void): void {
    this.holes.add(Math.max(from, this.first), Math.min(to, this.next), dropped);
    this.first = this.holes.skip(this.first);
    this.holes.trim(this.first);
  }
}

/**
 * The logs by name and id: `written` is what the disk holds and readers see; `assigned` runs ahead of it by the writes
 * under way, and falls back to it when one of them is refused.
 */
export class LogTable {
  readonly written = new Map<string, Log>();
  readonly byId = new Map<number, Log>();
  readonly assigned = new Map<string, Log>();
  /** Ids are never given twice: what an earlier log of the name left behind must not become its successor's. */
  nextId = 1;

  /** A log that will exist once its first append is written. */
  assign(name: string): Log {
    const log = new Log(this.nextId++, name);
    this.assigned.set(name, log);
    return log;
  }

  /** A log is on the disk. */
  declare(log: Log): void {
    this.written.set(log.name, log);
    this.byId.set(log.id, log);
    if (log.id >= this.nextId) this.nextId = log.id + 1;
  }

  remove(log: Log): void {
    if (this.written.get(log.name) === log) this.written.delete(log.name);
    this.byId.delete(log.id);
  }

  /** Forgets what the writes under way were to do. */
  resetAssigned(): void {
    this.assigned.clear();
    for (const log of this.written.values()) {
      log.assigned = log.next;
      this.assigned.set(log.name, log);
    }
  }
}
