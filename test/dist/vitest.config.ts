import { defineConfig } from 'vitest/config';

/** Tests of the built package, for `npm run test:dist` after `npm run build`; the suite itself runs on the sources. */
export default defineConfig({
  test: {
    include: ['test/dist/**/*.test.ts'],
    allowOnly: false,
    testTimeout: 120_000,
    // Packs the package and installs it, with Jest and TypeScript beside it.
    hookTimeout: 300_000,
  },
});
