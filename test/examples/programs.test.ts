import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
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

test('the demo refuses options that it does not know, or cannot use', async () => {
  await expect(program('examples/github-webhooks/main.ts', '--seed', 'x')).rejects.toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining("--seed takes a whole number; got 'x'") as string,
  });
  await expect(program('examples/github-webhooks/main.ts', '--data')).rejects.toMatchObject({ code: 2 });
});
