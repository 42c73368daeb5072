import { expect, it } from 'vitest';
import type { BatchOptions, ConsumeOptions } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

const WRONG: readonly [options: Record<string, unknown>, kind: ErrorConstructor, named: string][] = [
  [{ name: '' }, RangeError, '""'],
  [{ name: 5 }, TypeError, '5'],
  [{ name: 'x'.repeat(256) }, RangeError, '256 characters'],
  [{ concurrency: 0 }, RangeError, '0'],
  [{ concurrency: 1.5 }, RangeError, '1.5'],
  [{ concurrency: '4' }, TypeError, '"4"'],
  [{ concurrency: Infinity }, RangeError, 'Infinity'],
  [{ ack: 'never' }, RangeError, '"never"'],
  [{ ack: false }, TypeError, 'false'],
  [{ prefetch: 0 }, RangeError, '0'],
  [{ concurrency: 4, prefetch: 3 }, RangeError, '3'],
  [{ rateLimit: 10 }, TypeError, '10'],
  [{ rateLimit: { max: 0, per: '1s' } }, RangeError, '0'],
  [{ rateLimit: { max: 1, per: 0 } }, RangeError, '0'],
  [{ rateLimit: { max: 1 } }, TypeError, 'undefined'],
  [{ rateLimit: { max: 1, per: '1s', burst: 5 } }, TypeError, '"burst"'],
  [{ ackTimeout: 0 }, RangeError, '0'],
  [{ ackTimeout: 'never' }, TypeError, '"never"'],
  [{ ackTimeout: true }, TypeError, 'true'],
  [{ signal: 'abort' }, TypeError, '"abort"'],
  [{ parallel: 4 }, TypeError, '"parallel"'],
];

const WRONG_BATCH: typeof WRONG = [
  [{ size: 0 }, RangeError, '0'],
  [{ size: 2.5 }, RangeError, '2.5'],
  [{ size: '10' }, TypeError, '"10"'],
  [{ wait: -1 }, RangeError, '-1'],
  [{ wait: 'soon' }, TypeError, '"soon"'],
  [{ timeout: 5 }, TypeError, '"timeout"'],
];

onEachStorage('consume() with wrong arguments', (open) => {
  it.each(WRONG)('throws for %j, naming it, and starts nothing', async (options, kind, named) => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const start = (): unknown => queue.consume(() => undefined, options as ConsumeOptions);
    expect(start).toThrow(kind);
    expect(start).toThrow(named);
    expect(() => queue.consumeBatch(() => undefined, options as ConsumeOptions)).toThrow(kind);
    expect(queue.stats().consumers).toBe(0);
  });

  it.each(WRONG_BATCH)('throws for batches with %j, naming it', async (options, kind, named) => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const start = (): unknown => queue.consumeBatch(() => undefined, options as BatchOptions);
    expect(start).toThrow(kind);
    expect(start).toThrow(named);
  });

  it.each([undefined, null, 'handler', {}])('throws where the handler is %j', async (handler) => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    expect(() => queue.consume(handler as unknown as () => void)).toThrow(TypeError);
    expect(() => queue.consumeBatch(handler as unknown as () => void)).toThrow(TypeError);
  });

  it.each(['size', 'wait'])('does not take the batch option %s for single messages', async (option) => {
    const { broker } = await open();
    expect(() => broker.queue('orders').consume(() => undefined, { [option]: 5 })).toThrow(option);
  });

  it('refuses a second consumer of the same name, until the first has closed', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const other = broker.queue('other');
    const first = queue.consume(() => undefined, { name: 'worker' });
    expect(first.name).toBe('worker');
    expect(() => queue.consume(() => undefined, { name: 'worker' })).toThrow(TypeError);
    other.consume(() => undefined, { name: 'worker' });
    await first.close();
    expect(queue.consume(() => undefined, { name: 'worker' }).name).toBe('worker');
  });

  it('gives names of its own that differ', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    queue.consume(() => undefined, { name: 'consumer-2' });
    const names = Array.from({ length: 3 }, () => queue.consume(() => undefined).name);
    expect(new Set([...names, 'consumer-2']).size).toBe(4);
  });

  it('rejects close() with a wrong timeout, and stays open', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const consumer = queue.consume(() => undefined);
    await expect(consumer.close({ timeout: -1 })).rejects.toThrow(RangeError);
    await expect(consumer.close({ after: 5 } as object)).rejects.toThrow(TypeError);
    await queue.send(1);
    await quiet();
    expect(queue.stats().acked).toBe(1);
  });

  it('throws ERR_CLOSED when the broker is closed', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    await broker.close();
    expect(() => queue.consume(() => undefined)).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }));
  });
});
