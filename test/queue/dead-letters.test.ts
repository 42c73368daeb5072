import { expect, it } from 'vitest';
import { MemoryStorage } from '../../src/index.js';
import { FaultyStorage } from '../../src/testing/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('A dead letter', (open) => {
  it('goes to <name>.dlq by default, with id, body, key, headers, priority and time of acceptance', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', { priorities: 4 });
    await queue.send('a', { id: 'x', key: 'k', headers: { h: 1 }, priority: 3, ttl: '1h' });
    const accepted = new Date(clock.now());
    await clock.advance(500);
    (await queue.receive())!.reject('no such customer');
    await quiet();
    const dead = (await broker.queue<string>('orders.dlq').receive())!;
    expect(dead).toMatchObject({ id: 'x', body: 'a', key: 'k', headers: { h: 1 }, priority: 3, source: 'orders.dlq' });
    expect(dead.timestamp).toEqual(accepted);
    expect([dead.attempt, dead.deliveries]).toEqual([1, 1]);
  });

  it('has no queue made for it by who only asks, when the broker is closed', async () => {
    const { broker, quiet } = await open();
    const source = broker.queue('orders');
    await broker.close();
    expect(source.deadLetters).toBeUndefined();
    await quiet();
  });

  it('tells where, when, why and after how many attempts it died', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a');
    await clock.advance(500);
    (await queue.receive())!.reject('no such customer');
    await quiet();
    const [dead] = await queue.deadLetters!.peek();
    expect(dead!.deaths).toEqual([
      {
        source: 'orders',
        reason: 'rejected',
        at: new Date(clock.now()),
        count: 1,
        attempts: 1,
        error: { name: 'Error', message: 'no such customer', stack: expect.any(String) },
      },
    ]);
  });

  it('has no error where none was given', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders');
    await queue.send('a');
    (await queue.receive())!.reject();
    await quiet();
    expect((await queue.deadLetters!.peek())[0]!.deaths[0]).not.toHaveProperty('error');
  });

  it.each([
    ['a string', 'plain text', { name: 'Error', message: 'plain text' }],
    ['a number', 42, { name: 'Error', message: '42' }],
    ['an object with a message', { message: 'odd', code: 7 }, { name: 'Error', message: 'odd' }],
    ['an error of its own kind', new TypeError('typed'), { name: 'TypeError', message: 'typed' }],
  ])('describes what was thrown, also when that is %s', async (_, thrown, expected) => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 1 } });
    queue.consume(() => {
      throw thrown;
    });
    await queue.send('a');
    await quiet();
    expect((await queue.deadLetters!.peek())[0]!.deaths[0]!.error).toMatchObject(expected);
  });

  it('is told by an event that names its source, its reason and where it went', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { retry: { attempts: 1 } });
    const told: unknown[] = [];
    broker.on('deadLettered', (event) => told.push(event));
    const error = new Error('no');
    const { id } = await queue.send('a');
    (await queue.receive())!.nack({ error });
    await quiet();
    expect(told).toEqual([{ source: 'orders', id, reason: 'attempts', to: 'orders.dlq', error }]);
  });

  it('goes to the queue that deadLetter names or is', async () => {
    const { broker, quiet } = await open();
    const graves = broker.queue<string>('graves');
    const queues = [
      broker.queue<string>('by name', { deadLetter: 'graves' }),
      broker.queue<string>('by handle', { deadLetter: graves }),
    ];
    for (const queue of queues) {
      await queue.send(queue.name);
      (await queue.receive())!.reject();
      await quiet();
    }
    expect(await waiting(graves)).toEqual(['by name', 'by handle']);
    expect(queues.map(({ deadLetters }) => deadLetters)).toEqual([graves, graves]);
  });

  it('makes a queue of a name that nothing has, at the first death and not before', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    await queue.send('a');
    expect(broker.stats().queues.map(({ name }) => name)).toEqual(['orders']);
    (await queue.receive())!.reject();
    await quiet();
    expect(broker.stats().queues.map(({ name }) => name)).toEqual(['orders', 'graves']);
  });

  it('is dropped where deadLetter is false, and the event says so', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: false });
    const told: unknown[] = [];
    broker.on('deadLettered', ({ reason, to }) => told.push([reason, to]));
    await queue.send('a');
    (await queue.receive())!.reject();
    await quiet();
    expect(told).toEqual([['rejected', null]]);
    expect(queue.stats()).toMatchObject({ dropped: 1, deadLettered: 0 });
    expect(queue.deadLetters).toBeUndefined();
    expect(broker.stats().queues).toHaveLength(1);
  });

  it('is not lost where it cannot be stored: it comes back, and moves as soon as it can', async () => {
    const storage = new FaultyStorage(new MemoryStorage());
    const { broker, clock, reported } = await open({ storage });
    const queue = broker.queue<string>('orders');
    await queue.send('a');
    const message = (await queue.receive())!;
    storage.failNext('write');
    expect(message.reject()).toBe(true);
    await clock.advance(0);
    expect(reported()).toMatchObject([{ code: 'ERR_STORAGE_FAILED' }]);
    expect(queue.stats()).toMatchObject({ deadLettered: 0, unacked: 0 });
    expect(await waiting(queue)).toEqual(['a']);
    await clock.advance('1s');
    const again = (await queue.receive())!;
    again.reject();
    await clock.advance(0);
    expect(queue.stats()).toMatchObject({ deadLettered: 1, unacked: 0, ready: 0 });
    expect(await waiting(queue.deadLetters!)).toEqual(['a']);
  });
});

onEachStorage('A dead-letter queue that nobody has described', (open) => {
  it('retries for ever, and dead-letters nowhere', async () => {
    const { broker, clock, quiet } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    await queue.send('a');
    (await queue.receive())!.reject();
    await quiet();
    const graves = queue.deadLetters!;
    expect(graves.deadLetters).toBeUndefined();
    graves.consume(() => Promise.reject(new Error('no')));
    await clock.advance('1h');
    expect(graves.stats()).toMatchObject({ deadLettered: 0, dropped: 0 });
    expect(graves.stats().retried).toBeGreaterThan(50);
  });

  it('drops what is rejected there, for there is nowhere to go', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders.dlq');
    await queue.send('a');
    (await queue.receive())!.reject();
    await quiet();
    expect(queue.stats()).toMatchObject({ dropped: 1, deadLettered: 0 });
  });

  it('is also one whose name ends in .dlq, unless it is declared with options', async () => {
    const { broker, quiet } = await open();
    const plain = broker.queue<string>('plain.dlq');
    expect(plain.deadLetters).toBeUndefined();
    const described = broker.queue<string>('described.dlq', { retry: { attempts: 1 } });
    await described.send('a');
    (await described.receive())!.nack();
    await quiet();
    expect(described.deadLetters!.name).toBe('described.dlq.dlq');
    expect(await waiting(described.deadLetters!)).toEqual(['a']);
  });

  it('takes the options of a declaration that comes later', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<string>('orders', { deadLetter: 'graves' });
    await queue.send('a');
    (await queue.receive())!.reject();
    await quiet();
    const graves = broker.queue<string>('graves', { retry: { attempts: 1 }, deadLetter: 'last' });
    (await graves.receive())!.nack();
    await quiet();
    expect(await waiting(broker.queue<string>('last'))).toEqual(['a']);
  });

  it('takes dead letters past its limits, whatever its policy for producers', async () => {
    const { broker, quiet } = await open();
    const graves = broker.queue<string>('graves', { maxLength: 1 });
    const queue = broker.queue<string>('orders', { deadLetter: graves });
    for (const body of ['a', 'b', 'c']) {
      await queue.send(body);
      (await queue.receive())!.reject();
      await quiet();
    }
    expect(await waiting(graves)).toEqual(['a', 'b', 'c']);
    await expect(graves.send('d')).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL' });
  });
});

onEachStorage('The deadLetters handle of a queue', (open) => {
  it('is the queue where its failed messages go, before the first of them as well', async () => {
    const { broker } = await open();
    const queue = broker.queue('orders');
    expect(queue.deadLetters!.name).toBe('orders.dlq');
    expect(queue.deadLetters).toBe(broker.queue('orders.dlq'));
    expect(await queue.deadLetters!.peek()).toEqual([]);
  });

  it('is undefined where dead letters go to an exchange, or nowhere', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('graves');
    expect(broker.queue('a', { deadLetter: exchange }).deadLetters).toBeUndefined();
    expect(broker.queue('b', { deadLetter: 'graves' }).deadLetters).toBeUndefined();
    expect(broker.queue('c', { deadLetter: false }).deadLetters).toBeUndefined();
  });
});
