/**
 * What the file storage asks of the machine, and nothing else: a simulator of power cuts and of failing disks stands in
 * for it in the tests. Every call may reject with an error that carries `code` (ENOENT, EEXIST, ENOSPC, EIO, …).
 */
export interface FileSystem {
  /**
   * Whether a file opened `through` has each write, and the metadata needed to find it, on the disk when the write
   * returns (O_DSYNC on Linux). Only the written range is meant, nothing that was written before it. Elsewhere the storage
   * writes and calls sync().
   */
  readonly writesThrough: boolean;
  /** Absolute path without symbolic links. */
  realpath(path: string): Promise<string>;
  /** Makes a directory and the missing ones above it, mode 0700; the topmost it made, or undefined if it was there. */
  mkdir(path: string): Promise<string | undefined>;
  readdir(path: string): Promise<string[]>;
  open(path: string, mode: OpenMode, through?: boolean): Promise<File>;
  rename(from: string, to: string): Promise<void>;
  /** A second name for a file. Rejects with EEXIST when the name is taken. */
  link(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Removes a directory that is empty. */
  rmdir(path: string): Promise<void>;
  /** Resolves when every name made, changed or removed in the directory is on the disk. */
  syncDirectory(path: string): Promise<void>;
  /** Bytes that this process may still use on the disk that holds `path`. */
  freeBytes(path: string): Promise<number>;
  /** A random u32. */
  random(): number;
  /** This process, as a lock file names it. */
  owner(): Promise<Owner>;
  /** Whether that very process, and not a later one with its pid, exists. A stopped process exists; a zombie does not. */
  isAlive(owner: Owner): Promise<boolean>;
}

/** `read` and `edit` want the file to be there, `make` wants it not to be (EEXIST), and gives it mode 0600. */
export type OpenMode = 'read' | 'edit' | 'make';

/** An open file. Positions and sizes are bytes. */
export interface File {
  /** Bytes read into `target`; fewer than its length only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  /** Bytes of `parts` written, one after the other, from `position` on. May be fewer than there are, without an error. */
  write(parts: readonly Uint8Array[], position: number): Promise<number>;
  /** fdatasync: resolves when everything written to the file is on the disk. */
  sync(): Promise<void>;
  size(): Promise<number>;
  /** Ends the file at `length`. */
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface Owner {
  readonly pid: number;
  /** When the process started, in the machine's own unit; empty where the machine does not tell. */
  readonly started: string;
  /** Changes with every start of the machine; empty where the machine does not tell. */
  readonly boot: string;
}

/** A place in the storage: everything in earlier segments, and this one up to `offset`. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export function isBefore(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

export function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string } | null)?.code;
}

/** Whether a call failed for want of space, which may come back, and not because the disk is failing. */
export function isNoSpace(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/**
 * Writes all of `parts`. A short write is no error to the system, so the rest is written once more to learn the reason;
 * a write of nothing is one.
 */
export async function writeAll(file: File, parts: readonly Uint8Array[], position: number): Promise<void> {
  let left = parts;
  let at = position;
  for (;;) {
    const total = left.reduce((sum, part) => sum + part.byteLength, 0);
    if (total === 0) return;
    const written = await file.write(left, at);
    if (written === total) return;
    if (written <= 0) throw Object.assign(new Error(`nothing was written of ${total} bytes`), { code: 'EIO' });
    at += written;
    left = rest(left, written);
  }
}

function rest(parts: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skip = written;
  const left: Uint8Array[] = [];
  for (const part of parts) {
    if (skip >= part.byteLength) skip -= part.byteLength;
    else {
      left.push(part.subarray(skip));
      skip = 0;
    }
  }
  return left;
}

/** Fills `target` from `position`, as far as the file goes; the bytes there were. */
export async function readAll(file: File, target: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < target.byteLength) {
    const read = await file.read(target.subarray(filled), position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** A whole small file, or undefined where there is none. */
export async function readFile(fs: FileSystem, path: string): Promise<Buffer | undefined> {
  let file: File;
  try {
    file = await fs.open(path, 'read');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(await file.size());
    return bytes.subarray(0, await readAll(file, bytes, 0));
  } finally {
    await file.close();
  }
}

/**
 * Puts a file in place whole: under a temporary name first, renamed once its bytes are on the disk. The name itself is
 * there for good after the next syncDirectory().
 */
export async function replaceFile(fs: FileSystem, path: string, parts: readonly Uint8Array[]): Promise<void> {
  const temporary = `${path}.tmp`;
  await removeIfThere(fs, temporary);
  const file = await fs.open(temporary, 'make');
  try {
    await writeAll(file, parts, 0);
    await file.sync();
  } catch (error) {
    // A full disk needs the room.
    await fs.unlink(temporary).catch(() => undefined);
    throw error;
  } finally {
    await file.close();
  }
  await fs.rename(temporary, path);
}

export async function removeIfThere(fs: FileSystem, path: string): Promise<void> {
  try {
    await fs.unlink(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}
