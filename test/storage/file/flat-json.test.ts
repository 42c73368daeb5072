import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFlat } from '../../../src/storage/file/flat-json.js';

describe('parseFlat()', () => {
  test.each([
    '{}',
    '{"i":"0mjuohs00ceuiz600001"}',
    '{"i":"0mjuohs00ceuiz600001","k":"key-17","r":""}',
    '{"i":"a","t":1795000000000,"q":17,"k":"key-17"}',
    '{"i":"a\\"b","k":"c\\\\"}',
    '{"é":"a","0":"b","":"c"}',
    '{"k":"ü, \\u2028 and 語"}',
    '{"b":[1,2],"e":{"x":"y"},"n":true,"p":null}',
  ])('is JSON.parse(): %s', (text) => {
    expect(parseFlat(text)).toStrictEqual(JSON.parse(text));
  });

  test('is JSON.parse() of whatever JSON.stringify() made of an object', () => {
    const name = fc.oneof(fc.constantFrom('i', 'k', 'r', 't'), fc.string({ unit: 'binary', maxLength: 2 }));
    const value = fc.oneof(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 1 }));
    fc.assert(
      fc.property(fc.dictionary(name, value), (object) => {
        const text = JSON.stringify(object);
        expect(parseFlat(text)).toStrictEqual(JSON.parse(text));
      }),
    );
  });
});
