import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What a contender of a durable row writes to: the disk of this machine, as it is; or one on which every sync takes a
 * millisecond, for all alike, native code included: slow-disk.c, preloaded, over memory where the system has a place in it.
 */
export type Disk = 'real' | 'slow';

const SOURCE = fileURLToPath(new URL('slow-disk.c', import.meta.url));
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/sluice-bench', import.meta.url));
const MEMORY = '/dev/shm';
const PLACE = 'SLUICE_BENCH_PLACE';

/** The environment of a process with such a disk. Needs Linux and a C compiler where it is a slow one. */
export function environment(disk: Disk): NodeJS.ProcessEnv {
  if (disk === 'real') return { ...process.env, [PLACE]: tmpdir() };
  const shim = join(CACHE, 'slow-disk.so');
  if (!compiled) {
    mkdirSync(CACHE, { recursive: true });
    execFileSync('cc', ['-O2', '-shared', '-fPIC', '-o', shim, SOURCE, '-ldl']);
    compiled = true;
  }
  return { ...process.env, [PLACE]: existsSync(MEMORY) ? MEMORY : tmpdir(), LD_PRELOAD: shim };
}
let compiled = false;

/** A directory on the disk of this process, gone when it ends. */
export function scratch(): string {
  const directory = mkdtempSync(join(process.env[PLACE] ?? tmpdir(), 'sluice-bench-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
