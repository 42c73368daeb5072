import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Headers } from '../../src/message.js';
import { HeadersMatcher, type HeadersMatch } from '../../src/routing/headers-match.js';
import { headersCases } from './headers-cases.js';

const parsed = (text: string): Headers => JSON.parse(text) as Headers;

const value = fc.constantFrom<Headers[string]>('1', '', 'a', 1, 0, true, false, null);
const headers = fc.dictionary(fc.constantFrom('a', 'b', 'x-a', 'x-match', '__proto__', 'constructor'), value);
const mode = fc.constantFrom('all', 'any', 'all-with-x', 'any-with-x');

describe("RabbitMQ's headers rules", () => {
  it('are collected in more than 60 cases', () => {
    const distinct = new Set(headersCases.map(({ binding, headers }) => JSON.stringify([binding, headers])));
    expect(distinct.size).toBeGreaterThan(60);
  });

  it.each(headersCases)('$binding and $headers: $matches ($source)', ({ binding, headers, matches }) => {
    expect(new HeadersMatcher(binding).matches(headers)).toBe(matches);
  });

  it('agree with their definition on any binding and message', () => {
    fc.assert(
      fc.property(mode, headers, headers, (match, wanted, given) => {
        const compared = Object.keys(wanted).filter(
          (name) => name !== 'x-match' && (match.endsWith('with-x') || !name.startsWith('x-')),
        );
        const fits = (name: string): boolean =>
          Object.keys(given).includes(name) && (wanted[name] === null || wanted[name] === given[name]);
        const expected = match.startsWith('all') ? compared.every(fits) : compared.some(fits);
        expect(new HeadersMatcher({ match, headers: wanted }).matches(given)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a headers binding', () => {
  it('matches no name that objects inherit', () => {
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const present = new HeadersMatcher({ headers: parsed(`{ "${name}": null }`) });
      expect(present.matches({})).toBe(false);
      expect(present.matches(parsed(`{ "${name}": 1 }`))).toBe(true);
      const one = new HeadersMatcher({ headers: parsed(`{ "${name}": 1 }`) });
      expect(one.matches({})).toBe(false);
      expect(one.matches(parsed(`{ "${name}": 1 }`))).toBe(true);
    }
  });

  it('keeps a copy of what it was given, frozen', () => {
    const headers: Record<string, string | null> = { type: 'order' };
    const matcher = new HeadersMatcher({ headers });
    headers['type'] = 'user';
    headers['more'] = null;
    expect(matcher.matches({ type: 'order' })).toBe(true);
    expect(matcher.given).toEqual({ headers: { type: 'order' } });
    expect(Object.isFrozen(matcher.given) && Object.isFrozen(matcher.given.headers)).toBe(true);
    expect(new HeadersMatcher({ match: 'any', headers: {} }).given).toEqual({ match: 'any', headers: {} });
    const odd = new HeadersMatcher({ headers: parsed('{ "__proto__": 1 }') });
    expect(Object.entries(odd.given.headers)).toEqual([['__proto__', 1]]);
  });

  it('takes a record of any origin', () => {
    const bare = Object.assign(Object.create(null) as Record<string, string>, { a: 'b' });
    expect(new HeadersMatcher({ headers: bare }).matches({ a: 'b' })).toBe(true);
  });

  it('is the same as another with the same form and headers, in whatever order', () => {
    const identity = (match: HeadersMatch): string => new HeadersMatcher(match).identity;
    expect(identity({ headers: { a: 1, b: null } })).toBe(identity({ match: 'all', headers: { b: null, a: 1 } }));
    expect(identity({ match: undefined, headers: {} })).toBe(identity({ match: 'all', headers: {} }));
    const different: HeadersMatch[] = [
      { headers: {} },
      { match: 'any', headers: {} },
      { match: 'all-with-x', headers: {} },
      { match: 'any-with-x', headers: {} },
      { headers: { a: 1 } },
      { headers: { a: '1' } },
      { headers: { a: true } },
      { headers: { a: 'true' } },
      { headers: { a: null } },
      { headers: { a: 'null' } },
      { headers: { a: 1, b: 1 } },
      { headers: { 'a,1': 1 } },
      { headers: { 'x-a': 1 } },
      { headers: { '["a",1]': 1 } },
    ];
    expect(new Set(different.map(identity)).size).toBe(different.length);
  });
});

describe('what is no HeadersMatch is refused', () => {
  const throwing = {
    get a(): string {
      throw new Error('from a getter');
    },
  };
  const cases: [what: string, given: unknown, kind: typeof TypeError | typeof RangeError, says: string][] = [
    ['nothing', undefined, TypeError, 'HeadersMatch.headers must be a record of header values; got undefined'],
    ['null', null, TypeError, 'HeadersMatch must be an object; got null'],
    ['a string', 'a.b', TypeError, 'HeadersMatch must be an object; got "a.b"'],
    ['an array', [], TypeError, 'HeadersMatch must be an object; got an array of 0'],
    [
      'an unknown option',
      { headers: {}, xMatch: 'any' },
      TypeError,
      'HeadersMatch has no "xMatch"; it takes match, headers',
    ],
    ['an AMQP table', { 'x-match': 'any', a: 1 }, TypeError, 'HeadersMatch has no "x-match"'],
    // rabbitmq-java-client HeadersExchangeValidation.java: 23 and "all or any I don't mind" are no x-match.
    ['a number as match', { match: 23, headers: {} }, TypeError, 'HeadersMatch.match must be one of "all", "any"'],
    ['an unknown match', { match: "all or any I don't mind", headers: {} }, RangeError, 'must be one of "all", "any"'],
    ['null as match', { match: null, headers: {} }, TypeError, '"any-with-x"; got null'],
    ['no headers', {}, TypeError, 'HeadersMatch.headers must be a record of header values; got undefined'],
    ['null headers', { headers: null }, TypeError, 'got null'],
    ['headers in an array', { headers: [['a', 1]] }, TypeError, 'HeadersMatch.headers must be a record'],
    ['headers in a Map', { headers: new Map([['a', 1]]) }, TypeError, 'HeadersMatch.headers must be a record'],
    ['an undefined header', { headers: { a: undefined } }, TypeError, 'HeadersMatch.headers["a"] must be a string'],
    ['a header that is an object', { headers: { a: {} } }, TypeError, 'true, false or null; got an object'],
    ['a header that is a Date', { headers: { a: new Date(0) } }, TypeError, 'got a Date'],
    ['a header that is a bigint', { headers: { a: 1n } }, TypeError, 'got 1n'],
    [
      'a header that is NaN',
      { headers: { a: Number.NaN } },
      RangeError,
      'a finite number, true, false or null; got NaN',
    ],
    ['an infinite header', { headers: { a: -Infinity } }, RangeError, 'got -Infinity'],
    ['a getter that throws', { headers: throwing }, TypeError, 'HeadersMatch.headers cannot be read'],
    [
      'another',
      Object.defineProperty({}, 'headers', { get: () => throwing.a, enumerable: true }),
      TypeError,
      'HeadersMatch cannot be read',
    ],
  ];

  it.each(cases)('%s', (_what, given, kind, says) => {
    let thrown: unknown;
    try {
      new HeadersMatcher(given);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(kind);
    expect((thrown as Error).message).toContain(says);
  });
});
