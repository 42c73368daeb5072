import { writeSync } from 'node:fs';
import type { File, FileSystem, OpenMode } from '../../src/storage/file/file-system.js';
import { nodeFileSystem } from '../../src/storage/file/node-file-system.js';

/** A line to the parent, through a pipe: it has it, whatever happens to this process next. */
export function tell(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.byteLength;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      // The pipe is full, and its other end is slow.
      if ((error as { code?: string }).code !== 'EAGAIN') throw error;
    }
  }
}

/** Tells when a write to the disk begins (b) and ends (e), and kills this process when its nth one has begun. 0: never. */
export function toldFileSystem(lastWrite: number): FileSystem {
  let writes = 0;

  class ToldFile implements File {
    private readonly file: File;

    constructor(file: File) {
      this.file = file;
    }

    async write(parts: readonly Uint8Array[], position: number): Promise<number> {
      tell('b');
      const writing = this.file.write(parts, position);
      // On another thread it has just begun.
      if (++writes === lastWrite) process.kill(process.pid, 'SIGKILL');
      const written = await writing;
      tell('e');
      return written;
    }

    read = (target: Uint8Array, position: number): Promise<number> => this.file.read(target, position);
    sync = (): Promise<void> => this.file.sync();
    size = (): Promise<number> => this.file.size();
    truncate = (length: number): Promise<void> => this.file.truncate(length);
    close = (): Promise<void> => this.file.close();
  }

  return Object.create(nodeFileSystem, {
    open: {
      value: async (path: string, mode: OpenMode, through?: boolean) =>
        new ToldFile(await nodeFileSystem.open(path, mode, through)),
    },
  }) as FileSystem;
}
