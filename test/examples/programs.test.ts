import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Runs a program as a reader of the examples does. */
function program(path: string, ...args: string[]) {
  return promisify(execFile)(process.execPath, ['--import', 'tsx', path, ...args], { cwd: root });
}

test('the quick start is short, writes what it promises, and ends by itself', async () => {
  const text = await readFile(`${root}/examples/quick-start.ts`, 'utf8');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
  expect(await program('examples/quick-start.ts')).toEqual({
    stdout: [
      'invoice 1: 42 EUR',
      'order.placed 1: mail to ada@example.com, attempt 3',
      'order.paid 1: mail to ada@example.com, attempt 3',
      '',
    ].join('\n'),
    stderr: '',
  });
});

test('the flights refuse options that they do not know, or cannot use', async () => {
  await expect(program('examples/flights/main.ts', '--seed', '-1')).rejects.toMatchObject({ code: 2, stdout: '' });
  await expect(program('examples/flights/main.ts', '--speed', '2')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--speed') as string,
  });
});

test('a shop that is killed half way, and started again, loses none of its orders', async () => {
  const { stdout } = await program('examples/killed-half-way.ts');
  expect(stdout).toMatch(
    /^200 orders accepted; the process is killed half way\nstarted again: 0 lost, [0-9] shipped twice\n$/,
  );
});

test('the demo keeps its messages in a directory, where it is told to, and can be run there again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  try {
    for (let runs = 0; runs < 2; runs++) {
      const { stdout } = await program('examples/github-webhooks/main.ts', '--quiet', '--data', directory);
      expect(stdout).toMatch(/329 webhooks → 9 queues → 596 messages handled.*\n.*✓ all checked/);
    }
    expect(await readdir(directory)).toContain('0000000001.seg');
  } finally {
    await rm(directory, { recursive: true });
  }
}, 60_000);

test('the demo refuses options that it does not know, or cannot use', async () => {
  await expect(program('examples/github-webhooks/main.ts', '--seed', 'x')).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining("--seed takes a whole number; got 'x'") as string,
  });
  await expect(program('examples/github-webhooks/main.ts', '--data')).rejects.toMatchObject({ code: 2 });
});
