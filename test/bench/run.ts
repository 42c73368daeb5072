/**
 * npm run bench [-- --rows 1,2] [--quick] [--json file]
 * npm run bench -- --profile [--rows 1,2]
 *
 * Measures sluice beside a bare loop that does only the unavoidable work, and beside its peers, and says how far each target is
 * met. Ends with code 1 when a figure is under its floor.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compile } from './build.js';
import { look, play } from './contest.js';
import { spots, text, verdict } from './report.js';
import type { Scale } from './row.js';
import { rows } from './rows/all.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'boolean', default: false },
  },
});
const wanted = values.rows?.split(',').map(Number);
const chosen = rows.filter(({ number }) => wanted?.includes(number) ?? true);
const scale: Scale = { quick: values.quick, duration: values.quick ? 60 : 150 };
const tell = (progress: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${progress}`);
};

const variants = new Set(
  chosen.flatMap(({ contests }) =>
    contests.flatMap(({ contenders }) => Object.values(contenders).map(({ variant = 'stock' }) => variant)),
  ),
);
const builds = await compile(variants);
const record = [];
if (values.profile) {
  for (const row of chosen) {
    for (const contest of row.contests)
      console.log(spots(row, contest, await look(row, contest, 'sluice', builds, { ...scale, quick: true })));
  }
}
for (const row of values.profile ? [] : chosen) {
  const results = await play(row, builds, scale, tell);
  const checks = row.judge(results);
  tell('');
  console.log(text(row, results, checks));
  record.push({
    row: row.number,
    title: row.title,
    checks: checks.map((check) => ({ ...check, verdict: verdict(check) })),
    rounds: results,
  });
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(record, undefined, 1)}\n`);
const fallen = record.some(({ checks }) =>
  checks.some(({ floor, verdict }) => floor !== undefined && verdict === 'BELOW'),
);
process.exitCode = fallen ? 1 : 0;
