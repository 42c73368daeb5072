import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Policy } from '../../src/delivery/retry.js';
import { decide, type Outcome } from '../../src/delivery/settle.js';
import { complaints } from './compiler.js';
import { parse, type Document } from './markdown.js';
import { titlesOf } from './titles.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

const paths = ['README.md', ...(await readdir(join(root, 'docs'))).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);
const documents = new Map<string, Document>();
for (const path of paths) documents.set(path, parse(await text(path)));

const all = [...documents].map(([path, document]) => ({ path, document }));
const programs = all.flatMap(({ path, document }) =>
  document.blocks
    .filter(({ language }) => language === 'ts')
    .map((block) => ({ where: `${path}:${block.line}`, ...block })),
);

/** All there are: the compiler sees to it. */
const OUTCOMES = Object.keys({
  ack: true,
  nack: true,
  timeout: true,
  crash: true,
  beside: true,
  reject: true,
  requeue: true,
  abandon: true,
  unbatch: true,
  expiry: true,
  overflow: true,
  invalid: true,
} satisfies Record<Outcome, true>) as Outcome[];

describe('the README', () => {
  it('shows the quick start as it is in examples, in at most 20 lines', async () => {
    const [first] = documents.get('README.md')!.blocks.filter(({ language }) => language === 'ts');
    const quickStart = (await text('examples/quick-start.ts')).trimEnd();
    expect(first?.text).toBe(quickStart);
    expect(quickStart.split('\n').length).toBeLessThanOrEqual(20);
  });

  it('names commands that there are', async () => {
    const scripts = (JSON.parse(await text('package.json')) as { scripts: Record<string, string> }).scripts;
    const commands = [...(await text('README.md')).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!);
    expect(commands).toContain('demo');
    for (const command of commands) expect(scripts).toHaveProperty([command]);
  });

  it('leads to every page of the documentation', () => {
    const reached = documents.get('README.md')!.links.map(({ target }) => target.replace(/#.*/, ''));
    const pages = paths.filter((path) => path.startsWith('docs/') && !UNLISTED.has(path));
    expect(pages.filter((path) => !reached.includes(path))).toEqual([]);
  });
});

/** Pages of what is not part of the package yet. */
const UNLISTED = new Set(['docs/benchmarks.md']);

describe('links', () => {
  it.each(all)('of $path lead to files and headings that there are', async ({ path, document }) => {
    const broken: string[] = [];
    for (const { target, line } of document.links) {
      if (/^https?:/.test(target)) continue;
      const [file, heading] = target.split('#') as [string, string | undefined];
      const found = file === '' ? path : relative(root, resolve(root, dirname(path), file));
      const anchors = heading === undefined ? undefined : parse(await text(found).catch(() => '')).anchors;
      if (!existsSync(join(root, found)) || anchors?.has(heading!) === false) broken.push(`${path}:${line} ${target}`);
    }
    expect(broken).toEqual([]);
  });
});

describe('examples', () => {
  it('compile, and do not where they say so', { timeout: 60_000 }, () => {
    expect(complaints(programs)).toEqual([]);
  });

  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-docs-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  const shown = programs.flatMap(({ where, text: program, next }) =>
    next?.language === 'text' ? [{ where, program, output: next }] : [],
  );
  it.concurrent.each(shown)('of $where write what they show, and end', { timeout: 60_000 }, async (example) => {
    const file = join(directory, `${example.where.replace(/\W/g, '-')}.mts`);
    await writeFile(file, example.program);
    expect(await run(file)).toBe(`${example.output.text}\n`);
  });
});

/** Runs a program as a reader does who pastes it into a file. */
async function run(file: string): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', file], { cwd: root });
  return stdout + stderr;
}

describe('guarantees', () => {
  const { links, lines } = documents.get('docs/guarantees.md')!;

  it('name tests that there are', async () => {
    const missing: string[] = [];
    for (const { text: title, target, line } of links.filter((link) => isTest(link.target))) {
      const titles = titlesOf(await text(join('docs', target)).catch(() => ''));
      if (!titles.has(title)) missing.push(`docs/guarantees.md:${line} ${target} has no ${title}`);
    }
    expect(missing).toEqual([]);
  });

  it('are proved, each of them', () => {
    const unproved: string[] = [];
    for (const [n, { text: line, number, heading }] of lines.entries()) {
      if (!line.startsWith('- ') || heading.startsWith('What is not promised')) continue;
      const rest = lines.slice(n + 1);
      const end = rest.findIndex(({ text: other }) => !other.startsWith('  '));
      const item = [line, ...rest.slice(0, end).map((other) => other.text)].join('\n');
      if (!/\]\(\.\.\/test\//.test(item)) unproved.push(`docs/guarantees.md:${number} ${line}`);
    }
    expect(unproved).toEqual([]);
  });
});

describe('the states of a message', () => {
  const policy: Policy = { attempts: 2, backoff: () => 0, retryIf: () => true, buries: true, buriesOverflow: true };
  const told = (outcome: Outcome, failed: number): string => {
    const decision = decide(outcome, policy, failed, undefined, undefined, undefined);
    if (decision.to === 'acked') return 'acked';
    if (decision.to !== 'waiting') return `dead: ${decision.reason}`;
    return ['waits', decision.failures > failed && 'an attempt counted', decision.alone && 'comes alone']
      .filter(Boolean)
      .join(', ');
  };

  it('are in the concepts as settle.ts decides them', () => {
    const rows = documents
      .get('docs/concepts.md')!
      .lines.map(({ text: line }) => line.split('|').map((cell) => cell.trim()))
      .filter(([, outcome, , left]) => /^`\w+`$/.test(outcome ?? '') && left !== undefined);
    expect(rows.map(([, outcome]) => outcome)).toEqual(OUTCOMES.map((outcome) => `\`${outcome}\``));
    for (const [n, [, , , left, last]] of rows.entries()) {
      const outcome = OUTCOMES[n]!;
      expect({ outcome, left, last }).toEqual({ outcome, left: told(outcome, 0), last: told(outcome, 1) });
    }
  });
});

function isTest(target: string): boolean {
  return target.startsWith('../test/') && target.endsWith('.ts');
}
