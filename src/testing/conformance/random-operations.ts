import assert from 'node:assert/strict';
import type { Random } from '../../clock.js';
import type { Body, StorageOp } from '../../storage/storage.js';
import { seededRandom } from '../seeded-random.js';
import { append, type AppendOp, assertBody, assertHead, type Check, drop, remove, type Subject } from './subject.js';

const LOGS = ['a', 'b', 'c'];
const STEPS = 60;

/** The contract once more, as naively as it can be written. */
class Model {
  readonly logs = new Map<string, { next: number; readonly entries: Map<number, { head: object; body: Body }> }>();

  apply(op: StorageOp): void {
    if (op.type === 'remove') {
      this.logs.delete(op.log);
    } else if (op.type === 'append') {
      const log = this.logs.get(op.log) ?? { next: 0, entries: new Map() };
      log.entries.set(log.next++, { head: op.entry.head, body: op.entry.body });
      this.logs.set(op.log, log);
    } else {
      const entries = this.logs.get(op.log)?.entries ?? new Map<number, unknown>();
      for (const offset of entries.keys()) if (offset >= op.from && offset < op.to) entries.delete(offset);
    }
  }

  nextOf(log: string): number {
    return this.logs.get(log)?.next ?? 0;
  }

  ranges(): Map<string, { first: number; next: number }> {
    return new Map(
      [...this.logs].map(([name, { next, entries }]) => [name, { first: [...entries.keys()][0] ?? next, next }]),
    );
  }
}

/** Bursts of random batches, none awaited before the next, then a look at everything; with `reopen`, new processes between. */
export function randomOperations(check: Check, seeds: readonly number[], reopen: boolean): void {
  for (const seed of seeds) {
    check(`random operations${reopen ? ' and reopening' : ''}, seed ${seed}`, async (subject) => {
      const random = seededRandom(seed);
      const model = new Model();
      for (let step = 0; step < STEPS; step++) {
        try {
          await burst(subject, model, random);
          if (reopen && random() < 0.2) {
            await subject.reopen();
            assert.deepEqual(subject.ranges, model.ranges());
          }
          await compare(subject, model, random);
        } catch (error) {
          throw new Error(`seed ${seed}, step ${step}: ${(error as Error).message}`, { cause: error });
        }
      }
    });
  }
}

async function burst(subject: Subject, model: Model, random: Random): Promise<void> {
  const writes: unknown[] = [];
  const offsets: [op: AppendOp, expected: number][] = [];
  const batches = below(random, 6);
  for (let i = 0; i < batches; i++) {
    const batch = Array.from({ length: below(random, 8) }, () => {
      const op = draw(model, random);
      if (op.type === 'append') offsets.push([op, model.nextOf(op.log)]);
      model.apply(op);
      return op;
    });
    writes.push(subject.storage.write(batch));
  }
  await Promise.all(writes);
  for (const [op, expected] of offsets) assert.equal(op.offset, expected);
}

/** One op on one of few logs: appends more than drops, so that there is something to drop; now and then many at once. */
function draw(model: Model, random: Random): StorageOp {
  const log = LOGS[below(random, LOGS.length)] as string;
  const next = model.nextOf(log);
  const kind = random();
  if (kind < 0.6) return append(log, drawBody(random), { n: below(random, 1000), nested: { list: [random()] } });
  if (kind < 0.75) return drop(log, 0, below(random, next + 2));
  if (kind < 0.97) {
    const from = below(random, next + 2);
    return drop(log, from, from + below(random, 6));
  }
  return remove(log);
}

function drawBody(random: Random): Body {
  const length = below(random, random() < 0.05 ? 20_000 : 40);
  const kind = random();
  if (kind < 0.1) return undefined;
  if (kind < 0.5) return Uint8Array.from({ length }, () => below(random, 256));
  return Array.from({ length }, () => ['a', 'é', '語', '😀', '\0'][below(random, 5)]).join('');
}

/** Everything in every log, and pages from somewhere. */
async function compare(subject: Subject, model: Model, random: Random): Promise<void> {
  for (const log of LOGS) {
    const from = random() < 0.5 ? 0 : below(random, model.nextOf(log) + 2);
    const expected = [...(model.logs.get(log)?.entries ?? [])].filter(([offset]) => offset >= from);
    const found = await subject.all(log, from);
    assert.deepEqual(
      found.map(({ offset }) => offset),
      expected.map(([offset]) => offset),
      `offsets of ${log} from ${from}`,
    );
    for (const [i, [, { head, body }]] of expected.entries()) {
      assertHead(found[i]?.entry.head, head);
      assertBody(found[i]?.entry.body, body);
    }
  }
}

function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}
