import assert from 'node:assert/strict';
import type { Body } from '../../storage/storage.js';
import { append, assertBody, assertHead, type Check, numbers, type Subject } from './subject.js';

const megabyte = 1 << 20;

/** What codecs make: well-formed strings (JSON escapes lone surrogates) and bytes. Name and body. */
const bodies: readonly (readonly [name: string, body: Body])[] = [
  ['the empty string', ''],
  ['JSON', '{"id":1,"list":[null,true,"x"]}'],
  ['control characters', '\0\u0001\n\r\n\t\u007f\u2028\ufeff'],
  ['characters of one to four bytes', 'aé€😀ñ語🏳️‍🌈'],
  ['escaped lone surrogates', JSON.stringify('\ud800 and \udfff')],
  ['a megabyte of text', 'sluice! '.repeat(megabyte / 8)],
  ['a megabyte of wide text', '語'.repeat(megabyte / 3)],
  ['no bytes', new Uint8Array(0)],
  ['every byte', Uint8Array.from(numbers(256))],
  ['bytes that are no UTF-8', new Uint8Array([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])],
  ['a piece of a larger buffer', Uint8Array.from(numbers(256)).subarray(100, 110)],
  ['a Buffer', Buffer.from('from Buffer')],
  ['a megabyte of bytes', new Uint8Array(megabyte).fill(7)],
  ['no body', undefined],
];

class TextualHead {
  readonly id = 7;
  readonly hidden = 'not in the JSON';
  toJSON(): object {
    return { id: this.id, via: 'toJSON' };
  }
}

const heads: readonly (readonly [name: string, head: object])[] = [
  ['nothing', {}],
  ['every kind of value', { s: 'x', n: -1.5e-7, big: Number.MAX_SAFE_INTEGER, yes: true, no: false, nil: null }],
  ['nested values', { a: [1, [2, { b: [] }]], c: { d: { e: {} } } }],
  ['keys that objects have', JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"toString":3,"":4}') as object],
  ['unicode and control characters', { '😀\0\n"\\': '語\u2028\u0000' }],
  ['lone surrogates', { '\ud800': '\udfff', cut: 'x\ud83d' }],
  ['a class with toJSON', new TextualHead()],
  ['100 KB', { text: 'é'.repeat(50_000) }],
];

/** Writes one entry of each kind into `log`. */
export async function writeEveryKind(subject: Subject, log: string): Promise<void> {
  for (const [name, body] of bodies) await subject.write(append(log, body, { name }));
  await subject.write(...heads.map(([name, head]) => append(log, name, head)));
}

/** Expects what writeEveryKind() wrote. */
export async function assertEveryKind(subject: Subject, log: string): Promise<void> {
  const found = await subject.all(log);
  assert.deepEqual(
    found.map(({ offset }) => offset),
    numbers(bodies.length + heads.length),
  );
  for (const [i, [name, body]] of bodies.entries()) {
    assertHead(found[i]?.entry.head, { name });
    assertBody(found[i]?.entry.body, body);
  }
  for (const [i, [name, head]] of heads.entries()) {
    assertHead(found[bodies.length + i]?.entry.head, head);
    assertBody(found[bodies.length + i]?.entry.body, name);
  }
}

/** What is read equals what was written: heads by their JSON, bodies by characters or bytes. */
export function entries(check: Check): void {
  for (const [name, body] of bodies) {
    check(`body: ${name}`, async (subject) => {
      await subject.append('log', 'before', body, 'after');
      const found = await subject.bodies('log');
      assert.equal(found.length, 3);
      assert.deepEqual([found[0], found[2]], ['before', 'after']);
      assertBody(found[1], body);
    });
  }

  check('body: a string is no bytes, and bytes are no string', async (subject) => {
    await subject.append('log', 'abc', new Uint8Array([97, 98, 99]));
    const [text, bytes] = await subject.bodies('log');
    assertBody(text, 'abc');
    assertBody(bytes, new Uint8Array([97, 98, 99]));
  });

  check('body: of every kind, in one batch', async (subject) => {
    await subject.append('log', ...bodies.map(([, body]) => body));
    const found = await subject.bodies('log');
    assert.equal(found.length, bodies.length);
    for (const [i, [, body]] of bodies.entries()) assertBody(found[i], body);
  });

  for (const [name, head] of heads) {
    check(`head: ${name}`, async (subject) => {
      await subject.write(append('log', 'body', head), append('log', undefined, head));
      const found = await subject.all('log');
      assert.equal(found.length, 2);
      for (const { entry } of found) assertHead(entry.head, head);
    });
  }

  check('head: no key of it reaches a prototype', async (subject) => {
    await subject.write(append('log', 'x', JSON.parse('{"__proto__":{"polluted":true}}') as object));
    const [found] = await subject.all('log');
    assert.equal(JSON.stringify(found?.entry.head), '{"__proto__":{"polluted":true}}');
    assert.equal(({} as { polluted?: unknown }).polluted, undefined);
  });

  check('head: one head and body may be written to many logs', async (subject) => {
    const entry = { head: { shared: true }, body: 'shared' };
    await subject.write(...['a', 'b', 'c'].map((log) => ({ type: 'append', log, entry }) as const));
    await subject.write({ type: 'drop', log: 'a', from: 0, to: 1 });
    for (const log of ['b', 'c']) {
      const [found] = await subject.all(log);
      assertHead(found?.entry.head, { shared: true });
      assertBody(found?.entry.body, 'shared');
    }
  });
}
