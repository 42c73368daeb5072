import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { flaws as engineFlaws, type Flaw } from './flaws.js';
import { groupFlaws } from './group-flaws.js';
import { storageFlaws } from './storage-flaws.js';
import { survivalFlaws } from './survival-flaws.js';

/*
 * Do the tests have teeth? Puts one flaw at a time into a copy of the sources and runs the tests that have to notice.
 *
 *     npm run prove:teeth -- [--only <part of a name>]
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = ['src', 'test', 'docs', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
/** Runs side by side, each in a copy of its own. */
const AT_ONCE = 2;
/** A flaw that makes the engine spin is noticed, too: ms for the tests of one flaw, and for all of them without any. */
const PATIENCE = 60_000;
const PATIENCE_FOR_ALL = 900_000;

interface Verdict {
  /** The first test that failed, or how else the run ended badly. undefined: everything passed. */
  readonly caught: string | undefined;
  /** The tests could not be run: that says nothing about the flaw. */
  readonly broken: boolean;
  readonly seconds: number;
}

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** A copy of the project in which one line may be wrong. */
class Copy {
  private readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory);
    for (const name of COPIED) cpSync(join(ROOT, name), join(directory, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'dir');
  }

  misfit({ file, find }: Flaw): string | undefined {
    const path = join(this.directory, 'src', file);
    const times = existsSync(path) ? readFileSync(path, 'utf8').split(find).length - 1 : 0;
    return times === 1 ? undefined : `src/${file} has ${times} times: ${find}`;
  }

  async judge({ file, find, replace, tests }: Flaw): Promise<Verdict> {
    const path = join(this.directory, 'src', file);
    const sound = readFileSync(path, 'utf8');
    // A function, since `$` in a replacement text has a meaning.
    writeFileSync(
      path,
      sound.replace(find, () => replace),
    );
    try {
      return await this.run(tests);
    } finally {
      writeFileSync(path, sound);
    }
  }

  async run(tests: readonly string[], patience = PATIENCE): Promise<Verdict> {
    const output = join(this.directory, 'report.json');
    rmSync(output, { force: true });
    const began = performance.now();
    const ended = await this.vitest(tests, output, patience);
    const seconds = (performance.now() - began) / 1000;
    if (ended === 'late') return { caught: `no end after ${patience / 1000} s`, broken: false, seconds };
    if (ended.code === 0) return { caught: undefined, broken: false, seconds };
    const report = existsSync(output) ? (JSON.parse(readFileSync(output, 'utf8')) as Report) : { testResults: [] };
    for (const { assertionResults } of report.testResults) {
      const failed = assertionResults.find(({ status }) => status === 'failed');
      if (failed !== undefined) return { caught: failed.fullName, broken: false, seconds };
    }
    const unloaded = report.testResults.find(({ status }) => status === 'failed');
    if (unloaded !== undefined || report.testResults.length === 0) {
      return { caught: unloaded?.message ?? ended.said.slice(-2000), broken: true, seconds };
    }
    return { caught: 'an error outside of all tests', broken: false, seconds };
  }

  private vitest(
    tests: readonly string[],
    output: string,
    patience: number,
  ): Promise<{ readonly code: number | null; readonly said: string } | 'late'> {
    const runner = join('node_modules', 'vitest', 'vitest.mjs');
    const files = tests.map((test) => join('test', test));
    const options = ['--bail', '1', '--typecheck.enabled=false', '--maxWorkers', '1'];
    const reporting = ['--reporter', 'json', '--outputFile', output];
    return new Promise((resolve, reject) => {
      // A process group of its own, so that a worker that spins ends with it.
      const child = spawn(process.execPath, [runner, 'run', ...files, ...options, ...reporting], {
        cwd: this.directory,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      let late = false;
      const hear = (chunk: Buffer): void => void (said += chunk.toString());
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      const timer = setTimeout(() => {
        late = true;
        process.kill(-child.pid!, 'SIGKILL');
      }, patience);
      child.on('error', reject);
      child.on('close', (code) => {
        clearTimeout(timer);
        resolve(late ? 'late' : { code, said });
      });
    });
  }
}

async function prove(chosen: readonly Flaw[], copies: readonly Copy[]): Promise<number> {
  const misfits = chosen.flatMap((flaw) => copies[0]!.misfit(flaw) ?? []);
  if (misfits.length > 0) return refuse('these flaws do not fit the code any more:', misfits);

  const tests = [...new Set(chosen.flatMap((flaw) => flaw.tests))];
  const sound = await copies[0]!.run(tests, PATIENCE_FOR_ALL);
  if (sound.caught !== undefined) return refuse('the tests fail without any flaw:', [sound.caught]);
  console.log(`${tests.length} test files pass without a flaw, in ${sound.seconds.toFixed(0)} s\n`);

  const width = Math.max(...chosen.map(({ name }) => name.length));
  let survivors = 0;
  const waiting = [...chosen];
  const work = async (copy: Copy): Promise<void> => {
    for (let flaw = waiting.shift(); flaw !== undefined; flaw = waiting.shift()) {
      const { caught, broken, seconds } = await copy.judge(flaw);
      if (caught === undefined || broken) survivors++;
      const by = caught === undefined ? 'NOT CAUGHT' : broken ? `DOES NOT RUN: ${caught}` : caught;
      console.log(`${flaw.name.padEnd(width)}  ${seconds.toFixed(1).padStart(5)} s  ${by}`);
    }
  };
  await Promise.all(copies.map(work));
  console.log(`\n${chosen.length - survivors} of ${chosen.length} flaws caught`);
  return survivors === 0 ? 0 : 1;
}

function refuse(why: string, what: readonly string[]): number {
  console.error([why, ...what].join('\n  '));
  return 1;
}

const flaws = [...engineFlaws, ...survivalFlaws, ...groupFlaws, ...storageFlaws];
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
const chosen = flaws.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  process.exitCode = refuse('no flaw has this in its name:', [values.only]);
} else {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-teeth-'));
  try {
    const copies = Array.from(
      { length: Math.min(AT_ONCE, chosen.length) },
      (_, n) => new Copy(join(directory, `${n}`)),
    );
    process.exitCode = await prove(chosen, copies);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
