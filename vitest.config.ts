import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests and examples import the package by its name, from source: the same paths as in tsconfig.json.
    alias: [
      { find: /^sluice$/, replacement: source('index.ts') },
      { find: /^sluice\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Needs a build: npm run test:dist.
    exclude: ['test/dist/**'],
    // allowOnly false: a forgotten `.only` fails the run instead of silently narrowing it.
    allowOnly: false,
    // Every core: there is nothing else to do meanwhile.
    maxWorkers: '100%',
    // A machine may be slow, or busy: only what never ends is too long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    typecheck: {
      enabled: true,
      include: ['test/types/**/*.test-d.ts'],
      tsconfig: 'test/types/tsconfig.json',
      // `npm run typecheck` judges the sources; here only the expectations count.
      ignoreSourceErrors: true,
    },
  },
});
