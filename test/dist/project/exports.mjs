// Prints how what require() and import give for each entry differs: nothing, when the package is well built.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const differences = [];
const names = {};
for (const entry of ['sluice', 'sluice/testing']) {
  const imported = await import(entry);
  const required = require(entry);
  const bundled = require(`./node_modules/sluice/dist/${entry === 'sluice' ? 'index' : 'testing'}.cjs`);
  names[entry] = Object.keys(imported).toSorted();
  for (const name of new Set([imported, required, bundled].flatMap((module) => Object.keys(module)))) {
    if (name === '__esModule') continue;
    if (imported[name] !== required[name]) differences.push(`${entry}: ${name} is not the same in require and import`);
    if (typeof imported[name] !== typeof bundled[name])
      differences.push(`${entry}: ${name} differs in the CommonJS build`);
  }
}
console.log(JSON.stringify({ names, differences }));
