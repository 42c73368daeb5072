import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.js';
import { nodeFileSystem } from '../../../src/storage/file/node-file-system.js';
import { FileStorage } from '../../../src/storage/file-storage.js';

/** The bytes of a dump: `0010  53 4c …   what it means`. */
function bytesOf(dump: string): string {
  const rows = dump.match(/^[0-9a-f]{4} {2}(?:[0-9a-f]{2} {1,2}){0,15}[0-9a-f]{2}/gm) ?? [];
  return rows.map((row) => row.slice(6).replace(/ /g, '')).join('');
}

it('docs/storage-format.md shows what is written', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-format-'));
  try {
    // The lock's token, the seed, the run.
    const randoms = [0, 0, 0x5eed5eed, 1];
    const fs = Object.create(nodeFileSystem, { random: { value: () => randoms.splice(0, 1)[0] ?? 7 } });
    const storage = FileStorage.on({ fs, clock: systemClock }, join(directory, 'data'));
    await storage.open();
    await storage.write([{ type: 'append', log: 'greetings', entry: { head: { id: 'a1' }, body: 'Grüße' } }]);
    await storage.write([{ type: 'drop', log: 'greetings', from: 0, to: 1 }]);
    await storage.close();

    const page = readFileSync(new URL('../../../docs/storage-format.md', import.meta.url), 'utf8');
    const [segment, index] = [...page.matchAll(/```\n([\s\S]*?)```/g)].map((match) => bytesOf(match[1]!));
    const hex = (name: string): string => readFileSync(join(directory, 'data', name)).toString('hex');
    expect(hex('0000000001.seg')).toBe(segment);
    expect(hex('0000000001.idx')).toBe(index);
    expect(hex('clean')).toBe(/`clean`: `([0-9a-f ]+)`/.exec(page)![1]!.replace(/ /g, ''));
    expect(hex('format')).toMatch(/^534c434501000000ed5eed5e/);
    expect(statSync(join(directory, 'data')).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'data', '0000000001.seg')).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
