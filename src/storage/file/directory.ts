import { CLEAN_FILE, corrupt, decodeClean, decodeFormat, encodeFormat, FORMAT_FILE, parseName } from './format.js';
import type { CleanEnd } from './format.js';
import { readFile, replaceFile } from './file-system.js';
import type { FileSystem } from './file-system.js';

/** What a data directory has in it. */
export interface Listing {
  /** Of segments, ascending. */
  readonly numbers: readonly number[];
  readonly indexes: readonly number[];
  readonly clean: CleanEnd | undefined;
}

/** There while a repair exchanges files. */
export const REPAIR_FILE = 'repairing';

export async function listDirectory(fs: FileSystem, directory: string, seed: number): Promise<Listing> {
  const names = await fs.readdir(directory);
  if (names.includes(REPAIR_FILE)) {
    throw corrupt(`${directory}/${REPAIR_FILE}`, 0, 'a repair was interrupted; run it again');
  }
  const bytes = names.includes(CLEAN_FILE) ? await readFile(fs, `${directory}/${CLEAN_FILE}`) : undefined;
  return {
    numbers: numbersOf(names, 'seg'),
    indexes: numbersOf(names, 'idx'),
    clean: bytes === undefined ? undefined : decodeClean(bytes, seed),
  };
}

function numbersOf(names: readonly string[], kind: 'seg' | 'idx'): number[] {
  const numbers: number[] = [];
  for (const name of names) {
    const parsed = parseName(name);
    if (parsed?.kind === kind) numbers.push(parsed.number);
  }
  return numbers.sort((a, b) => a - b);
}

/** Makes the directory if it is missing, its name and those above it on the disk. Returns its path without links. */
export async function makeDirectory(fs: FileSystem, directory: string): Promise<string> {
  const made = await fs.mkdir(directory);
  const real = await fs.realpath(directory);
  if (made === undefined) return real;
  const top = parentOf(await fs.realpath(made));
  for (let path = real; path.length >= top.length;) {
    path = parentOf(path);
    await fs.syncDirectory(path);
  }
  return real;
}

function parentOf(path: string): string {
  const at = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return at <= 0 ? path.slice(0, at + 1) : path.slice(0, at);
}

/**
 * The seed of the directory's checksums; a new one in a directory without any of our files.
 * @throws ERR_STORAGE_VERSION, ERR_STORAGE_CORRUPT
 */
export async function readSeed(fs: FileSystem, directory: string): Promise<number> {
  const path = `${directory}/${FORMAT_FILE}`;
  const bytes = await readFile(fs, path);
  if (bytes !== undefined) return decodeFormat(bytes, path);
  const names = await fs.readdir(directory);
  if (names.some((name) => parseName(name) !== undefined || name === CLEAN_FILE)) {
    throw corrupt(path, 0, 'it is missing, and there are segments');
  }
  const seed = fs.random();
  await replaceFile(fs, path, [encodeFormat(seed)]);
  await fs.syncDirectory(directory);
  return seed;
}
