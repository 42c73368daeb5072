import { SluiceError } from '../../errors.js';
import { listDirectory, makeDirectory, readSeed, REPAIR_FILE } from './directory.js';
import { FileStore } from './file-store.js';
import type { Machine, StoreOptions } from './file-store.js';
import { readFile, removeIfThere, replaceFile } from './file-system.js';
import type { FileSystem } from './file-system.js';
import { CLEAN_FILE, FORMAT_FILE, parseName } from './format.js';
import { DirectoryLock } from './lock.js';
import { recover } from './recovery.js';
import { salvage } from './salvage.js';
import type { Damage, Loss, Salvage } from './salvage.js';

export interface RepairReport {
  /** Bytes that could not be trusted. */
  readonly damage: readonly Damage[];
  /** Entries that are gone, as ranges of offsets. */
  readonly losses: readonly Loss[];
  /** Entries that were kept. */
  readonly kept: number;
  /** Where the files went that were there before; undefined when nothing was wrong and nothing was changed. */
  readonly movedTo: string | undefined;
}

/**
 * Salvages what can be trusted of a damaged directory. What is good is written anew, in a directory beside; only when it is
 * whole and on the disk, the old files are moved aside, and the new ones put in their place. Interrupted, it is finished by
 * the next call, and until then nothing else opens the directory.
 */
export async function repair(machine: Machine, path: string, options: StoreOptions): Promise<RepairReport> {
  const { fs } = machine;
  const directory = await makeDirectory(fs, path);
  const lock = await DirectoryLock.take(fs, directory);
  try {
    const unfinished = await readFile(fs, `${directory}/${REPAIR_FILE}`);
    if (unfinished !== undefined) return await exchange(fs, directory, JSON.parse(unfinished.toString()) as Plan);
    const seed = await readSeed(fs, directory);
    const { numbers } = await listDirectory(fs, directory, seed);
    const found = await salvage(fs, directory, seed, numbers);
    const isFine = found.damage.length === 0 && found.losses.length === 0 && (await opens(fs, directory, seed));
    if (isFine) return { damage: [], losses: [], kept: countOf(found), movedTo: undefined };

    const fresh = `${directory}/repair`;
    await empty(fs, fresh);
    await write(machine, fresh, options, found, { directory, seed });
    const { damage, losses } = found;
    const movedTo = await unusedName(fs, directory);
    const names = await fs.readdir(fresh);
    const plan: Plan = { names, report: { damage, losses, kept: countOf(found), movedTo } };
    await replaceFile(fs, `${directory}/${REPAIR_FILE}`, [Buffer.from(JSON.stringify(plan))]);
    await fs.syncDirectory(directory);
    return await exchange(fs, directory, plan);
  } finally {
    await lock.release();
  }
}

/** Says which files are to come from the directory beside, so that an exchange that was interrupted can be finished. */
interface Plan {
  readonly names: readonly string[];
  readonly report: RepairReport & { readonly movedTo: string | undefined };
}

async function exchange(fs: FileSystem, directory: string, { names, report }: Plan): Promise<RepairReport> {
  const fresh = `${directory}/repair`;
  const aside = report.movedTo!;
  await fs.mkdir(aside);
  const waiting = new Set(await fs.readdir(fresh));
  for (const name of await fs.readdir(directory)) {
    const isOurs = name === FORMAT_FILE || name === CLEAN_FILE || parseName(name) !== undefined;
    // One that is to come, and no longer waits, has come.
    const hasCome = names.includes(name) && !waiting.has(name);
    if (isOurs && !hasCome) await fs.rename(`${directory}/${name}`, `${aside}/${name}`);
  }
  await fs.syncDirectory(aside);
  for (const name of names) if (waiting.has(name)) await fs.rename(`${fresh}/${name}`, `${directory}/${name}`);
  await fs.rmdir(fresh);
  await fs.syncDirectory(directory);
  await removeIfThere(fs, `${directory}/${REPAIR_FILE}`);
  await fs.syncDirectory(directory);
  return report;
}

/** Whether it would open as it is. */
async function opens(fs: FileSystem, directory: string, seed: number): Promise<boolean> {
  try {
    await recover(fs, directory, seed);
    return true;
  } catch (error) {
    if (SluiceError.is(error, 'ERR_STORAGE_CORRUPT')) return false;
    throw error;
  }
}

async function write(
  machine: Machine,
  fresh: string,
  options: StoreOptions,
  found: Salvage,
  source: { readonly directory: string; readonly seed: number },
): Promise<void> {
  const store = await FileStore.open(machine, fresh, options, () => {});
  try {
    await store.adopt(found, source);
  } finally {
    await store.close();
  }
}

async function empty(fs: FileSystem, directory: string): Promise<void> {
  await fs.mkdir(directory);
  for (const name of await fs.readdir(directory)) await fs.unlink(`${directory}/${name}`);
}

async function unusedName(fs: FileSystem, directory: string): Promise<string> {
  const taken = new Set(await fs.readdir(directory));
  for (let number = 1; ; number++) if (!taken.has(`damaged-${number}`)) return `${directory}/damaged-${number}`;
}

function countOf({ table }: Salvage): number {
  let count = 0;
  for (const log of table.written.values()) count += log.count;
  return count;
}
