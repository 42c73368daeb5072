import { getRoutingKeyPattern } from 'smqp';
import { BindingTable } from '../../../src/routing/binding-table.js';
import type { Contender, Contest, Measure, Results, Row, Scale } from '../row.js';
import { now } from '../time.js';

const REPEATED = 'repeated keys';
const NEW = 'new keys';
const LOOPS = '#.a.#.b.#.c.#.d.#';

/** As many as GitHub's webhooks have kinds of event. */
const REPEATED_KEYS = 161;
/** More than any memo holds, in turn: each is new again when its turn comes. */
const NEW_KEYS = 50_000;

/** A binding of its own for tenant or device `n`. */
const pattern = (n: number): string => {
  if (n % 10 === 9) return `region.*.device.${n}`;
  return n % 10 === 8 ? `tenant.${n}.#` : `tenant.${n}.order.*`;
};
/** A key that fits the binding of `n` and no other, one of many. */
const key = (n: number, one: number): string => {
  if (n % 10 === 9) return `region.r${one}.device.${n}`;
  return n % 10 === 8 ? `tenant.${n}.e${one}` : `tenant.${n}.order.e${one}`;
};

/** Spread over all bindings. */
const keysFor = (count: number, bindings: number): string[] =>
  Array.from({ length: count }, (_, one) => key(Math.floor((one * bindings) / count), one));

type Match = (key: string) => number;

/** As an exchange asks: its table gives the destinations of a key. */
function tableOf(patterns: readonly string[]): Match {
  const table = new BindingTable<object>('topic');
  const headers = {};
  for (const one of patterns) table.bind({ of: one }, one);
  return (routingKey) => table.match(routingKey, headers).length;
}

/** As smqp's exchange does for every message: each binding's pattern is tested. */
function patternsOf(patterns: readonly string[]): Match {
  const compiled = patterns.map((one) => getRoutingKeyPattern(one));
  return (routingKey) => {
    let found = 0;
    for (const one of compiled.slice()) if (one.test(routingKey)) found++;
    return found;
  };
}

function mapOf(keys: readonly string[]): Match {
  const answers = new Map(keys.map((one) => [one, [one]]));
  return (routingKey) => answers.get(routingKey)!.length;
}

function matching(make: (patterns: readonly string[]) => Match, bindings: number, count: number): Contender {
  return timed(
    () => make(Array.from({ length: bindings }, (_, n) => pattern(n))),
    () => keysFor(count, bindings),
  );
}

/** Five times '#', and a key that fits none of it but could at every word. */
const loops = (make: (patterns: readonly string[]) => Match, words: number): Contender =>
  timed(
    () => make([LOOPS]),
    // Different keys of one shape, more than a memo holds.
    () => Array.from({ length: NEW_KEYS / 5 }, (_, n) => `${'a.b.c.'.repeat(words / 3)}${n}`),
  );

/** ns per match. The keys are asked for in turn until the time is over. */
function timed(make: () => Match, makeKeys: () => string[]): Contender {
  const setUp = (scale: Scale): Measure => {
    const match = make();
    const keys = makeKeys();
    let next = 0;
    return () => {
      const began = now();
      let matches = 0;
      let found = 0;
      let elapsed = 0;
      // What is slow looks at the time often, what is quick hardly.
      for (let stride = 1; elapsed < scale.duration; elapsed = now() - began) {
        for (let n = 0; n < stride; n++) {
          found += match(keys[next]!);
          if (++next === keys.length) next = 0;
        }
        matches += stride;
        stride = Math.min(stride * 2, 20_000);
      }
      return { ns: (elapsed * 1e6) / matches, found: found / matches };
    };
  };
  return { setUp };
}

const figures = { figure: 'ns', unit: 'ns/match', warmUps: 2 } as const;

const repeated: Contest = {
  ...figures,
  name: REPEATED,
  contenders: {
    sluice: matching(tableOf, 100_000, REPEATED_KEYS),
    'sluice, 1k': matching(tableOf, 1000, REPEATED_KEYS),
    'sluice, 1': matching(tableOf, 1, REPEATED_KEYS),
    bare: timed(
      () => mapOf(keysFor(REPEATED_KEYS, 1)),
      () => keysFor(REPEATED_KEYS, 1),
    ),
    'smqp, 1': matching(patternsOf, 1, REPEATED_KEYS),
    'smqp, 1k': matching(patternsOf, 1000, REPEATED_KEYS),
    'smqp, 10k': matching(patternsOf, 10_000, REPEATED_KEYS),
  },
};

const fresh: Contest = {
  ...figures,
  name: NEW,
  contenders: {
    sluice: matching(tableOf, 100_000, NEW_KEYS),
    'sluice, 10': matching(tableOf, 10, NEW_KEYS),
    'smqp, 10': matching(patternsOf, 10, NEW_KEYS),
    'smqp, 1k': matching(patternsOf, 1000, NEW_KEYS),
  },
};

const looped: Contest = {
  ...figures,
  name: LOOPS,
  contenders: {
    sluice: loops(tableOf, 24),
    'sluice, 96 words': loops(tableOf, 96),
    'smqp, 24 words': loops(patternsOf, 24),
    'smqp, 96 words': loops(patternsOf, 96),
  },
};

/** Where a routing key leads, whatever is bound. */
export const row: Row = {
  number: 7,
  title: 'topic match with 1, 1,000 and 100,000 bindings',
  bare: 'a Map from routing key to destinations',
  contests: [repeated, fresh, looped],
  judge: (results) => [
    {
      what: 'repeated keys, 100,000 bindings',
      value: results.median(REPEATED, 'sluice', 'ns'),
      unit: 'ns',
      better: 'lower',
      target: 30,
      floor: 60,
    },
    {
      what: 'repeated keys, slowest of 1, 1k, 100k to fastest',
      value: flatness(results),
      unit: '×',
      better: 'lower',
      target: 1.3,
    },
    {
      what: 'new keys, 100,000 bindings to 10',
      value: results.ratio(NEW, 'sluice', 'sluice, 10', 'ns'),
      unit: '×',
      better: 'lower',
      target: 2.5,
    },
    {
      what: `${LOOPS}, a key of 96 words to one of 24`,
      value: results.ratio(LOOPS, 'sluice, 96 words', 'sluice', 'ns'),
      unit: '×',
      better: 'lower',
      // Four times the words; quadratic would be 16.
      target: 16,
      note: `smqp: ${results.ratio(LOOPS, 'smqp, 96 words', 'smqp, 24 words', 'ns').toFixed(0)}×`,
    },
    {
      what: '× smqp, repeated keys, 10,000 bindings there',
      value: results.ratio(REPEATED, 'smqp, 10k', 'sluice', 'ns'),
      unit: '×',
      better: 'higher',
      target: 1000,
    },
  ],
};

function flatness(results: Results): number {
  const all = ['sluice', 'sluice, 1k', 'sluice, 1'].map((name) => results.median(REPEATED, name, 'ns'));
  return Math.max(...all) / Math.min(...all);
}
