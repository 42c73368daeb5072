import { randomFillSync } from 'node:crypto';
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { codeOf } from './file-system.js';
import type { File, FileSystem, OpenMode, Owner } from './file-system.js';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_DSYNC } = fs.constants;

const FLAGS: Readonly<Record<OpenMode, number>> = { read: O_RDONLY, edit: O_RDWR, make: O_RDWR | O_CREAT | O_EXCL };

const closeFd = promisify(fs.close);
const syncFd = promisify(fs.fdatasync);
const statFd = promisify(fs.fstat);
const truncateFd = promisify(fs.ftruncate);

/** The real thing, on node:fs. Every call runs on libuv's threads: the event loop is never blocked by a disk. */
class NodeFileSystem implements FileSystem {
  /**
   * Only Linux is known to keep what O_DSYNC says. macOS has the flag but does not flush the drive for it (libuv's
   * fdatasync does, with F_FULLFSYNC), and Windows' write-through flag is another promise.
   */
  readonly writesThrough = process.platform === 'linux';

  realpath(path: string): Promise<string> {
    return fs.promises.realpath(path);
  }

  mkdir(path: string): Promise<string | undefined> {
    return fs.promises.mkdir(path, { recursive: true, mode: 0o700 });
  }

  readdir(path: string): Promise<string[]> {
    return fs.promises.readdir(path);
  }

  open(path: string, mode: OpenMode, through = false): Promise<File> {
    const flags = FLAGS[mode] | (through && this.writesThrough ? O_DSYNC : 0);
    return new Promise((resolve, reject) => {
      fs.open(path, flags, 0o600, (error, fd) => (error === null ? resolve(new NodeFile(fd)) : reject(error)));
    });
  }

  rename(from: string, to: string): Promise<void> {
    return fs.promises.rename(from, to);
  }

  link(from: string, to: string): Promise<void> {
    return fs.promises.link(from, to);
  }

  unlink(path: string): Promise<void> {
    return fs.promises.unlink(path);
  }

  rmdir(path: string): Promise<void> {
    return fs.promises.rmdir(path);
  }

  async syncDirectory(path: string): Promise<void> {
    // Windows has no such call: its directories cannot be opened, and it journals names itself.
    if (process.platform === 'win32') return;
    const directory = await fs.promises.open(path, O_RDONLY);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async freeBytes(path: string): Promise<number> {
    const { bavail, bsize } = await fs.promises.statfs(path);
    return bavail * bsize;
  }

  random(): number {
    return randomFillSync(new Uint32Array(1))[0]!;
  }

  async owner(): Promise<Owner> {
    return { pid: process.pid, started: (await startOf(process.pid)) ?? '', boot: await bootId() };
  }

  async isAlive(owner: Owner): Promise<boolean> {
    if (owner.boot !== (await bootId())) return false;
    const started = await startOf(owner.pid);
    // Where the machine does not tell start times, a pid in use is the best there is to know.
    return started === undefined ? false : started === '' || owner.started === '' || started === owner.started;
  }
}

class NodeFile implements File {
  private readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.fd, target, 0, target.byteLength, position, (error, bytes) =>
        error === null ? resolve(bytes) : reject(error),
      );
    });
  }

  write(parts: readonly Uint8Array[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, bytes: number): void => (error === null ? resolve(bytes) : reject(error));
      const only = parts[0];
      if (parts.length === 1 && only !== undefined) fs.write(this.fd, only, 0, only.byteLength, position, done);
      else fs.writev(this.fd, parts, position, done);
    });
  }

  sync(): Promise<void> {
    return syncFd(this.fd);
  }

  async size(): Promise<number> {
    return (await statFd(this.fd)).size;
  }

  truncate(length: number): Promise<void> {
    return truncateFd(this.fd, length);
  }

  close(): Promise<void> {
    return closeFd(this.fd);
  }
}

/** Start time of a process, `''` where it exists but the machine does not tell, undefined where there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      const stat = await fs.promises.readFile(`/proc/${pid}/stat`, 'latin1');
      // The name in parentheses may hold anything, spaces and parentheses too: the fields count from the last one.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const dead = fields[0] === 'Z' || fields[0] === 'X';
      return dead ? undefined : fields[19]!;
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    }
  }
  try {
    process.kill(pid, 0);
    return '';
  } catch (error) {
    return codeOf(error) === 'EPERM' ? '' : undefined;
  }
}

async function bootId(): Promise<string> {
  try {
    return (await fs.promises.readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  } catch {
    return '';
  }
}

export const nodeFileSystem: FileSystem = new NodeFileSystem();
