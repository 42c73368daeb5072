import type { BenchQueue, Body, OpenQueue } from './queues/queue.js';
import type { Contender, Measure, Scale } from './row.js';
import { now } from './time.js';

/** Sends of one load: awaited together, or one by one. */
const SENDS = 1000;

/** Counts what was handled; tells when that was everything. */
export class Tally {
  private left = 0;
  private done: () => void = () => undefined;

  /** The handler of every contender: asynchronous, and of no work. */
  readonly handler = async (_body: Body): Promise<void> => {
    if (--this.left === 0) this.done();
  };

  /** Resolves when `count` more were handled. */
  expect(count: number): Promise<void> {
    this.left += count;
    return new Promise((resolve) => (this.done = resolve));
  }
}

export type Load = (queue: BenchQueue, bodies: readonly Body[], tally: Tally) => Promise<void>;

/** 1000 sends, then what they promise, then the last handler. */
export const together: Load = (queue, bodies, tally) => sendAll(queue, bodies, tally.expect(bodies.length));

/** Sends, then what they promise, then `handled`. */
export async function sendAll(queue: BenchQueue, bodies: readonly Body[], handled: Promise<void>): Promise<void> {
  const sends: Promise<unknown>[] = [];
  for (const body of bodies) {
    const sent = queue.send(body);
    if (sent !== undefined) sends.push(sent);
  }
  await Promise.all(sends);
  await handled;
}

/** Each send awaited before the next. Where there is nothing to await, one turn of the microtask queue is. */
export const oneByOne: Load = async (queue, bodies, tally) => {
  const handled = tally.expect(bodies.length);
  for (const body of bodies) await queue.send(body);
  await handled;
};

/** Queues that many messages, 1000 of them awaited together where `awaitsSends`: the promise of some peers waits for the handler. */
export async function fill(queue: BenchQueue, count: number, awaitsSends: boolean): Promise<void> {
  for (let n = 0; n < count;) {
    const sends: Promise<unknown>[] = [];
    for (const end = n + SENDS; n < end; n++) {
      const sent = queue.send({ n });
      if (awaitsSends && sent !== undefined) sends.push(sent);
    }
    await Promise.all(sends);
  }
}

/** ns per message of a load that is repeated until the time is over. */
export function loaded(load: Load, open: OpenQueue, concurrency: number, body: (n: number) => Body = small): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const tally = new Tally();
    const queue = await open(tally.handler, concurrency);
    const bodies = Array.from({ length: SENDS }, (_, n) => body(n));
    return async () => {
      const began = now();
      let loads = 0;
      let elapsed = 0;
      for (; elapsed < scale.duration; elapsed = now() - began) {
        for (let i = 0; i < 10; i++) await load(queue, bodies, tally);
        loads += 10;
      }
      const messages = loads * SENDS;
      return { ns: (elapsed * 1e6) / messages, messages };
    };
  };
  return { setUp };
}

const small = (n: number): Body => ({ n });
