import { fileURLToPath } from 'node:url';
import { build, type Options } from 'tsup';
import type { Variant } from './row.js';

/** The compiled contestant.js of each variant. */
export type Builds = Readonly<Record<Variant, string>>;

const directory = fileURLToPath(new URL('../../node_modules/.cache/sluice-bench', import.meta.url));

/**
 * Compiles the contestants and sluice with them, as `npm run build` compiles the package: the same bundler, the same target. Under
 * tsx every function that is made carries a call that names it, which costs sluice and the loops of this benchmark more than
 * they measure.
 */
export async function compile(variants: Iterable<Variant>): Promise<Builds> {
  const builds: Partial<Record<Variant, string>> = {};
  for (const variant of variants) {
    const outDir = `${directory}/${variant}`;
    await build({ ...options, outDir });
    builds[variant] = `${outDir}/contestant.js`;
  }
  return builds as Builds;
}

const options: Options = {
  config: false,
  entry: { contestant: fileURLToPath(new URL('contestant.ts', import.meta.url)) },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  splitting: true,
  sourcemap: true,
  silent: true,
  // Peers stay packages, as users have them.
  skipNodeModulesBundle: true,
};
