import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatternTrie } from '../../src/routing/pattern-trie.js';
import { topicCases, topicScenarios } from './topic-cases.js';

function trieOf<V = string>(entries: Iterable<readonly [pattern: string, value: V]>): PatternTrie<V> {
  const trie = new PatternTrie<V>();
  for (const [pattern, value] of entries) trie.add(pattern, value);
  return trie;
}

/** How many words and nodes the trie visits for `key`. */
function cost<V>(trie: PatternTrie<V>, key: string): number {
  const before = trie.visited;
  trie.match(key);
  return trie.visited - before;
}

const repeat = (word: string, times: number): string => Array(times).fill(word).join('.');

/** The definition, word by word. */
function matchesNaively(pattern: readonly string[], key: readonly string[]): boolean {
  const [first, ...others] = pattern;
  if (first === undefined) return key.length === 0;
  if (first === '#') {
    return matchesNaively(others, key) || (key.length > 0 && matchesNaively(pattern, key.slice(1)));
  }
  return key.length > 0 && (first === '*' || first === key[0]) && matchesNaively(others, key.slice(1));
}
const wordsOf = (text: string): string[] => (text === '' ? [] : text.split('.'));

const key = fc.array(fc.constantFrom('a', 'b', '', '*', '#'), { maxLength: 7 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'b', '', '*') }, fc.constant('#')), { maxLength: 7 })
  .map((words) => words.join('.'));

describe("RabbitMQ's topic rules", () => {
  it('are collected in more than 100 cases that match and 100 that do not', () => {
    const distinct = new Map(topicCases.map((one) => [JSON.stringify([one.pattern, one.key]), one.matches]));
    const matching = [...distinct.values()].filter(Boolean).length;
    expect(matching).toBeGreaterThan(100);
    expect(distinct.size - matching).toBeGreaterThan(100);
  });

  it.each(topicCases)("'$pattern' and '$key': $matches ($source)", ({ pattern, key, matches }) => {
    expect(trieOf([[pattern, 'it']]).match(key)).toEqual(matches ? ['it'] : []);
  });

  it.each(topicScenarios)('with all bindings in one exchange: $source', ({ patterns, keys }) => {
    const trie = trieOf(patterns.map((pattern) => [pattern, pattern] as const));
    for (const [key, matching] of Object.entries(keys))
      expect([...trie.match(key)].sort()).toEqual([...matching].sort());
  });

  it('hold on after bindings are removed', () => {
    const { patterns, keys } = topicScenarios[0]!;
    // routing_SUITE removes t1, t5, t11, t19 and t21; 'a.b.c' stays as t20.
    const removed = ['#', 'a.#', 'vodka.martini', '*.#'];
    const trie = trieOf(patterns.map((pattern) => [pattern, pattern] as const));
    for (const pattern of removed) expect(trie.remove(pattern, pattern)).toBe(true);
    for (const [key, matching] of Object.entries(keys)) {
      const left = matching.filter((pattern) => !removed.includes(pattern));
      expect([...trie.match(key)].sort()).toEqual(left.sort());
    }
  });
});

describe('a pattern trie', () => {
  it('agrees with the definition, on any patterns added and removed in any order', () => {
    const change = fc.record({ pattern, value: fc.nat(5), remove: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 25 }),
        fc.array(key, { minLength: 1, maxLength: 8 }),
        (changes, keys) => {
          const trie = new PatternTrie<number>();
          const model: { pattern: string; value: number }[] = [];
          for (const { pattern, value, remove } of changes) {
            const at = model.findIndex((one) => one.pattern === pattern && one.value === value);
            const changed = remove ? trie.remove(pattern, value) : trie.add(pattern, value);
            expect(changed).toBe(remove === at >= 0);
            if (changed && remove) model.splice(at, 1);
            else if (changed) model.push({ pattern, value });
            expect(trie.size).toBe(model.length);
            for (const key of keys) {
              const matching = model.filter((one) => matchesNaively(wordsOf(one.pattern), wordsOf(key)));
              expect(trie.match(key)).toEqual([...new Set(matching.map((one) => one.value))]);
            }
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  it('agrees with the definition on long patterns that are mostly #', () => {
    const hashy = fc
      .array(fc.constantFrom('#', '#', 'a', 'b', '*'), { minLength: 5, maxLength: 12 })
      .map((words) => words.join('.'));
    const long = fc.array(fc.constantFrom('a', 'b'), { maxLength: 12 }).map((words) => words.join('.'));
    fc.assert(
      fc.property(fc.uniqueArray(hashy, { minLength: 1, maxLength: 6 }), fc.array(long), (patterns, keys) => {
        const trie = trieOf(patterns.map((pattern) => [pattern, pattern] as const));
        for (const key of keys) {
          const expected = patterns.filter((pattern) => matchesNaively(wordsOf(pattern), wordsOf(key)));
          expect(trie.match(key)).toEqual(expected);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives each value once, the one whose oldest matching pattern was added first first', () => {
    const trie = trieOf([
      ['a.b', 'late'],
      ['x', 'early'],
      ['#', 'second'],
      ['a.*', 'early'],
      ['*.b', 'second'],
    ]);
    expect(trie.match('a.b')).toEqual(['late', 'second', 'early']);
    expect(trie.match('x')).toEqual(['early', 'second']);
    trie.remove('a.b', 'late');
    trie.add('#.b', 'late');
    expect(trie.match('a.b')).toEqual(['second', 'early', 'late']);
  });

  it('holds a pattern and value once, and knows what it does not hold', () => {
    const trie = new PatternTrie<string>();
    expect(trie.add('a.#', 'q')).toBe(true);
    expect(trie.add('a.#', 'q')).toBe(false);
    expect(trie.size).toBe(1);
    for (const unknown of ['a', 'a.#.b', 'a.*', '', 'b.#']) expect(trie.remove(unknown, 'q')).toBe(false);
    expect(trie.remove('a.#', 'other')).toBe(false);
    expect(trie.match('a.b')).toEqual(['q']);
    expect(trie.remove('a.#', 'q')).toBe(true);
    expect(trie.size).toBe(0);
    expect(trie.match('a.b')).toEqual([]);
  });

  it('keeps nothing of patterns that were removed', () => {
    const patterns = topicScenarios.flatMap((scenario) => scenario.patterns);
    const trie = trieOf(patterns.map((pattern) => [pattern, pattern] as const));
    for (const pattern of new Set(patterns)) trie.remove(pattern, pattern);
    // Only the root is left to visit, with the first word, and it leads nowhere.
    for (const key of ['a.b.c', 'foo.bar', 'vodka.gin', '.0.a.b.c']) expect(cost(trie, key)).toBe(2);
  });

  it('costs what its patterns cost, whatever values they have and had, and what was removed', () => {
    const related = fc.constantFrom('#.a', '#.b.#', '#.a.#.b', '#.a.#');
    const some = fc.uniqueArray(fc.tuple(fc.oneof(related, pattern), fc.nat(2)), { maxLength: 10, selector: String });
    fc.assert(
      fc.property(some, some, fc.array(key, { minLength: 1 }), (stay, go, keys) => {
        const stays = new Set(stay.map(String));
        const trie = trieOf([...go, ...stay]);
        for (const [pattern, value] of go) if (!stays.has(String([pattern, value]))) trie.remove(pattern, value);
        const bare = trieOf(stay.map(([pattern]) => [pattern, 0] as const));
        for (const key of keys) expect(cost(trie, key)).toBe(cost(bare, key));
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the other values of a pattern when one goes, each once', () => {
    for (const gone of ['q', 'r', 's']) {
      const left = ['q', 'r', 's'].filter((value) => value !== gone);
      const trie = trieOf(['q', 'r', 's'].map((value) => ['a.*', value] as const));
      expect(trie.remove('a.*', gone)).toBe(true);
      expect(trie.remove('a.*', gone)).toBe(false);
      for (const value of left) expect(trie.add('a.*', value)).toBe(false);
      expect(trie.match('a.b')).toEqual(left);
      expect(trie.add('a.*', gone)).toBe(true);
      expect(trie.match('a.b')).toEqual([...left, gone]);
      expect(trie.size).toBe(3);
    }
  });
});

describe('the cost of a match, in words and nodes visited', () => {
  it('does not grow with the number of patterns', () => {
    const patternsFor = (count: number) =>
      Array.from({ length: count }, (_, i) => [`order.region${i}.*.created.#`, `queue${i}`] as const);
    const few = trieOf(patternsFor(10));
    const many = trieOf(patternsFor(20_000));
    for (const key of ['order.region3.eu.created', 'order.region3.eu.created.by.hand', 'order.other', 'user.created']) {
      expect(many.match(key)).toEqual(few.match(key));
      expect(cost(many, `${key}.again`)).toBe(cost(few, `${key}.again`));
    }
  });

  it('is that of one # for #.a.#.a.#…, matched or not', () => {
    for (const hashes of [1, 10, 100, 1000]) {
      const trie = trieOf([
        [`${repeat('#.a', hashes)}.#`, 'matches'],
        [`${repeat('#.a', hashes)}.#.b`, 'ends in no b'],
      ]);
      const words = 3000;
      const before = trie.visited;
      expect(trie.match(repeat('a', words))).toEqual(['matches']);
      expect(trie.visited - before).toBeLessThanOrEqual(3 * words + 2 * hashes);
    }
  });

  it('is at most words times nodes where every # has a way out of its own', () => {
    const hashes = 40;
    const words = 200;
    const entries = Array.from({ length: hashes }, (_, i) => [`${repeat('#.a', i + 1)}.*.z`, i] as const);
    const nodes = hashes * 2 + hashes * 2 + 1;
    const trie = trieOf(entries);
    expect(trie.match(repeat('a', words))).toEqual([]);
    expect(trie.visited).toBeLessThanOrEqual(words * (nodes + 1));
    expect(trie.match(`${repeat('a', words)}.z`)).toHaveLength(hashes);
  });

  it('ends where no pattern goes on', () => {
    const trie = trieOf([
      ['a.b', 'q'],
      ['user.#', 'r'],
    ]);
    expect(cost(trie, `x.${repeat('y', 1000)}`)).toBe(2);
    expect(cost(trie, `user.${repeat('y', 1000)}`)).toBe(4);
  });
});

describe('hostile keys and patterns', () => {
  const megabyte = 1 << 20;

  it('of a megabyte are ordinary ones', () => {
    const word = 'w'.repeat(megabyte);
    const words = repeat('a', megabyte / 2);
    const trie = trieOf([
      [word, 'one long word'],
      [words, 'many words'],
      ['*', 'star'],
      ['#.a', 'ends in a'],
      ['#.b', 'ends in b'],
    ]);
    expect(trie.match(word)).toEqual(['one long word', 'star']);
    expect(trie.match(words)).toEqual(['many words', 'ends in a']);
    expect(trie.remembered).toBe(0);
    expect(trie.remove(words, 'many words')).toBe(true);
    expect(trie.match(words)).toEqual(['ends in a']);
  });

  it('with thousands of # against a megabyte take one pass', () => {
    const trie = trieOf([
      [repeat('#', 5000), 'only #'],
      [`${repeat('#.a', 5000)}.#.b`, 'no'],
      [`${repeat('#.*', 5000)}.#`, 'yes'],
    ]);
    const words = megabyte / 2;
    expect(trie.match(repeat('a', words))).toEqual(['only #', 'yes']);
    expect(trie.visited).toBeLessThan(5 * words);
  });

  it('of words that objects inherit match themselves only', () => {
    const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'prototype', 'valueOf'];
    const empty = new PatternTrie<string>();
    empty.add('a', 'a');
    for (const name of names) expect(empty.match(name)).toEqual([]);
    const trie = trieOf(
      names.flatMap((name) => [[name, name] as const, [`${name}.polluted`, `${name} more`] as const]),
    );
    for (const name of names) {
      expect(trie.match(name)).toEqual([name]);
      expect(trie.match(`${name}.polluted`)).toEqual([`${name} more`]);
    }
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    for (const name of names) expect(trie.remove(name, name)).toBe(true);
    for (const name of names) expect(trie.match(name)).toEqual([]);
  });

  it('of any text at all match by their words', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (one, other) => {
        fc.pre(!/(^|\.)[*#](\.|$)/.test(one));
        const trie = trieOf([[one, 'it']]);
        expect(trie.match(one)).toEqual(['it']);
        expect(trie.match(other)).toEqual(one === other ? ['it'] : []);
      }),
    );
  });
});

describe('what it remembers', () => {
  it('is the answer itself, until a pattern comes or goes', () => {
    const trie = trieOf([
      ['a.*', 'q'],
      ['#', 'r'],
    ]);
    const first = trie.match('a.b');
    expect(Object.isFrozen(first)).toBe(true);
    const visited = trie.visited;
    expect(trie.match('a.b')).toBe(first);
    expect(trie.visited).toBe(visited);

    trie.add('a.b', 's');
    expect(trie.match('a.b')).toEqual(['q', 'r', 's']);
    trie.remove('#', 'r');
    expect(trie.match('a.b')).toEqual(['q', 's']);
    expect(first).toEqual(['q', 'r']);
  });

  it('includes that nothing matches', () => {
    const trie = trieOf([['a', 'q']]);
    expect(cost(trie, 'b')).toBe(2);
    expect(cost(trie, 'b')).toBe(0);
  });
});
