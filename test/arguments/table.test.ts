import { describe, expect, it } from 'vitest';
import { nextTurn } from '../../src/clock.js';
import { balanced, watch } from '../fixtures.js';
import { bench, PARAMETERS, type Bench, type Parameter } from './parameters.js';
import { Trap, VALUES } from './values.js';

/** How an error shows what was given: short, on one line. */
function shown(value: unknown): RegExp {
  switch (typeof value) {
    case 'string':
      return new RegExp(escaped(JSON.stringify(value.slice(0, 60)).slice(0, -1)));
    case 'number':
    case 'boolean':
    case 'undefined':
      return new RegExp(escaped(String(value)));
    case 'bigint':
      return /\dn|a huge bigint|a value of type bigint/;
    case 'symbol':
      return /a symbol|a value of type symbol/;
    case 'function':
      return /a function|a value of type function/;
    default:
      return value === null ? /null/ : /an? \w+/;
  }
}

function escaped(literal: string): string {
  return literal.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

interface Answer {
  readonly how: 'throws' | 'rejects' | 'works';
  readonly error?: Error;
}

async function answer({ give }: Parameter, value: unknown, on: Bench): Promise<Answer> {
  let given: unknown;
  try {
    given = give(value, on);
  } catch (error) {
    return { how: 'throws', error: error as Error };
  }
  if (!(given instanceof Promise)) return { how: 'works' };
  const watched = watch(given);
  await new Promise<void>(nextTurn);
  return watched.state === 'rejected' ? { how: 'rejects', error: watched.error as Error } : { how: 'works' };
}

/** What is wrong with the answer, if anything. */
function verdict(parameter: Parameter, name: string, value: unknown, { how, error }: Answer): string | undefined {
  const { rule, named } = parameter;
  const expected = rule(value, name);
  if (expected === 'works') return how === 'works' ? undefined : `${how} ${String(error)}, and should work`;
  if (how === 'works') return `works, and should be a ${expected.name}`;
  if (how !== parameter.how) return `${how}, and should be what ${parameter.how}`;
  // What a caller's own trap throws is his.
  if (error instanceof Trap || name.endsWith('Proxy')) return undefined;
  if (Object.getPrototypeOf(error) !== expected.prototype) return `${String(error)}, and should be a ${expected.name}`;
  const { message } = error as Error;
  if (![named].flat().some((one) => message.includes(one))) return `'${message}' does not name ${String(named)}`;
  if (!/must|takes|needs|has no|cannot|no event/.test(message)) return `'${message}' does not say what is expected`;
  if (!message.includes('has no') && !shown(value).test(message)) return `'${message}' does not show what was given`;
  if (message.length > 500) return `a message of ${message.length} characters`;
  return undefined;
}

describe.each(PARAMETERS)('$call', (parameter) => {
  it('takes what fits, and refuses anything else by name, before anything changes', async () => {
    const problems: string[] = [];
    let on = await bench();
    let before = JSON.stringify(on.broker.stats());
    for (const [name, make] of Object.entries(VALUES)) {
      const value = make();
      const got = await answer(parameter, value, on);
      const problem = verdict(parameter, name, value, got);
      if (problem !== undefined) problems.push(`${name}: ${problem}`);
      balanced(on.broker);
      if (got.how === 'works') {
        await on.broker.close({ timeout: 0 });
        on = await bench();
        before = JSON.stringify(on.broker.stats());
      } else if (JSON.stringify(on.broker.stats()) !== before) {
        problems.push(`${name}: changed the stats`);
      }
    }
    await on.broker.close({ timeout: 0 });
    expect(problems).toEqual([]);
  });
});
