import { defineConfig, type Options } from 'tsup';

const shared: Options = {
  entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' },
  target: 'node20',
  platform: 'node',
  // One shared chunk, so that sluice/testing knows the very classes that sluice exports.
  splitting: true,
  dts: true,
  sourcemap: true,
};

export default defineConfig([
  { ...shared, format: 'esm' },
  // p-queue is ESM only: require() gets it bundled, with its licence in THIRD_PARTY_NOTICES.md.
  { ...shared, format: 'cjs', noExternal: ['p-queue', 'p-timeout'] },
]);
