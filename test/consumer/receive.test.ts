import { expect, it } from 'vitest';
import { SluiceError } from '../../src/index.js';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

onEachStorage('receive()', (open) => {
  it('takes the oldest message, for its caller to settle', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    const message = (await queue.receive())!;
    expect(message).toMatchObject({ body: 0, attempt: 1, deliveries: 1 });
    expect(queue.stats()).toMatchObject({ unacked: 1, ready: 1, delivered: 1 });
    expect(message.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ unacked: 0, acked: 1 });
  });

  it('resolves with undefined at once where nothing is ready', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    expect(await queue.receive()).toBeUndefined();
    expect(await queue.receive({})).toBeUndefined();
    expect(await queue.receive({ wait: 0 })).toBeUndefined();
  });

  it('finds what is far behind in a backlog that has to be read', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 3000);
    for (let n = 0; n < 3000; n++) {
      const message = await queue.receive();
      expect(message?.body).toBe(n);
      message!.ack();
    }
    expect(await queue.receive()).toBeUndefined();
  });

  it('waits as long as it is told, and no longer', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const inTime = watch(queue.receive({ wait: '1s' }));
    await quiet();
    await clock.advance(999);
    expect(inTime.state).toBe('pending');
    await queue.send(1);
    await quiet();
    expect(inTime.value!.body).toBe(1);
    const tooLong = watch(queue.receive({ wait: '1s' }));
    await quiet();
    await clock.advance('1s');
    expect(tooLong).toEqual({ state: 'resolved', value: undefined });
    await queue.send(2);
    expect(await waiting(queue)).toEqual([2]);
    expect(clock.pending()).toBeLessThanOrEqual(1);
  });

  it('serves those who wait in the order in which they came, each with one message', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const waits = Array.from({ length: 5 }, () => watch(queue.receive({ wait: '1h' })));
    await quiet();
    for (let n = 0; n < 3; n++) await queue.send(n);
    await quiet();
    expect(waits.map(({ value }) => value?.body)).toEqual([0, 1, 2, undefined, undefined]);
    await queue.sendMany([{ body: 3 }, { body: 4 }, { body: 5 }]);
    await quiet();
    expect(waits.map(({ value }) => value!.body)).toEqual([0, 1, 2, 3, 4]);
    expect(await waiting(queue)).toEqual([5]);
  });

  it('shares with consumers: each message goes to one', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    const received = watch(queue.receive({ wait: '1h' }));
    await quiet();
    await fill(queue, 10);
    await quiet();
    expect(received.state).toBe('resolved');
    expect([...handled, received.value!.body].toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, n) => n),
    );
  });

  it('rejects with ERR_ABORTED when its signal aborts, and takes nothing any more', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const controller = new AbortController();
    const received = watch(queue.receive({ wait: '1h', signal: controller.signal }));
    await quiet();
    controller.abort('enough');
    await quiet();
    expect(received).toMatchObject({ state: 'rejected', error: { code: 'ERR_ABORTED', cause: 'enough' } });
    await queue.send(1);
    await quiet();
    expect(queue.stats()).toMatchObject({ ready: 1, unacked: 0 });
  });

  it('takes nothing with a signal that is aborted already', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(1);
    await expect(queue.receive({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(queue.stats()).toMatchObject({ ready: 1, delivered: 0 });
  });

  it('is not touched by an abort that comes after its message', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(1);
    const controller = new AbortController();
    const message = (await queue.receive({ signal: controller.signal }))!;
    controller.abort();
    expect(message.signal.aborted).toBe(false);
    expect(message.ack()).toBe(true);
  });

  it('leaves a message that arrives in the moment it gives up to the next in line', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const controller = new AbortController();
    const first = watch(queue.receive({ wait: '1h', signal: controller.signal }));
    const second = watch(queue.receive({ wait: '1h' }));
    await quiet();
    const sent = queue.send(1);
    controller.abort();
    await sent;
    await quiet();
    const taken = [first, second].filter(({ value }) => value !== undefined);
    expect(taken).toHaveLength(1);
    expect(first.state === 'rejected' ? second.value!.body : first.value!.body).toBe(1);
  });

  it('resolves with undefined when the broker closes, and rejects with ERR_CLOSED afterwards', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const received = watch(queue.receive({ wait: '1h' }));
    await quiet();
    await broker.close();
    expect(received).toEqual({ state: 'resolved', value: undefined });
    await expect(queue.receive()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  it('rejects when the queue is deleted before its message was at hand, and never says that there was none', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    await queue.send(1);
    const received = watch(queue.receive());
    await broker.delete('orders');
    await quiet();
    const { value, error } = received;
    expect(value?.body ?? error).toSatisfy((one) => one === 1 || SluiceError.is(one, 'ERR_UNKNOWN_DESTINATION'));
  });

  it('waits through messages that expire or do not validate', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    queue.pause();
    await queue.send('expires', { ttl: 10 });
    await clock.advance(20);
    const received = watch(queue.receive({ wait: '1h' }));
    queue.resume();
    await quiet();
    expect(received.state).toBe('pending');
    await queue.send('stays');
    await quiet();
    expect(received.value!.body).toBe('stays');
  });

  it('counts no consumer', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    watch(queue.receive({ wait: '1h' }));
    await quiet();
    expect(queue.stats().consumers).toBe(0);
  });

  it('answers who does not wait, also where what it found goes to somebody who waits', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const first = watch(queue.receive({ wait: '1s' }));
    await quiet();
    void queue.send(1);
    const second = watch(queue.receive());
    await quiet();
    expect(first).toMatchObject({ state: 'resolved', value: { body: 1 } });
    expect(second).toMatchObject({ state: 'resolved', value: undefined });
  });
});
