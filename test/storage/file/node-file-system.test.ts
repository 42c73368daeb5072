import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { nodeFileSystem } from '../../../src/storage/file/node-file-system.js';

const isLinux = process.platform === 'linux';

describe('the file system of this machine', () => {
  it('knows its own process, and no other under its pid', async () => {
    const me = await nodeFileSystem.owner();
    expect(await nodeFileSystem.isAlive(me)).toBe(true);
    expect(await nodeFileSystem.isAlive({ ...me, started: '1' })).toBe(!isLinux);
    expect(await nodeFileSystem.isAlive({ ...me, boot: 'another' })).toBe(false);
  });

  it('takes a process that ended and that nobody has waited for as gone', async () => {
    const { boot } = await nodeFileSystem.owner();
    // The child of a shell that has become something else by the time it ends: what that is never asks for it.
    const script = 'cat <&3 >/dev/null & echo $!; exec sleep 60 3<&-';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    try {
      const [said] = (await once(parent.stdout!, 'data')) as [Buffer];
      const pid = Number(said.toString());
      const about = (id: number, what: string): string =>
        isLinux ? readFileSync(`/proc/${id}/${what}`, 'latin1') : '';
      const until = async (is: () => boolean): Promise<void> => {
        while (isLinux && !is()) await new Promise((resolve) => setImmediate(resolve));
      };
      await until(() => about(parent.pid!, 'comm') === 'sleep\n');
      const stat = about(pid, 'stat');
      const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
      expect(await nodeFileSystem.isAlive({ pid, started, boot })).toBe(true);
      (parent.stdio[3] as Writable).end();
      await until(() => /\) Z/.test(about(pid, 'stat')));
      expect(await nodeFileSystem.isAlive({ pid, started, boot })).toBe(!isLinux);
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('makes directories and files that nobody else can read', async () => {
    const root = mkdtempSync(join(tmpdir(), 'sluice-modes-'));
    try {
      const directory = join(root, 'a', 'b');
      await nodeFileSystem.mkdir(directory);
      const file = await nodeFileSystem.open(join(directory, 'file'), 'make');
      await file.close();
      const modes = [directory, join(directory, 'file')].map((path) => statSync(path).mode & 0o777);
      expect(modes).toEqual(process.platform === 'win32' ? [0o666, 0o666] : [0o700, 0o600]);
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
