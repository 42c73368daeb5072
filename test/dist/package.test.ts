import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
/** A project that has installed the packed package, as a user's would. */
const project = mkdtempSync(join(tmpdir(), 'sluice-project-'));

/** Resolves with the standard output; rejects with everything the command said. */
async function run(command: string, ...args: string[]): Promise<string> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: project, env, maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

beforeAll(async () => {
  if (!existsSync(join(dist, 'index.js'))) throw new Error('there is no dist: npm run build comes first');
  await run('npm', 'pack', root, '--silent', '--ignore-scripts');
  const tarball = readdirSync(project).find((file) => file.endsWith('.tgz'));
  cpSync(join(root, 'test/dist/project'), project, { recursive: true });
  const devDependencies = {
    '@types/node': '20.19.43',
    jest: '30.5.2',
    typescript: '5.9.3',
    oldest: 'npm:typescript@5.4.5',
  };
  const jest = { transform: {}, cacheDirectory: '<rootDir>/.jest-cache' };
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, dependencies: { sluice: `file:${tarball}` }, devDependencies, jest }),
  );
  await run('npm', 'install', '--silent', '--no-audit', '--no-fund');
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

const printed = { heard: [{ hello: 'world' }], refused: true, kit: true };

describe('the packed package', () => {
  it('works when imported', async () => {
    expect(JSON.parse(await run(process.execPath, 'program.mjs'))).toEqual(printed);
  });

  it('works when required', async () => {
    expect(JSON.parse(await run(process.execPath, 'program.cjs'))).toEqual(printed);
  });

  it('gives the same exports to require and import, and in the CommonJS build', async () => {
    const found: unknown = JSON.parse(await run(process.execPath, 'exports.mjs'));
    expect(found).toMatchObject({
      names: {
        sluice: expect.arrayContaining(['Broker', 'SluiceError']),
        'sluice/testing': expect.arrayContaining(['ManualClock', 'testBroker']),
      },
      differences: [],
    });
  });

  it('works under Jest, required and imported, on the oldest Node', async () => {
    const args = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--ci', '--json'];
    const node = process.versions.node.startsWith('20.') ? [process.execPath] : ['npx', '-y', '-p', 'node@20', 'node'];
    const [command = '', ...first] = node;
    expect(JSON.parse(await run(command, ...first, ...args))).toMatchObject({ success: true, numPassedTests: 2 });
  });

  it.each([
    ['node16', 'node16', ['program.mts', 'program.cts']],
    ['nodenext', 'nodenext', ['program.mts', 'program.cts']],
    ['bundler', 'esnext', ['program.ts']],
  ])(
    'type-checks with %s resolution, in the newest and the oldest TypeScript',
    async (moduleResolution, module, files) => {
      const folder = join(project, moduleResolution);
      mkdirSync(folder);
      for (const file of files) cpSync(join(project, 'typed.ts'), join(folder, file));
      const compilerOptions = {
        module,
        moduleResolution,
        target: 'es2022',
        lib: ['es2022', 'esnext.disposable'],
        types: ['node'],
        strict: true,
        noEmit: true,
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      for (const compiler of ['typescript', 'oldest']) {
        expect(await run(process.execPath, `node_modules/${compiler}/bin/tsc`, '--project', folder)).toBe('');
      }
    },
  );
});

it('names every package that the build has bundled in the third-party notices, and no other', () => {
  const bundled = (extension: string): string[] => {
    const maps = readdirSync(dist).filter((file) => file.endsWith(`${extension}.map`));
    const sources = maps.flatMap((file) => {
      const { sources } = JSON.parse(readFileSync(join(dist, file), 'utf8')) as { sources: string[] };
      return sources.map((source) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(source)?.[1]);
    });
    return [...new Set(sources.filter((name) => name !== undefined))];
  };
  const notices = readFileSync(join(root, 'THIRD_PARTY_NOTICES.md'), 'utf8');
  expect(new Set(bundled('.cjs'))).toEqual(new Set([...notices.matchAll(/^## (.+)$/gm)].map(([, name]) => name)));
  expect(bundled('.js')).toEqual([]);
});
