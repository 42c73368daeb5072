import type { File, FileSystem } from './file-system.js';
import { removeIfThere, writeAll } from './file-system.js';
import { segmentName } from './format.js';

/** Zeroed at a time. Bytes. */
const PIECE = 256 * 1024;

/** A segment file under its final name, with nothing begun in it. Its handles are open: a full descriptor table cannot strike later. */
export interface Spare {
  readonly number: number;
  /** Bytes that can be written without asking the disk for room. */
  allocated: number;
  readonly plain: File;
  /** Each write through it is on the disk when it returns; undefined where the system has no such thing. */
  readonly through: File | undefined;
}

export async function openSpare(
  fs: FileSystem,
  directory: string,
  number: number,
  mode: 'edit' | 'make',
  through: boolean,
): Promise<Spare> {
  const path = `${directory}/${segmentName(number)}`;
  const plain = await fs.open(path, mode);
  try {
    const allocated = mode === 'make' ? 0 : await plain.size();
    return { number, allocated, plain, through: through ? await fs.open(path, 'edit', true) : undefined };
  } catch (error) {
    await plain.close();
    throw error;
  }
}

export async function closeSpare(spare: Spare): Promise<void> {
  await spare.plain.close();
  await spare.through?.close();
}

/**
 * Segments to come: preallocated files, numbered on from the last one. One is enough, and is the reserve of a full disk as
 * well: what carries no body can still begin it. Only one thing is done to them at a time, and a number is given out when
 * its file is made, so that no file is made twice, nor zeroed once it was taken.
 */
export class Spares {
  /** In order of their numbers. */
  readonly ready: Spare[] = [];
  private nextNumber: number;
  private readonly fs: FileSystem;
  private readonly directory: string;
  private readonly through: boolean;
  /** The end of the line of those who wait to do something here. */
  private line: Promise<unknown> = Promise.resolve();

  constructor(fs: FileSystem, directory: string, through: boolean, nextNumber: number) {
    this.fs = fs;
    this.directory = directory;
    this.through = through;
    this.nextNumber = nextNumber;
  }

  get allocated(): number {
    return this.ready.reduce((sum, spare) => sum + spare.allocated, 0);
  }

  /** The next segment's file; a new and empty one where none is ready. */
  take(): Promise<Spare> {
    return this.inLine(async () => {
      if (this.ready.length === 0) await this.make();
      return this.ready.splice(0, 1)[0]!;
    });
  }

  /** Resolves when there is one with at least so many bytes allocated; rejects when the disk has no room for it. */
  ensure(bytes: number): Promise<void> {
    return this.inLine(async () => {
      if (this.ready.length === 0) await this.make();
      await this.extend(this.ready[0]!, bytes);
    });
  }

  /** The file of a segment that is no longer needed becomes a spare, or goes where there are enough. */
  recycle(number: number, wanted: boolean): Promise<void> {
    return this.inLine(async () => {
      const path = `${this.directory}/${segmentName(number)}`;
      if (!wanted || this.ready.length > 0) {
        await this.fs.unlink(path);
        await this.fs.syncDirectory(this.directory);
        return;
      }
      // One rename, and on the disk before the file is used: never can it be found under two names.
      const to = this.nextNumber++;
      await this.fs.rename(path, `${this.directory}/${segmentName(to)}`);
      await this.fs.syncDirectory(this.directory);
      this.ready.push(await openSpare(this.fs, this.directory, to, 'edit', this.through));
    });
  }

  /** Ends what is under way, and closes them. */
  async close(): Promise<void> {
    await this.inLine(async () => {
      for (const spare of this.ready.splice(0)) await closeSpare(spare);
    });
  }

  private async make(): Promise<void> {
    const number = this.nextNumber;
    const path = `${this.directory}/${segmentName(number)}`;
    let spare: Spare | undefined;
    try {
      spare = await openSpare(this.fs, this.directory, number, 'make', this.through);
      await this.fs.syncDirectory(this.directory);
    } catch (error) {
      if (spare !== undefined) await closeSpare(spare);
      // The number is free again only if the file is gone.
      await removeIfThere(this.fs, path);
      throw error;
    }
    this.nextNumber++;
    this.ready.push(spare);
  }

  private async extend(spare: Spare, bytes: number): Promise<void> {
    while (spare.allocated < bytes) {
      const piece = new Uint8Array(Math.min(PIECE, bytes - spare.allocated));
      await writeAll(spare.through ?? spare.plain, [piece], spare.allocated);
      if (spare.through === undefined) await spare.plain.sync();
      spare.allocated += piece.byteLength;
    }
  }

  private inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.line.then(work);
    this.line = done.catch(() => undefined);
    return done;
  }
}
