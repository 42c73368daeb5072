import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';

/**
 * A program of this folder as one file of JavaScript, gone when this process ends: started thousands of times it is not to be
 * translated each time, and it runs as the package does.
 */
export async function compiled(program: string, from: string): Promise<string> {
  const outDir = mkdtempSync(join(tmpdir(), 'sluice-program-'));
  process.on('exit', () => rmSync(outDir, { recursive: true, force: true }));
  await build({
    config: false,
    entry: [fileURLToPath(new URL(program, from))],
    outDir,
    format: 'esm',
    outExtension: () => ({ js: '.mjs' }),
    target: 'node20',
    platform: 'node',
    noExternal: [/./],
    silent: true,
  });
  return join(outDir, basename(program).replace(/\.ts$/, '.mjs'));
}
