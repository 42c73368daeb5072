import { SluiceError } from '../../errors.js';
import { codeOf, readFile, removeIfThere, writeAll } from './file-system.js';
import type { FileSystem, Owner } from './file-system.js';

const LOCK_FILE = 'lock';

/** Whose pid stands for a claim that cannot be read. */
const NOBODY = 0;

interface Claim extends Owner {
  /** Tells this opening of the directory from every other one. */
  readonly token: string;
}

/**
 * One process, and one storage in it, per directory. The lock is a file that names its owner: pid, when that process
 * started, and which start of the machine it was, so that neither a reused pid nor a reboot keeps it locked. A stopped
 * process still owns it.
 *
 * The file appears whole, by link(2), and a stale one is replaced by one process only: those that see it compete for a
 * second file, named after the stale token, and the winner looks again before it puts its own claim in place.
 */
export class DirectoryLock {
  private readonly fs: FileSystem;
  private readonly path: string;
  private readonly claim: Claim;

  private constructor(fs: FileSystem, path: string, claim: Claim) {
    this.fs = fs;
    this.path = path;
    this.claim = claim;
  }

  /** @throws ERR_STORAGE_LOCKED with `{ directory, pid }` when a living process has it */
  static async take(fs: FileSystem, directory: string): Promise<DirectoryLock> {
    const token = [fs.random(), fs.random()].map((part) => part.toString(16).padStart(8, '0')).join('');
    const lock = new DirectoryLock(fs, `${directory}/${LOCK_FILE}`, { ...(await fs.owner()), token });
    const mine = `${lock.path}.${token}`;
    const file = await fs.open(mine, 'make');
    try {
      await writeAll(file, [Buffer.from(`${JSON.stringify(lock.claim)}\n`)], 0);
    } finally {
      await file.close();
    }
    try {
      await lock.occupy(lock.path, mine, directory);
    } finally {
      await removeIfThere(fs, mine);
    }
    await lock.tidy(directory);
    return lock;
  }

  /** Gives it back, unless somebody else has it by now. */
  async release(): Promise<void> {
    if ((await this.read(this.path))?.token === this.claim.token) await removeIfThere(this.fs, this.path);
  }

  /** Puts the claim at `path`, where nothing is or where the one who put it there is gone. */
  private async occupy(path: string, mine: string, directory: string): Promise<void> {
    for (;;) {
      try {
        await this.fs.link(mine, path);
        return;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const there = await this.read(path);
      if (there === undefined) continue;
      if (await this.fs.isAlive(there)) throw this.locked(directory, there);
      const succession = `${path}.after-${there.token}`;
      await this.occupy(succession, mine, directory);
      try {
        // Another may have won before, and be done: then this is the lock of a living process.
        if ((await this.read(path))?.token !== there.token) continue;
        const own = `${this.path}.${this.claim.token}.own`;
        await removeIfThere(this.fs, own);
        await this.fs.link(mine, own);
        await this.fs.rename(own, path);
        return;
      } finally {
        await removeIfThere(this.fs, succession);
      }
    }
  }

  /** What competitors that died left behind. Those that live see this lock, and give up. */
  private async tidy(directory: string): Promise<void> {
    for (const name of await this.fs.readdir(directory)) {
      if (!name.startsWith(`${LOCK_FILE}.`)) continue;
      const path = `${directory}/${name}`;
      const there = await this.read(path);
      // One that makes no sense may be about to be written.
      if (there !== undefined && there.pid !== NOBODY && !(await this.fs.isAlive(there)))
        await removeIfThere(this.fs, path);
    }
  }

  /** Undefined when there is none. One that makes no sense was not written by a living process: it appears whole. */
  private async read(path: string): Promise<Claim | undefined> {
    const bytes = await readFile(this.fs, path);
    if (bytes === undefined) return undefined;
    try {
      const { pid, started, boot, token } = JSON.parse(bytes.toString()) as Claim;
      if (Number.isInteger(pid) && typeof token === 'string' && /^[0-9a-f]{16}$/.test(token)) {
        return { pid, started: String(started), boot: String(boot), token };
      }
    } catch {
      // A power cut may leave it empty.
    }
    return { pid: NOBODY, started: '', boot: 'none', token: '0'.repeat(16) };
  }

  private locked(directory: string, owner: Owner): SluiceError {
    return new SluiceError('ERR_STORAGE_LOCKED', `${directory} is open in process ${owner.pid}`, {
      details: { directory, pid: owner.pid },
    });
  }
}
