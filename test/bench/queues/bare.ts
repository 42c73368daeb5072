import type { BenchQueue, Body, Handler } from './queue.js';

/**
 * The limit: what no queue that calls asynchronous handlers can leave out. A ring, one loop per slot that awaits the
 * handler and sleeps on a promise when the ring is empty, and one promise per send. No envelope, no id, no books, no
 * acknowledgement, no limits.
 */
export function openBare(handler: Handler, concurrency: number): BenchQueue {
  return openLoop(handler, concurrency, keep, keep);
}

/** As openBare(), and the body travels as JSON. */
export function openBareJson(handler: Handler, concurrency: number): BenchQueue {
  return openLoop(
    handler,
    concurrency,
    JSON.stringify as (body: Body) => unknown,
    JSON.parse as (data: unknown) => Body,
  );
}

const keep = (body: unknown): Body => body as Body;

function openLoop(
  handler: Handler,
  concurrency: number,
  encode: (body: Body) => unknown,
  decode: (data: unknown) => Body,
): BenchQueue {
  const ring = new Ring();
  let sleepers: (() => void)[] = [];
  let held: (() => void)[] = [];
  const lieDown = (wake: () => void): void => void sleepers.push(wake);
  const work = async (): Promise<never> => {
    for (;;) {
      const data = ring.shift();
      if (data === undefined) await new Promise<void>(lieDown);
      else await handler(decode(data));
    }
  };
  for (let slot = 0; slot < concurrency; slot++) void work();
  return {
    send(body) {
      ring.push(encode(body));
      sleepers.pop()?.();
      return Promise.resolve(undefined);
    },
    hold() {
      held = sleepers;
      sleepers = [];
    },
    release() {
      sleepers = held;
      for (let slot = 0; slot < concurrency; slot++) sleepers.pop()?.();
    },
  };
}

/** A growing ring: 2^n slots, two counters. */
export class Ring {
  private slots: unknown[] = new Array(2048);
  private mask = 2047;
  private head = 0;
  private tail = 0;

  push(item: unknown): void {
    this.slots[this.tail] = item;
    this.tail = (this.tail + 1) & this.mask;
    if (this.tail === this.head) this.grow();
  }

  shift(): unknown {
    const item = this.slots[this.head];
    if (item === undefined) return undefined;
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & this.mask;
    return item;
  }

  private grow(): void {
    const { slots, head } = this;
    const size = slots.length;
    const wider = new Array<unknown>(size * 2);
    for (let i = 0; i < size; i++) wider[i] = slots[(head + i) & this.mask];
    this.slots = wider;
    this.mask = size * 2 - 1;
    this.head = 0;
    this.tail = size;
  }
}
