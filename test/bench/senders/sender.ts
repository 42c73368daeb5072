/** Somewhere to put messages, that says when they are safe: what the contenders of the durable rows have in common. */
export interface Sender {
  /** Resolves when message `n` is as safe as the row asks for. */
  send(n: number): Promise<unknown>;
}

/** How safe: on the disk, or in the operating system. */
export type Reach = 'disk' | 'os';
export type OpenSender = (directory: string, reach: Reach) => Sender | Promise<Sender>;

/** 200 bytes, as every durable row sends. */
export const BODY = new Uint8Array(200).fill(0x61);

/** About 200 bytes of JSON. */
export const order = (n: number): object => ({
  n: 1000 + (n % 1000),
  order: 'order-2024-000417',
  customer: 'customer-0042',
  placed: '2024-05-17T09:30:00.000Z',
  currency: 'EUR',
  total: 129.85,
  paid: true,
  lines: [
    { sku: 'A-1001', quantity: 2 },
    { sku: 'B-20', quantity: 11 },
  ],
});

/**
 * What comes until the event loop turns, or while a commit runs, goes into the next commit, and one commit runs at a time: how
 * anybody would group writes by hand.
 */
export class Grouping<T> {
  private readonly commit: (group: readonly T[]) => void | Promise<void>;
  private items: T[] = [];
  private waiters: (() => void)[] = [];
  private busy = false;

  constructor(commit: (group: readonly T[]) => void | Promise<void>) {
    this.commit = commit;
  }

  add(item: T): Promise<void> {
    this.items.push(item);
    if (!this.busy) {
      this.busy = true;
      setImmediate(this.start);
    }
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  private readonly start = (): void => {
    const { items, waiters } = this;
    this.items = [];
    this.waiters = [];
    const done = (): void => {
      for (const resolve of waiters) resolve();
      if (this.items.length > 0) setImmediate(this.start);
      else this.busy = false;
    };
    const committed = this.commit(items);
    if (committed === undefined) queueMicrotask(done);
    else void committed.then(done);
  };
}
