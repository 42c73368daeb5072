/** What was handled and what came of it, per queue: kept once by the modules and once by the plain loop, and then compared. */
export interface Books {
  readonly handled: ReadonlyMap<string, readonly Entry[]>;
  readonly results: ReadonlyMap<string, unknown>;
}
export interface Entry {
  readonly id: string;
  readonly key?: string | undefined;
}

/**
 * What differs between two sets of books, one line each; empty where they agree. Each message has to be handled in each queue as often as expected,
 * in the queues `inOrder` also in the order of its key, and the results have to be equal.
 */
export function compare(found: Books, expected: Books, inOrder: ReadonlySet<string>): string[] {
  const queues = new Set([...expected.handled.keys(), ...found.handled.keys()]);
  return [...queues].flatMap((queue) => {
    const [is, should] = [found.handled.get(queue) ?? [], expected.handled.get(queue) ?? []];
    const lines = [
      ...compareCounts(is, should),
      ...(inOrder.has(queue) ? compareOrder(is, should) : []),
      ...compareValues(found.results.get(queue), expected.results.get(queue), 'result'),
    ];
    return lines.map((line) => `${queue}: ${line}`);
  });
}

function compareCounts(found: readonly Entry[], expected: readonly Entry[]): string[] {
  const balance = new Map<string, number>();
  for (const { id } of expected) balance.set(id, (balance.get(id) ?? 0) - 1);
  for (const { id } of found) balance.set(id, (balance.get(id) ?? 0) + 1);
  return [...balance].flatMap(([id, times]) => {
    if (times === 0) return [];
    return times < 0 ? `${id} was not handled` : `${id} was handled ${times} times more than expected`;
  });
}

function compareOrder(found: readonly Entry[], expected: readonly Entry[]): string[] {
  const should = byKey(expected);
  return [...byKey(found)].flatMap(([key, ids]) => {
    // What is missing or too much is reported already; here only the order of the rest counts.
    const [known, there] = [new Set(should.get(key)), new Set(ids)];
    const is = [...there].filter((id) => known.has(id));
    const due = [...known].filter((id) => there.has(id));
    const at = is.findIndex((id, n) => id !== due[n]);
    return at < 0 ? [] : `${key}: ${is[at]} was handled where ${due[at]} was due`;
  });
}

function byKey(entries: readonly Entry[]): Map<string, string[]> {
  const ids = new Map<string, string[]>();
  for (const { id, key = '' } of entries) {
    const sequence = ids.get(key);
    if (sequence === undefined) ids.set(key, [id]);
    else sequence.push(id);
  }
  return ids;
}

function compareValues(found: unknown, expected: unknown, path: string): string[] {
  if (Object.is(found, expected)) return [];
  if (isObject(found) && isObject(expected)) {
    const names = new Set([...Object.keys(expected), ...Object.keys(found)]);
    return [...names].flatMap((name) => compareValues(found[name], expected[name], `${path} › ${name}`));
  }
  return [`${path}: found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
