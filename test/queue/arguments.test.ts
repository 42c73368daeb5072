import { expect, it } from 'vitest';
import type { Broker, MessageOptions, Queue, QueueOptions } from '../../src/index.js';
import { onEachStorage } from '../fixtures.js';

type Call = (queue: Queue, value: unknown) => unknown;

/** Wrong values, and what the error must name besides them. */
const SEND_OPTIONS: readonly [option: string, value: unknown, kind: ErrorConstructor, named: string][] = [
  ['id', 7, TypeError, '7'],
  ['id', '', RangeError, '""'],
  ['id', 'x'.repeat(65_536), RangeError, '65536 characters'],
  ['key', null, TypeError, 'null'],
  ['headers', 'a=1', TypeError, '"a=1"'],
  ['headers', [1], TypeError, 'an array of 1'],
  ['headers', { deep: {} }, TypeError, '["deep"]'],
  ['headers', { bad: NaN }, TypeError, 'not finite'],
  ['headers', { gone: undefined }, TypeError, '["gone"]'],
  ['priority', '1', TypeError, '"1"'],
  ['priority', -1, RangeError, '-1'],
  ['priority', 1.5, RangeError, '1.5'],
  ['priority', NaN, RangeError, 'NaN'],
  ['delay', 'soon', TypeError, '"soon"'],
  ['delay', -1, RangeError, '-1'],
  ['delay', Infinity, RangeError, 'Infinity'],
  ['deliverAt', 1_700_000_000_000, TypeError, '1700000000000'],
  ['deliverAt', new Date(NaN), TypeError, 'an invalid Date'],
  ['ttl', '5 minutes', TypeError, '"5 minutes"'],
  ['ttl', -5, RangeError, '-5'],
  ['persistent', 'yes', TypeError, '"yes"'],
  ['signal', {}, TypeError, 'an object'],
  ['retry', 3, TypeError, '3'],
  ['retry', { attempts: 0 }, RangeError, '0'],
  ['retry', { attempts: 1.5 }, RangeError, '1.5'],
  ['retry', { backoff: 100 }, TypeError, '100'],
  ['retry', { times: 3 }, TypeError, '"times"'],
  ['dealy', 5, TypeError, '"dealy"'],
  ['mandatory', true, TypeError, '"mandatory"'],
  ['__proto__x', 1, TypeError, '"__proto__x"'],
];

const ASYNCHRONOUS: readonly [call: string, run: Call, value: unknown, kind: ErrorConstructor][] = [
  ['send(body, options)', (queue, value) => queue.send(1, value as MessageOptions), null, TypeError],
  ['send(body, options)', (queue, value) => queue.send(1, value as MessageOptions), [], TypeError],
  ['send(body, options)', (queue, value) => queue.send(1, value as MessageOptions), '5s', TypeError],
  ['sendMany(messages)', (queue, value) => queue.sendMany(value as []), undefined, TypeError],
  ['sendMany(messages)', (queue, value) => queue.sendMany(value as []), { body: 1 }, TypeError],
  ['peek(limit)', (queue, value) => queue.peek(value as number), -1, RangeError],
  ['peek(limit)', (queue, value) => queue.peek(value as number), '5', TypeError],
  ['peek(limit)', (queue, value) => queue.peek(value as number), 1.5, RangeError],
  ['redrive(options)', (queue, value) => queue.redrive(value as object), 5, TypeError],
  ['redrive(options)', (queue, value) => queue.redrive(value as object), { max: 5 }, TypeError],
  ['redrive({ limit })', (queue, limit) => queue.redrive({ limit: limit as number }), -1, RangeError],
  ['redrive({ filter })', (queue, filter) => queue.redrive({ filter: filter as () => true }), 'all', TypeError],
  ['redrive({ to })', (queue, to) => queue.redrive({ to: to as string }), 5, TypeError],
  ['receive(options)', (queue, value) => queue.receive(value as object), 5, TypeError],
  ['receive(options)', (queue, value) => queue.receive(value as object), { timeout: 5 }, TypeError],
  ['receive({ wait })', (queue, wait) => queue.receive({ wait: wait as number }), -1, RangeError],
  ['receive({ wait })', (queue, wait) => queue.receive({ wait: wait as number }), 'long', TypeError],
  ['receive({ signal })', (queue, signal) => queue.receive({ signal: signal as AbortSignal }), true, TypeError],
];

const QUEUE_OPTIONS: readonly [options: Record<string, unknown>, kind: ErrorConstructor, named: string][] = [
  [{ durable: 1 }, TypeError, '1'],
  [{ retry: { attempts: -1 } }, RangeError, '-1'],
  [{ retry: { retryIf: true } }, TypeError, 'true'],
  [{ deadLetter: '' }, RangeError, '""'],
  [{ deadLetter: true }, TypeError, 'true'],
  [{ deadLetter: {} }, TypeError, 'an object'],
  [{ deadLetterRoutingKey: 1 }, TypeError, '1'],
  [{ ttl: 'forever' }, TypeError, '"forever"'],
  [{ maxLength: -1 }, RangeError, '-1'],
  [{ maxLength: 1.5 }, RangeError, '1.5'],
  [{ maxBytes: '1MB' }, TypeError, '"1MB"'],
  [{ overflow: 'drop-tail' }, RangeError, '"drop-tail"'],
  [{ overflow: true }, TypeError, 'true'],
  [{ ordering: 'fifo' }, RangeError, '"fifo"'],
  [{ priorities: 0 }, RangeError, '0'],
  [{ priorities: 33 }, RangeError, '33'],
  [{ ordering: 'key', priorities: 2 }, TypeError, '2'],
  [{ ackTimeout: 0 }, RangeError, '0'],
  [{ ackTimeout: true }, TypeError, 'true'],
  [{ singleActiveConsumer: 'yes' }, TypeError, '"yes"'],
  [{ autoDelete: 0 }, TypeError, '0'],
  [{ autoDelete: true, durable: true }, TypeError, 'durable: true'],
  [{ schema: (value: unknown) => value }, TypeError, 'a function'],
  [{ maxlength: 5 }, TypeError, '"maxlength"'],
];

onEachStorage('A queue that is called with wrong arguments', (open) => {
  it.each(SEND_OPTIONS)('rejects send() with %s %j, naming it', async (option, value, kind, named) => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const error = await failure(queue.send('body', { [option]: value } as MessageOptions));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(option);
    expect(error.message).toContain(named);
    expect(queue.stats().accepted).toBe(0);
  });

  it('rejects a message with delay and deliverAt', async () => {
    const { broker } = await open();
    const both = { delay: 5, deliverAt: new Date(0) };
    await expect(broker.queue('orders').send(1, both)).rejects.toThrow(TypeError);
  });

  it('never shows values of headers in an error', async () => {
    const { broker } = await open();
    const secret = { password: { value: 'hunter2' } } as unknown as Record<string, string>;
    const error = await failure(broker.queue('orders').send(1, { headers: secret }));
    expect(error.message).toContain('password');
    expect(error.message).not.toContain('hunter2');
  });

  it.each(ASYNCHRONOUS)('rejects, and does not throw, where %s gets %3$j', async (_, run, value, kind) => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    const promise = run(queue, value);
    expect(promise).toBeInstanceOf(Promise);
    expect(await failure(promise as Promise<unknown>)).toBeInstanceOf(kind);
  });

  it.each(QUEUE_OPTIONS)('throws for the declaration %j, and declares nothing', async (options, kind, named) => {
    const { broker } = await open();
    const error = thrown(() => broker.queue('orders', options as QueueOptions));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toContain(named);
    expect(broker.stats().queues).toEqual([]);
  });

  it.each([
    ['', RangeError],
    ['x'.repeat(256), RangeError],
    [undefined, TypeError],
    [5, TypeError],
    [null, TypeError],
    [{}, TypeError],
  ])('throws for the name %j', async (name, kind) => {
    const { broker } = await open();
    expect(() => broker.queue(name as string)).toThrow(kind);
    await expect(broker.delete(name as string)).rejects.toThrow(kind);
  });

  it.each(['__proto__', 'constructor', '../../etc/passwd', 'a\0b', '\ud800', ' ', '…', 'x'.repeat(255)])(
    'takes %j as a name like any other',
    async (name) => {
      const { broker } = await open();
      const queue = declare(broker, name);
      expect((await queue.send('body')).destinations).toEqual([name]);
      expect((await queue.receive())!.source).toBe(name);
      expect(broker.stats().queues.map((stats) => stats.name)).toEqual([name]);
    },
  );
});

function declare(broker: Broker, name: string): Queue {
  return broker.queue(name, { maxLength: 10 });
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error('it was accepted');
    },
    (error: Error) => error,
  );
}

function thrown(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was accepted');
}
