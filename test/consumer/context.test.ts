import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, it } from 'vitest';
import { fixed } from '../../src/index.js';
import { fill, onEachStorage } from '../fixtures.js';

onEachStorage('The AsyncLocalStorage context of a handler', (open) => {
  it('is the one in which its consumer was made, never that of who sends', async () => {
    const { broker, quiet } = await open();
    const local = new AsyncLocalStorage<string>();
    const queue = broker.queue<number>('orders');
    const seen: (string | undefined)[] = [];
    local.run('consumer', () =>
      queue.consume(async () => {
        seen.push(local.getStore());
        await Promise.resolve();
        seen.push(local.getStore());
      }),
    );
    await local.run('sender', () => fill(queue, 3));
    await quiet();
    expect(seen).toEqual(Array.from({ length: 6 }, () => 'consumer'));
  });

  it('is of its own for each consumer of a queue', async () => {
    const { broker, quiet } = await open();
    const local = new AsyncLocalStorage<string>();
    const queue = broker.queue<number>('orders');
    const seen = new Set<string>();
    for (const name of ['a', 'b', 'c']) {
      local.run(name, () =>
        queue.consume(
          async () => {
            seen.add(`${name} in ${local.getStore()}`);
            await Promise.resolve();
          },
          { concurrency: 2 },
        ),
      );
    }
    await fill(queue, 60);
    await quiet();
    expect([...seen].toSorted()).toEqual(['a in a', 'b in b', 'c in c']);
  });

  it('is empty where the consumer was made in none, whatever runs around the send', async () => {
    const { broker, quiet } = await open();
    const local = new AsyncLocalStorage<string>();
    const queue = broker.queue<number>('orders');
    const seen: unknown[] = [];
    queue.consume(() => void seen.push(local.getStore()));
    await local.run('sender', () => queue.send(1));
    await quiet();
    expect(seen).toEqual([undefined]);
  });

  it('is not that of the message before, though its handler entered another', async () => {
    const { broker, quiet } = await open();
    const local = new AsyncLocalStorage<string>();
    const queue = broker.queue<number>('orders');
    const seen: unknown[] = [];
    queue.consume(async ({ body }) => {
      await Promise.resolve();
      seen.push(local.getStore());
      local.enterWith(`message ${body}`);
      await Promise.resolve();
    });
    await fill(queue, 3);
    await quiet();
    expect(seen).toEqual([undefined, undefined, undefined]);
  });

  it('holds for batches, retries, timeouts and redeliveries', async () => {
    const { broker, clock } = await open();
    const local = new AsyncLocalStorage<string>();
    const queue = broker.queue<number>('orders', { ackTimeout: '1s', retry: { backoff: fixed(10) } });
    const seen: unknown[] = [];
    local.run('consumer', () =>
      queue.consumeBatch((batch) => {
        seen.push(local.getStore());
        if (batch.length > 1) throw new Error('no');
        if (batch[0]!.attempt === 1) return new Promise(() => undefined);
      }),
    );
    await local.run('sender', () => fill(queue, 3));
    await local.run('clock', () => clock.advance('1m'));
    expect(seen.length).toBeGreaterThan(5);
    expect(new Set(seen)).toEqual(new Set(['consumer']));
    expect(queue.stats().acked).toBe(3);
  });

  it('is that of the consumer after resume() and from another consumer’s end as well', async () => {
    const { broker, quiet } = await open();
    const local = new AsyncLocalStorage<string>();
    const queue = broker.queue<number>('orders', { singleActiveConsumer: true });
    const seen: unknown[] = [];
    const first = queue.consume(() => undefined);
    local.run('consumer', () => queue.consume(() => void seen.push(local.getStore())));
    queue.pause();
    await fill(queue, 2);
    await local.run('closer', () => first.close());
    local.run('resumer', () => queue.resume());
    await quiet();
    expect(seen).toEqual(['consumer', 'consumer']);
  });
});
