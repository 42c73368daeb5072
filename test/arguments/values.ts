/** Anything that somebody could hand to a function, by the name it has in the titles of tests. */
export const VALUES: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  '0': () => 0,
  '-0': () => -0,
  '1': () => 1,
  '7': () => 7,
  '-1': () => -1,
  '1.5': () => 1.5,
  NaN: () => NaN,
  Infinity: () => Infinity,
  '-Infinity': () => -Infinity,
  '2³¹': () => 2 ** 31,
  '2⁵³': () => 2 ** 53,
  '1e300': () => 1e300,
  '5n': () => 5n,
  'a huge bigint': () => 2n ** 70_000n,
  "''": () => '',
  "'5'": () => '5',
  "'5s'": () => '5s',
  "'-5s'": () => '-5s',
  "'5 s'": () => '5 s',
  "'5S'": () => '5S',
  "'1e3ms'": () => '1e3ms',
  "'a name'": () => 'a name',
  "'__proto__'": () => '__proto__',
  "'constructor'": () => 'constructor',
  "'../../x'": () => '../../x',
  "'a\\0b'": () => 'a\0b',
  "'\\ud800'": () => '\ud800',
  'a text of 255': () => 'x'.repeat(255),
  'a text of 256': () => 'x'.repeat(256),
  'a text of 1 MB': () => 'x'.repeat(2 ** 20),
  'a symbol': () => Symbol('s'),
  'a well-known symbol': () => Symbol.toPrimitive,
  'a function': () => () => 7,
  'a class': () => class Thing {},
  'an array': () => [],
  'an array of one': () => ['a'],
  'an empty object': () => ({}),
  'an object without prototype': () => Object.create(null) as object,
  'an object that says it is a number': () => ({
    valueOf: () => 5,
    toString: () => '5s',
    [Symbol.toPrimitive]: () => 5,
  }),
  'an own __proto__': () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
  'a String object': () => new String('5s'),
  'a Number object': () => new Number(5),
  'a Date': () => new Date(Date.UTC(2026, 0, 1)),
  'an invalid Date': () => new Date(NaN),
  'a Map': () => new Map([['name', 'x']]),
  'a Set': () => new Set(['x']),
  'a promise': () => Promise.resolve(5),
  'an Error': () => new Error('handed in'),
  'a RegExp': () => /x/,
  'a Uint8Array': () => Uint8Array.of(1, 2),
  'an AbortSignal': () => new AbortController().signal,
  'an AbortController': () => new AbortController(),
  'a throwing Proxy': () => new Proxy({}, throwing()),
  'a revoked Proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

/** What such a Proxy, or getter, throws. */
export class Trap extends Error {}

function throwing(): ProxyHandler<object> {
  const trap = (): never => {
    throw new Trap('a trap was sprung');
  };
  return { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, getPrototypeOf: trap };
}

/** What one parameter takes: 'works', or the kind of error that says what is wrong with it. `name`: of the value, above. */
export type Rule = (value: unknown, name: string) => 'works' | ErrorConstructor;

/** `undefined` is as good as nothing. */
export const optional =
  (rule: Rule): Rule =>
  (value, name) =>
    value === undefined ? 'works' : rule(value, name);

/** These very values. Any other text has the right type, at least. */
export const oneOf =
  (...allowed: readonly unknown[]): Rule =>
  (value) =>
    allowed.includes(value) ? 'works' : typeof value === 'string' ? RangeError : TypeError;

export const boolean: Rule = (value) => (typeof value === 'boolean' ? 'works' : TypeError);

export const aFunction: Rule = (value) => (typeof value === 'function' ? 'works' : TypeError);

/** A whole number from `min` to `max`; Infinity where `max` is. */
export const whole =
  (min: number, max: number = Number.MAX_SAFE_INTEGER): Rule =>
  (value) => {
    if (typeof value !== 'number') return TypeError;
    const exact = Number.isSafeInteger(value) || (value === Infinity && max === Infinity);
    return exact && value >= min && value <= max ? 'works' : RangeError;
  };

const CENTURY = 100 * 365 * 86_400_000;

/** Milliseconds from `min`, or a text such as '5s'. */
export const duration =
  (min = 0): Rule =>
  (value) => {
    if (typeof value === 'number') return value >= min && value <= CENTURY ? 'works' : RangeError;
    return value === '5s' ? 'works' : TypeError;
  };

export const text =
  (min: number, max: number): Rule =>
  (value) => {
    if (typeof value !== 'string') return TypeError;
    return value.length >= min && value.length <= max ? 'works' : RangeError;
  };

const BAGS = ['undefined', 'an empty object', 'an object without prototype'];

/** Options, none of them required. */
export const bag: Rule = (_, name) => (BAGS.includes(name) ? 'works' : TypeError);

/** Options of which some are required: whatever comes without them is a wrong argument. */
export const nothingFits: Rule = () => TypeError;

export const signal: Rule = (_, name) => (name === 'an AbortSignal' ? 'works' : TypeError);
