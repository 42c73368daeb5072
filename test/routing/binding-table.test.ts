import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BindingTable, type ExchangeType } from '../../src/routing/binding-table.js';
import type { HeadersMatch } from '../../src/routing/headers-match.js';
import { PatternTrie } from '../../src/routing/pattern-trie.js';
import { topicScenarios } from './topic-cases.js';

type Given = string | HeadersMatch | undefined;

function tableOf(
  type: ExchangeType,
  bindings: readonly (readonly [destination: string, given?: Given])[],
): BindingTable<string> {
  const table = new BindingTable<string>(type);
  for (const [destination, given] of bindings) table.bind(destination, given);
  return table;
}

describe('a direct exchange', () => {
  it('leads to those bound with the very key', () => {
    const table = tableOf('direct', [
      ['q1', 'baz'],
      ['q1', ''],
      ['q2', 'baz'],
      ['q2', 'bar'],
    ]);
    // rabbitmq-java-client Routing.java, mRDQRouting
    expect(table.match('', {})).toEqual(['q1']);
    expect(table.match('foo', {})).toEqual([]);
    expect(table.match('bar', {})).toEqual(['q2']);
    expect(table.match('baz', {})).toEqual(['q1', 'q2']);
  });

  it('knows no wildcards and no names that objects inherit', () => {
    const table = tableOf('direct', [
      ['q1', '#'],
      ['q2', 'a.*'],
    ]);
    for (const key of ['a.b', 'a', '', 'constructor', '__proto__']) expect(table.match(key, {})).toEqual([]);
    expect(table.match('#', {})).toEqual(['q1']);
    table.bind('q3', '__proto__');
    expect(table.match('__proto__', {})).toEqual(['q3']);
  });
});

describe('a fanout exchange', () => {
  it('leads to everybody, whatever the key and headers', () => {
    const table = tableOf('fanout', [['q1'], ['q2'], ['q1']]);
    expect(table.match('', {})).toEqual(['q1', 'q2']);
    expect(table.match('any.key', { any: 'header' })).toEqual(['q1', 'q2']);
    expect(table.size).toBe(2);
  });
});

describe('a topic exchange', () => {
  it.each(topicScenarios)("keeps RabbitMQ's rules: $source", ({ patterns, keys }) => {
    const table = tableOf(
      'topic',
      patterns.map((pattern) => [`queue of ${pattern}`, pattern] as const),
    );
    for (const [key, matching] of Object.entries(keys)) {
      const expected = patterns.filter((pattern) => matching.includes(pattern)).map((pattern) => `queue of ${pattern}`);
      expect(table.match(key, {})).toEqual(expected);
    }
  });

  it('leads to a destination once, though several of its bindings match', () => {
    const table = tableOf('topic', [
      ['q1', 'x.#'],
      ['q1', '#.x'],
    ]);
    expect(table.match('x.x', {})).toEqual(['q1']);
    table.unbind('q1', 'x.#');
    expect(table.match('x.x', {})).toEqual(['q1']);
    expect(table.match('x.y', {})).toEqual([]);
  });
});

describe('a headers exchange', () => {
  it('leads to those whose headers match, whatever the key', () => {
    const table = tableOf('headers', [
      ['invoices', { headers: { type: 'invoice', region: 'eu' } }],
      ['either', { match: 'any', headers: { type: 'invoice', region: 'eu' } }],
      ['everything', { headers: {} }],
      ['either', { headers: { urgent: null } }],
    ]);
    expect(table.match('', { type: 'invoice', region: 'eu', urgent: true })).toEqual([
      'invoices',
      'either',
      'everything',
    ]);
    expect(table.match('a.key', { region: 'eu' })).toEqual(['either', 'everything']);
    expect(table.match('', { urgent: null })).toEqual(['everything', 'either']);
    table.unbind('everything', { headers: {} });
    expect(table.match('', {})).toEqual([]);
  });

  it('takes two bindings of equal headers for one', () => {
    const table = new BindingTable<string>('headers');
    expect(table.bind('q', { headers: { a: 1, b: 'x' } })).toBe(true);
    expect(table.bind('q', { match: 'all', headers: { b: 'x', a: 1 } })).toBe(false);
    expect(table.bind('q', { match: 'any', headers: { a: 1, b: 'x' } })).toBe(true);
    expect(table.bind('q', { headers: { a: '1', b: 'x' } })).toBe(true);
    expect(table.size).toBe(3);
    expect(table.unbind('q', { headers: { b: 'x', a: 1 } })).toBe(true);
    expect(table.size).toBe(2);
  });
});

const given: Record<ExchangeType, readonly Given[]> = {
  direct: ['a', 'b', ''],
  topic: ['a', 'a.*', 'a.#', '#'],
  fanout: [undefined],
  headers: [{ headers: {} }, { match: 'any', headers: { a: 1 } }, { headers: { a: 1, b: null } }],
};
const types = Object.keys(given) as ExchangeType[];

describe.each(types)('the bindings of a %s exchange', (type) => {
  const some = given[type];

  it('are listed in the order of binding, each once, as they were given', () => {
    const table = new BindingTable<string>(type);
    for (const destination of ['q2', 'q1']) for (const one of some) table.bind(destination, one);
    for (const one of some) expect(table.bind('q2', one)).toBe(false);
    const shown = (destination: string, one: Given): object =>
      one === undefined
        ? { destination }
        : typeof one === 'string'
          ? { destination, pattern: one }
          : { destination, match: one };
    expect(table.list()).toStrictEqual([
      ...some.map((one) => shown('q2', one)),
      ...some.map((one) => shown('q1', one)),
    ]);
    expect(table.size).toBe(2 * some.length);
    table.unbind('q2', some[0]);
    table.bind('q2', some[0]);
    expect(table.list().at(-1)).toStrictEqual(shown('q2', some[0]));
  });

  it('go all at once with their destination', () => {
    const table = new BindingTable<string>(type);
    for (const one of some) table.bind('q1', one);
    table.bind('q2', some[0]);
    expect([...table.destinations()]).toEqual(['q1', 'q2']);
    expect(table.unbindAll('q1')).toBe(some.length);
    expect(table.unbindAll('q1')).toBe(0);
    expect([...table.destinations()]).toEqual(['q2']);
    expect(table.size).toBe(1);
    expect(table.match('a', { a: 1, b: 1 })).toEqual(['q2']);
    expect(table.list().map(({ destination }) => destination)).toEqual(['q2']);
  });

  it('that are not there cannot be unbound', () => {
    const table = new BindingTable<string>(type);
    expect(table.unbind('q1', some[0])).toBe(false);
    table.bind('q1', some[0]);
    expect(table.unbind('q2', some[0])).toBe(false);
    expect(table.unbind('q1', some[0])).toBe(true);
    expect(table.unbind('q1', some[0])).toBe(false);
    expect(table.size).toBe(0);
    expect([...table.destinations()]).toEqual([]);
    expect(table.match('a', { a: 1, b: 1 })).toEqual([]);
  });

  it('lead where each of them would, the oldest first, after any changes', () => {
    const change = fc.record({
      destination: fc.constantFrom('q1', 'q2', 'q3'),
      one: fc.nat(some.length - 1),
      kind: fc.constantFrom('bind', 'bind', 'unbind', 'unbindAll'),
    });
    const matches = (one: Given, key: string, headers: Record<string, number>): boolean => {
      const alone = new BindingTable<string>(type);
      alone.bind('it', one);
      return alone.match(key, headers).length === 1;
    };
    fc.assert(
      fc.property(fc.array(change, { maxLength: 20 }), (changes) => {
        const table = new BindingTable<string>(type);
        let model: { destination: string; one: number }[] = [];
        for (const { destination, one, kind } of changes) {
          const same = model.filter((bound) => bound.destination === destination && bound.one === one).length > 0;
          if (kind === 'unbindAll') {
            table.unbindAll(destination);
            model = model.filter((bound) => bound.destination !== destination);
          } else if (kind === 'unbind') {
            table.unbind(destination, some[one]);
            model = model.filter((bound) => bound.destination !== destination || bound.one !== one);
          } else {
            table.bind(destination, some[one]);
            if (!same) model.push({ destination, one });
          }
          expect(table.size).toBe(model.length);
          for (const [key, headers] of [
            ['a', {}],
            ['a.b', { a: 1 }],
            ['', { a: 1, b: 2 }],
            ['b', { a: 2 }],
          ] as const) {
            const matching = model.filter((bound) => matches(some[bound.one], key, headers));
            expect(table.match(key, headers)).toEqual([...new Set(matching.map((bound) => bound.destination))]);
          }
        }
      }),
    );
  });
});

describe('an answer', () => {
  it.each(['direct', 'topic', 'fanout'] as const)(
    'of a %s exchange is the same frozen array until a binding changes',
    (type) => {
      const table = new BindingTable<string>(type);
      const one = given[type][0];
      table.bind('q1', one);
      const answer = table.match('a', {});
      expect(answer).toEqual(['q1']);
      expect(table.match('a', {})).toBe(answer);
      expect(Object.isFrozen(answer)).toBe(true);
      table.bind('q1', one);
      expect(table.match('a', {})).toBe(answer);
      table.bind('q2', one);
      expect(table.match('a', {})).toEqual(['q1', 'q2']);
      expect(answer).toEqual(['q1']);
    },
  );

  it.each(types)('of a %s exchange cannot be changed by who gets it', (type) => {
    const table = new BindingTable<string>(type);
    expect(Object.isFrozen(table.match('a', { a: 1, b: 1 }))).toBe(true);
    table.bind('q1', given[type][0]);
    expect(Object.isFrozen(table.match('a', { a: 1, b: 1 }))).toBe(true);
  });
});

describe('destinations', () => {
  it('may be anything a Map can hold, and two that look alike are two', () => {
    const [one, other] = [{ name: 'q' }, { name: 'q' }];
    const table = new BindingTable<object>('topic');
    table.bind(one, 'a');
    table.bind(other, 'a');
    expect(table.match('a', {})).toEqual([one, other]);
    table.unbindAll(one);
    expect(table.match('a', {})[0]).toBe(other);
  });
});

describe('what does not go with the type is refused, and nothing changes', () => {
  const match = { headers: {} };
  const cases: [type: ExchangeType, given: unknown, says: string][] = [
    ['direct', undefined, 'a binding of a direct exchange takes a routing key, a string; got undefined'],
    ['direct', match, 'a binding of a direct exchange takes a routing key, a string; got an object'],
    ['direct', 7, 'a string; got 7'],
    ['topic', undefined, 'a binding of a topic exchange takes a pattern, a string; got undefined'],
    ['topic', null, 'a string; got null'],
    ['topic', match, 'a binding of a topic exchange takes a pattern, a string; got an object'],
    ['topic', ['a'], 'a string; got an array of 1'],
    ['fanout', 'a.b', 'a binding of a fanout exchange takes no pattern or match; got "a.b"'],
    ['fanout', '', 'a binding of a fanout exchange takes no pattern or match; got ""'],
    ['fanout', match, 'a binding of a fanout exchange takes no pattern or match; got an object'],
    ['fanout', null, 'got null'],
    ['headers', undefined, 'a binding of a headers exchange takes a HeadersMatch, { match?, headers }; got undefined'],
    ['headers', 'a.b', 'a binding of a headers exchange takes a HeadersMatch, { match?, headers }; got "a.b"'],
    ['headers', null, 'got null'],
    ['headers', { header: {} }, 'HeadersMatch has no "header"'],
    ['headers', { headers: { a: [] } }, 'HeadersMatch.headers["a"] must be a string'],
  ];

  it.each(cases)('%s and %o', (type, wrong, says) => {
    const table = new BindingTable<string>(type);
    table.bind('q', given[type][0]);
    for (const refused of [() => table.bind('p', wrong as Given), () => table.unbind('q', wrong as Given)]) {
      expect(refused).toThrow(TypeError);
      expect(refused).toThrow(says);
    }
    expect(table.list().map(({ destination }) => destination)).toEqual(['q']);
  });
});

it('a table of a hundred thousand bindings unbinds a destination without touching the others', () => {
  const table = new BindingTable<string>('topic');
  for (let i = 0; i < 100_000; i++) table.bind(`q${i % 1000}`, `order.${i}.#`);
  expect(table.match('order.1007.paid', {})).toEqual(['q7']);
  expect(table.unbindAll('q7')).toBe(100);
  expect(table.match('order.1007.paid', {})).toEqual([]);
  expect(table.match('order.1008.paid', {})).toEqual(['q8']);
  expect(table.size).toBe(99_900);
  // As if those bindings had never been: the same answers as a trie without them.
  const without = new PatternTrie<string>();
  for (let i = 0; i < 100_000; i++) if (i % 1000 !== 7) without.add(`order.${i}.#`, `q${i % 1000}`);
  for (const key of ['order.7', 'order.99007.x', 'order.8']) expect(table.match(key, {})).toEqual(without.match(key));
});
