import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { topicCases } from '../routing/topic-cases.js';
import { check, source } from './compiler.js';

/** Every `event.action` of the webhooks that GitHub sends: 161 keys. */
const KEYS: readonly string[] = [
  ...new Set(
    (
      createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly {
        readonly name: string;
        readonly examples: readonly { readonly action?: string }[];
      }[]
    ).flatMap(({ name, examples }) =>
      examples.map(({ action }) => (action === undefined ? name : `${name}.${action}`)),
    ),
  ),
];

/** An exchange with every key, each with a body of its own, and the bindings `lines`. */
function program(lines: readonly string[]): string {
  const bodies = KEYS.map((key, n) => `  '${key}': { readonly action: '${key}'; readonly n${n % 7}: number };`);
  return `
    import type { Exchange, Queue } from '${source}';
    interface Webhooks {
    ${bodies.join('\n')}
    }
    declare const x: Exchange<Webhooks>;
    declare const audit: Queue<{ readonly action: string }>;
    declare const other: Exchange<Webhooks>;
    ${lines.join('\n')}`;
}

/** Sixty bindings: one key, a prefix, a suffix, and the patterns that are the most work. */
function bindings(): string[] {
  const events = [...new Set(KEYS.map((key) => key.split('.')[0]!))];
  const actions = [...new Set(KEYS.map((key) => key.split('.')[1] ?? ''))].filter((action) => action !== '');
  const patterns = [
    ...KEYS.slice(0, 15),
    ...events.slice(0, 15).map((event) => `${event}.#`),
    ...actions.slice(0, 10).map((action) => `*.${action}`),
    ...actions.slice(0, 10).map((action) => `#.${action}.#`),
    '#',
    '#.#.#.#',
    '*.#',
    '#.*',
    'issues.*.#',
  ];
  const lines = patterns.map((pattern) => `x.bind(audit, '${pattern}');`);
  return [...lines, ...patterns.slice(0, 4).map((pattern) => `x.bind(other, '${pattern}');`), `x.bind(audit);`];
}

describe('161 keys and 60 bindings', { timeout: 60_000 }, () => {
  const all = bindings();

  it('are what GitHub sends', () => {
    expect([KEYS.length, all.length]).toEqual([161, 60]);
  });

  // Which take a fraction of a second; the time itself would depend on the machine.
  it('are checked with fewer than 100,000 instantiations', () => {
    const without = check(program([]));
    const bound = check(program(all));
    expect([without.errors, bound.errors]).toEqual([[], []]);
    expect(bound.instantiations - without.instantiations).toBeLessThan(100_000);
    expect(bound.instantiations - without.instantiations).toBeGreaterThan(all.length);
  });

  it('with one typo give one error, which names the pattern', () => {
    const { errors } = check(program([...all.slice(0, 30), "x.bind(audit, 'isues.opened');", ...all.slice(30)]));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain("no routing key matches 'isues.opened'");
  });
});

describe('Every case of the routing tests', { timeout: 60_000 }, () => {
  it('is decided by the compiler as by the router', () => {
    const lines = topicCases.map(({ pattern, key, matches }, n) => {
      const decided = `[Matching<Record<${JSON.stringify(key)}, 0>, ${JSON.stringify(pattern)}>] extends [never] ? false : true`;
      return `export const case${n}: ${decided} = ${matches};`;
    });
    const { errors } = check(`import type { Matching } from '${source}';\n${lines.join('\n')}`);
    expect(errors).toEqual([]);
    expect(topicCases.length).toBeGreaterThan(100);
  });
});
