import { expect, it } from 'vitest';
import { fixed, type Delivery } from '../../src/index.js';
import { fill, onEachStorage, waiting } from '../fixtures.js';

type Verb = 'ack' | 'nack' | 'reject' | 'requeue';
const VERBS: readonly Verb[] = ['ack', 'nack', 'reject', 'requeue'];

onEachStorage('The verbs of a delivery', (open) => {
  it.each(VERBS.flatMap((first) => VERBS.map((second) => [first, second] as const)))(
    'settle a message once: after %s, %s returns false and changes nothing',
    async (first, second) => {
      const { broker, quiet } = await open();
      const queue = broker.queue<string>('orders', { retry: { backoff: fixed('1h') } });
      await queue.send('a');
      const message = (await queue.receive())!;
      expect(message[first]()).toBe(true);
      await quiet();
      const before = queue.stats();
      expect(message[second]()).toBe(false);
      expect(message.extend()).toBe(false);
      await quiet();
      expect(queue.stats()).toEqual(before);
    },
  );

  it('cannot settle a message through an earlier delivery of it', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a');
    const first = (await queue.receive())!;
    first.requeue();
    const second = (await queue.receive())!;
    expect(first.ack()).toBe(false);
    expect(queue.stats()).toMatchObject({ unacked: 1, acked: 0 });
    expect(second.ack()).toBe(true);
  });

  it('refuse wrong arguments with TypeError or RangeError, and the message stays in hand', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a');
    const message = (await queue.receive())!;
    const wrong = message as unknown as Record<string, (value?: unknown) => boolean>;
    expect(() => wrong['nack']!({ delay: 'soon' })).toThrow(TypeError);
    expect(() => wrong['nack']!({ delay: -1 })).toThrow(RangeError);
    expect(() => wrong['nack']!({ wait: 5 })).toThrow(TypeError);
    expect(() => wrong['requeue']!({ delay: null })).toThrow(TypeError);
    expect(() => wrong['requeue']!(5)).toThrow(TypeError);
    expect(() => wrong['reject']!(5)).toThrow(TypeError);
    expect(() => wrong['extend']!('long')).toThrow(TypeError);
    expect(() => wrong['extend']!(-1)).toThrow(RangeError);
    expect(queue.stats().unacked).toBe(1);
    expect(message.ack()).toBe(true);
  });

  it('nack with a delay waits that long instead of the backoff, and counts as an attempt', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 2, backoff: fixed('1h') } });
    await queue.send('a');
    (await queue.receive())!.nack({ delay: '2s' });
    await clock.advance(1999);
    expect(await queue.receive()).toBeUndefined();
    await clock.advance(1);
    const again = (await queue.receive())!;
    expect(again).toMatchObject({ attempt: 2, deliveries: 2 });
    again.nack({ delay: '2s' });
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ deadLettered: 1, delayed: 0 });
  });

  it('nack with an error keeps it for retryIf, for the event and for the dead letter', async () => {
    const { broker, quiet } = await open();
    const asked: unknown[] = [];
    const retryIf = (error: unknown): boolean => {
      asked.push(error);
      return false;
    };
    const queue = broker.queue<string>('orders', { retry: { retryIf } });
    await queue.send('a');
    const error = new Error('why');
    (await queue.receive())!.nack({ error });
    await quiet();
    expect(asked).toEqual([error]);
    expect((await queue.deadLetters!.peek())[0]!.deaths[0]!.error).toMatchObject({ message: 'why' });
  });

  it('nack with delay 0 brings the message back to its old place at once', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 3);
    (await queue.receive())!.nack({ delay: 0 });
    const again = (await queue.receive())!;
    expect(again).toMatchObject({ body: 0, attempt: 2, deliveries: 2 });
  });

  it('requeue brings the message back to its place, and counts no attempt', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders', { retry: { attempts: 1 } });
    await fill(queue, 3);
    for (let n = 1; n <= 10; n++) {
      const message = (await queue.receive())!;
      expect(message).toMatchObject({ body: 0, attempt: 1, deliveries: n });
      message.requeue();
    }
    expect(queue.stats()).toMatchObject({ ready: 3, retried: 0, deadLettered: 0, delivered: 10 });
  });

  it.each(['requeue', 'nack'] as const)('%s hands the message to a consumer that waits', async (verb) => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders', { retry: { backoff: fixed(0) } });
    const handled: number[] = [];
    await queue.send(1);
    const message = (await queue.receive())!;
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    message[verb]();
    await quiet();
    expect(handled).toEqual([1]);
  });

  it('requeue with a delay holds it back that long', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 2);
    (await queue.receive())!.requeue({ delay: '1s' });
    expect(queue.stats()).toMatchObject({ ready: 1, delayed: 1 });
    expect((await queue.receive())!.body).toBe(1);
    await clock.advance('1s');
    expect(await queue.receive()).toMatchObject({ body: 0, attempt: 1, deliveries: 2 });
  });

  it('bring several back in order of acceptance, whatever the order they are given back in', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 6);
    const held: Delivery<number>[] = [];
    for (let n = 0; n < 4; n++) held.push((await queue.receive())!);
    for (const n of [2, 0, 3, 1]) held[n]!.requeue();
    const bodies: number[] = [];
    for (let n = 0; n < 6; n++) bodies.push((await queue.receive())!.body);
    expect(bodies).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('reject ends it at once, whatever attempts are left, with the reason as its error', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 100 } });
    await queue.send('a');
    (await queue.receive())!.reject('unknown customer');
    await quiet();
    expect(await waiting(queue.deadLetters!)).toEqual(['a']);
    const [dead] = await queue.deadLetters!.peek();
    expect(dead!.deaths).toMatchObject([
      { reason: 'rejected', attempts: 1, error: { name: 'Error', message: 'unknown customer' } },
    ]);
  });

  it('do not belong to the message that a JSON or a console shows', async () => {
    const { broker } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a', { id: 'x' });
    const message = (await queue.receive())!;
    expect(Object.keys(JSON.parse(JSON.stringify(message)) as object).toSorted()).toEqual([
      'attempt',
      'body',
      'deaths',
      'deliveries',
      'headers',
      'id',
      'priority',
      'source',
      'timestamp',
    ]);
  });
});
