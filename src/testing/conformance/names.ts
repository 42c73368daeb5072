import assert from 'node:assert/strict';
import { append, type Check, drop, numbers, remove, type Subject } from './subject.js';

/** Names are data: never paths, never keys of objects, and no two of these are the same. */
const names: readonly string[] = [
  'plain',
  'Plain',
  ' plain',
  'plain ',
  'plain.',
  '.',
  '..',
  '../outside',
  '/etc/outside',
  'a/b\\c',
  'C:\\outside',
  'CON',
  '%2e%2e%2f',
  '*?"<>|:',
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  '0',
  '-1',
  '\0',
  'nul\0inside',
  'line\nbreak\r',
  '\u202e',
  'é',
  'e\u0301',
  '語😀',
  '\ud800',
  '\udfff',
  '\ufffd',
  'x'.repeat(255),
  '語'.repeat(255),
  // Two names of that length and a word: what a group's position in a topic may need.
  '語'.repeat(600),
];

/** Makes a log of every name, each with its name in it and a hole, and one that was removed. */
export async function writeEveryName(subject: Subject): Promise<void> {
  for (const name of names) {
    await subject.append(name, 'gone', JSON.stringify(name), 'gone, too');
    await subject.write(drop(name, 0, 1), drop(name, 2, 3));
  }
  await subject.append('removed', 'x');
  await subject.write(remove('removed'));
}

export async function assertEveryName(subject: Subject): Promise<void> {
  for (const name of names) {
    const found = await subject.all(name);
    assert.deepEqual(
      found.map(({ offset, entry }) => [offset, entry.body]),
      [[1, JSON.stringify(name)]],
      `the log named ${JSON.stringify(name)}`,
    );
  }
}

export function logNames(check: Check): void {
  check('names: of any characters, each a log of its own', async (subject) => {
    await writeEveryName(subject);
    await assertEveryName(subject);
    for (const name of names) assert.deepEqual(await subject.append(name, 'next'), [3]);
  });

  check('names: what objects inherit is no log', async ({ storage }) => {
    for (const name of ['__proto__', 'constructor', 'toString', 'valueOf']) {
      assert.deepEqual(await storage.read(name, 0, { entries: 1, bytes: 1 }), []);
      await storage.write([drop(name, 0, 1), remove(name)]);
    }
    assert.equal(typeof Object.prototype.toString, 'function');
  });

  check('names: a thousand logs', async (subject) => {
    const logs = numbers(1000).map((i) => `log ${i}`);
    await subject.write(...logs.map((log) => append(log, log)));
    await subject.write(...logs.map((log) => append(log, `${log} again`)));
    for (const log of logs) assert.deepEqual(await subject.bodies(log), [log, `${log} again`]);
  });
}
