/**
 * npm run bench [-- --rows 1,2] [--quick] [--json file] [--markdown docs/benchmarks.md]
 * npm run bench -- --profile [--rows 1,2] [--markdown docs/benchmarks.md]
 * npm run bench:durable: the same, on a disk
 *
 * Measures sluice beside a bare loop that does only the unavoidable work, and beside its peers, and says how far each
 * target is met. Ends with code 1 when something is under its floor. `--profile`: where sluice's time and allocations go
 * instead. `--markdown`: puts the tables into that document.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { compile } from './build.js';
import { look, play } from './contest.js';
import { inserted, markdown, spots, spotsMarkdown, text, verdict, type Looked, type Played } from './report.js';
import type { Row, Scale } from './row.js';
import { durable, rows as inMemory } from './rows/all.js';

const { values } = parseArgs({
  options: {
    rows: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
    profile: { type: 'boolean', default: false },
    durable: { type: 'boolean', default: false },
  },
});
const rows = values.durable ? durable : inMemory;
/** Rows of one load, that a profile can say something about. */
const PROFILED = values.durable ? [8, 9, 14] : [1, 2, 5];
/** The parts of the document that are written. */
const part = values.durable ? 'durable-' : '';
const machine = `Node ${process.versions.node} on ${cpus().length} cores, ${cpus()[0]?.model ?? process.arch}`;
const scale: Scale = { quick: values.quick, duration: values.quick ? 50 : 100 };

console.log(machine);
await (values.profile ? profile(choose(PROFILED)) : bench(choose(rows.map(({ number }) => number))));

function choose(otherwise: readonly number[]): readonly Row[] {
  const wanted = values.rows?.split(',').map(Number) ?? otherwise;
  const unknown = wanted.filter((one) => !rows.some(({ number }) => number === one));
  if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
  return rows.filter(({ number }) => wanted.includes(number));
}

async function bench(chosen: readonly Row[]): Promise<void> {
  const contests = chosen.flatMap((row) => row.contests);
  const contenders = contests.flatMap((contest) => Object.values(contest.contenders));
  const builds = await compile(new Set(contenders.map(({ variant = 'stock' }) => variant)));
  const played: Played[] = [];
  for (const row of chosen) {
    const results = await play(row, builds, scale, tell);
    played.push({ row, results, checks: row.judge(results) });
    tell('');
    console.log(text(played.at(-1)!));
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(record(played), undefined, 1)}\n`);
  insert(`${part}measured`, `${machine}.\n\n${markdown(played)}`);
  const fallen = played.some(({ checks }) => checks.some((one) => one.floor !== undefined && verdict(one) === 'BELOW'));
  process.exitCode = fallen ? 1 : 0;
}

async function profile(chosen: readonly Row[]): Promise<void> {
  const builds = await compile(['stock']);
  const looked: Looked[] = [];
  for (const row of chosen) {
    // What a profiler remembers of a million messages, run after run, takes longer than the messages.
    const contest = row.contests[0]!;
    looked.push({ row, contest, profile: await look(row, contest, 'sluice', builds, { ...scale, quick: true }) });
    console.log(spots(looked.at(-1)!));
  }
  insert(`${part}profiled`, spotsMarkdown(looked));
}

function insert(name: string, block: string): void {
  const { markdown: document } = values;
  if (document !== undefined) writeFileSync(document, inserted(readFileSync(document, 'utf8'), name, block));
}

function record(played: readonly Played[]): unknown {
  return {
    machine,
    rows: played.map(({ row, results, checks }) => ({
      row: row.number,
      title: row.title,
      checks: checks.map((check) => ({ ...check, verdict: verdict(check) })),
      rounds: results,
    })),
  };
}

function tell(progress: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${progress}`);
}
