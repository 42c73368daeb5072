import { expect, expectTypeOf, it } from 'vitest';
import type { Delivery, StandardSchema } from '../../src/index.js';
import { onEachStorage, schemaOf } from '../fixtures.js';

/** Takes `{ total: '5' }`, and makes `{ total: 5, paid: false }` of it. */
const order = schemaOf((value: { total: string; paid?: boolean }) => {
  const total = Number(value.total);
  if (Number.isNaN(total)) throw new Error('not a number');
  return { total, paid: value.paid ?? false };
});

onEachStorage('A queue with a schema', (open) => {
  it('stores the body as it was given, and delivers what the schema makes of it', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { schema: order });
    await queue.send({ total: '5' });
    expect((await queue.peek())[0]!.body).toEqual({ total: '5' });
    const message = (await queue.receive())!;
    expect(message.body).toEqual({ total: 5, paid: false });
  });

  it('types send() by what goes in, and deliveries by what comes out', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { schema: order });
    expectTypeOf<Parameters<typeof queue.send>[0]>().toEqualTypeOf<{ total: string; paid?: boolean }>();
    queue.consume((message) => expectTypeOf(message).toEqualTypeOf<Delivery<{ total: number; paid: boolean }>>());
  });

  it('refuses a body that does not validate with ERR_VALIDATION, and stores nothing', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { schema: order });
    await expect(queue.send({ total: 'many' })).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
      details: { issues: [{ message: 'not a number', path: 'total' }] },
      message: expect.stringContaining('total: not a number'),
    });
    await expect(queue.sendMany([{ body: { total: '1' } }, { body: { total: 'x' } }])).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
    });
    expect(queue.stats().accepted).toBe(0);
  });

  it('never shows the value that does not validate', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { schema: order });
    const error = (await queue.send({ total: 'hunter2' }).catch((reason: unknown) => reason)) as Error;
    expect(error.message).not.toContain('hunter2');
  });

  it('parses anew for every delivery', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders', { schema: order });
    await queue.send({ total: '5' });
    const first = (await queue.receive())!;
    first.body.total = 99;
    first.requeue();
    expect((await queue.receive())!.body.total).toBe(5);
  });

  it('dead-letters a stored body that no longer validates as `invalid`, without calling the handler', async () => {
    const { broker, quiet } = await open();
    let strict = false;
    const schema = schemaOf((value: number) => {
      if (strict) throw new Error('too strict now');
      return value;
    });
    const queue = broker.queue('orders', { schema });
    await queue.sendMany([{ body: 1 }, { body: 2 }]);
    strict = true;
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual([]);
    expect(queue.stats()).toMatchObject({ delivered: 0, deadLettered: 2, ready: 0, unacked: 0 });
    const dead = await queue.deadLetters!.peek();
    expect(dead.map(({ body }) => body)).toEqual([1, 2]);
    expect(dead[0]!.deaths).toMatchObject([{ reason: 'invalid', attempts: 0, error: { message: expect.any(String) } }]);
  });

  it('goes on with the messages behind an invalid one', async () => {
    const { broker, quiet } = await open();
    let bad: number | undefined;
    const schema = schemaOf((value: number) => {
      if (value === bad) throw new Error('bad');
      return value;
    });
    const queue = broker.queue('orders', { schema, ordering: 'key' });
    await queue.sendMany([1, 2, 3].map((body) => ({ body, key: 'k' })));
    bad = 2;
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual([1, 3]);
  });

  it('makes a batch of the valid ones', async () => {
    const { broker, quiet } = await open();
    let strict = false;
    const schema = schemaOf((value: number) => {
      if (strict && value % 2 === 1) throw new Error('odd');
      return value;
    });
    const queue = broker.queue('orders', { schema });
    await queue.sendMany([0, 1, 2, 3, 4].map((body) => ({ body })));
    strict = true;
    const batches: number[][] = [];
    queue.consumeBatch((batch) => void batches.push(batch.map(({ body }) => body)));
    await quiet();
    expect(batches).toEqual([[0, 2, 4]]);
    expect(queue.stats()).toMatchObject({ acked: 3, deadLettered: 2 });
  });

  it('refuses a schema that validates asynchronously', async () => {
    const { broker } = await open();
    const schema: StandardSchema = {
      '~standard': { version: 1, vendor: 'test', validate: (value) => Promise.resolve({ value }) },
    };
    await expect(broker.queue('orders', { schema }).send(1)).rejects.toThrow(TypeError);
    expect(broker.queue('orders').stats().accepted).toBe(0);
  });

  it('rejects a send for which the schema itself throws', async () => {
    const { broker } = await open();
    const validate = (): never => {
      throw new Error('the schema is broken');
    };
    const queue = broker.queue('orders', { schema: { '~standard': { version: 1, vendor: 'test', validate } } });
    await expect(queue.send(1)).rejects.toThrow('the schema is broken');
    expect(queue.stats().accepted).toBe(0);
  });
});
