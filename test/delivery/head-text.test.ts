import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Head, rare } from '../../src/delivery/head.js';
import { readHead } from '../../src/delivery/head-text.js';
import { Identities } from '../../src/delivery/identities.js';
import { NamedHead } from '../../src/delivery/named-head.js';

const SIZE = 17;

/** As it is read by itself, and with a body behind it. */
function readsAsJson(json: string): void {
  const head = Head.from(JSON.parse(json) as object, SIZE);
  for (const body of ['', '"a body"', ',"k":"b"}', '"}']) {
    expect(readHead(json + body, json.length, SIZE)).toStrictEqual(head);
  }
}

describe('A head that was stored', () => {
  test.each([
    '{"i":"0mjuohs00ceuiz600001"}',
    '{"i":"0mjuohs00ceuiz600001","k":"key-17","r":""}',
    '{"i":"0mjuohs00ceuiz600001","k":"a\\"b"}',
    '{"i":"0mjuohs00ceuiz600001","k":"a\\\\","r":"b\\n"}',
    '{"i":"0mjuohs00ceuiz600001","r":"a","p":3}',
    '{"i":"0mjuohs00ceuiz600001","h":{"k":"v"}}',
    '{"i":"a","t":1795000000000,"q":17,"k":"key-17"}',
    '{"i":"a\\"b","t":0}',
    '{"i":"a\\",\\"k\\":\\"b","t":0}',
    '{"i":"\\\\","t":0,"k":"\\\\"}',
    '{"i":"","t":0,"k":"ü, \\u2028 and 語"}',
  ])('is read as its JSON has it: %s', readsAsJson);

  it('is read as its JSON has it, whatever its texts', () => {
    const identities = new Identities();
    const text = fc.string({ unit: 'binary', maxLength: 9 });
    const maybe = fc.option(text, { nil: undefined });
    const extra = fc.constantFrom(undefined, rare({ priority: 2 }), rare({ headers: { k: '"' } }));
    fc.assert(
      fc.property(maybe, fc.nat(), maybe, maybe, extra, (id, now, key, routingKey, extra) => {
        identities.next(now);
        const { seconds, tick } = identities;
        const head =
          id === undefined
            ? new NamedHead(identities.text(), identities, SIZE, key, routingKey, extra)
            : new Head(id, seconds, tick, SIZE, key, routingKey, extra);
        readsAsJson(head.json());
        expect(readHead(head.json(), head.json().length, SIZE)).toMatchObject({ seconds, tick, key, routingKey });
      }),
    );
  });
});
