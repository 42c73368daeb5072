import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build, type Options } from 'tsup';
import type { Variant } from './row.js';

/** The compiled contestant.js of each variant. */
export type Builds = Readonly<Record<Variant, string>>;

const directory = fileURLToPath(new URL('../../node_modules/.cache/sluice-bench', import.meta.url));

/**
 * Compiles the contestants and sluice with them, as `npm run build` compiles the package: the same bundler, the same target. Under
 * tsx the engine takes 1.7 times as long, since every function that is made there carries a call that names it, and the bare
 * loops do not.
 */
export async function compile(variants: Iterable<Variant>): Promise<Builds> {
  const builds: Partial<Record<Variant, string>> = {};
  for (const variant of variants) {
    const outDir = `${directory}/${variant}`;
    const cuts = CUTS[variant];
    await build({ ...options, outDir, esbuildPlugins: [cutting(cuts)] });
    for (const { what, made } of cuts) {
      if (made === 0) throw new Error(`nothing was cut for '${what}' of ${variant}: the source has changed`);
    }
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

/** Something that a variant leaves out of sluice, to see what it costs. */
interface Cut {
  readonly what: string;
  readonly pattern: RegExp;
  readonly by: string;
  made: number;
}

const cut = (what: string, pattern: RegExp, by: string): Cut => ({ what, pattern, by, made: 0 });

const CUTS: Readonly<Record<Variant, Cut[]>> = {
  stock: [],
  silent: [
    ...['accepted', 'delivered', 'acked'].map((event) =>
      cut(`the event ${event}`, new RegExp(String.raw`\b(?:\w+\.)*events\.heard\.${event}\b`, 'g'), 'false'),
    ),
    ...['accepted', 'delivered', 'acked'].map((count) =>
      cut(`the count of ${count}`, new RegExp(String.raw`\b(?:\w+\.)*books\.${count}\+\+;`, 'g'), ';'),
    ),
  ],
  unmarked: [cut('begin marks', /\bthis\.begun = record && new Begun\([^;]*;/g, 'this.begun = undefined;')],
  greedy: [cut('yielding', /\bover\(\): boolean \{/, 'over(): boolean {\n    if (true as boolean) return false;')],
};

function cutting(cuts: readonly Cut[]): NonNullable<Options['esbuildPlugins']>[number] {
  return {
    name: 'cutting',
    setup(bundle) {
      if (cuts.length === 0) return;
      bundle.onLoad({ filter: /[\\/]src[\\/].*\.ts$/, namespace: 'file' }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const one of cuts) {
          contents = contents.replace(one.pattern, () => {
            one.made++;
            return one.by;
          });
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
