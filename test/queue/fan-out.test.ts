import { expect, it } from 'vitest';
import { fixed, type Broker, type Exchange, type Queue } from '../../src/index.js';
import { fill, onEachStorage, waiting, watch } from '../fixtures.js';

/** A fanout exchange to these queues. */
function fanout(broker: Broker, queues: readonly Queue<number>[]): Exchange {
  const exchange = broker.exchange('all', { type: 'fanout' });
  for (const queue of queues) exchange.bind(queue);
  return exchange;
}

onEachStorage('A message that is published to several queues', (open) => {
  it('is refused by all where one is full, naming that one', async () => {
    const { broker } = await open();
    const full = broker.queue<number>('full', { maxLength: 1 });
    const other = broker.queue<number>('other');
    await full.send(0);
    const published = fanout(broker, [other, full]).publish('', 1);
    await expect(published).rejects.toMatchObject({ code: 'ERR_QUEUE_FULL', details: { queue: 'full' } });
    expect(other.stats().accepted).toBe(0);
  });

  it('waits for the fullest of those that block, and is in none of them before', async () => {
    const { broker, quiet } = await open();
    const a = broker.queue<number>('a', { maxLength: 1, overflow: 'block' });
    const b = broker.queue<number>('b', { maxLength: 2, overflow: 'block' });
    const exchange = fanout(broker, [a, b]);
    await a.send(0);
    await fill(b, 2);
    const published = watch(exchange.publish('', 9));
    await quiet();
    (await a.receive())!.ack();
    await quiet();
    expect([published.state, a.stats().ready]).toEqual(['pending', 0]);
    (await b.receive())!.ack();
    await quiet();
    expect(published).toMatchObject({ state: 'resolved', value: { destinations: ['a', 'b'] } });
    expect([await waiting(a), await waiting(b)]).toEqual([[9], [1, 9]]);
  });

  it('keeps its place in one line: what comes later to a queue it waits for waits behind it', async () => {
    const { broker, quiet } = await open();
    const a = broker.queue<number>('a', { maxLength: 1, overflow: 'block' });
    const b = broker.queue<number>('b', { maxLength: 1, overflow: 'block' });
    await a.send(0);
    const both = watch(fanout(broker, [a, b]).publish('', 1));
    const later = watch(b.send(2));
    await quiet();
    expect([both.state, later.state]).toEqual(['pending', 'pending']);
    (await a.receive())!.ack();
    await quiet();
    expect([both.state, later.state]).toEqual(['resolved', 'pending']);
    expect(await waiting(b)).toEqual([1]);
  });

  it('is rejected where a queue that rejects became full while it waited for another', async () => {
    const { broker, quiet } = await open();
    const blocks = broker.queue<number>('blocks', { maxLength: 1, overflow: 'block' });
    const rejects = broker.queue<number>('rejects', { maxLength: 1 });
    await blocks.send(0);
    const published = watch(fanout(broker, [blocks, rejects]).publish('', 1));
    await quiet();
    await rejects.send(0);
    (await blocks.receive())!.ack();
    await quiet();
    expect(published).toMatchObject({
      state: 'rejected',
      error: { code: 'ERR_QUEUE_FULL', details: { queue: 'rejects' } },
    });
    expect(blocks.stats().ready).toBe(0);
  });

  it('goes where each queue’s own policy sends it', async () => {
    const { broker, quiet } = await open();
    const drops = broker.queue<number>('drops', { maxLength: 1, overflow: 'drop-head' });
    const buries = broker.queue<number>('buries', { maxLength: 1, overflow: 'dead-letter' });
    const takes = broker.queue<number>('takes');
    const exchange = fanout(broker, [drops, buries, takes]);
    await exchange.publish('', 1);
    const receipt = await exchange.publish('', 2);
    await quiet();
    expect([...receipt.destinations].toSorted()).toEqual(['buries.dlq', 'drops', 'takes']);
    expect([await waiting(drops), await waiting(buries), await waiting(takes)]).toEqual([[2], [1], [1, 2]]);
  });

  it('reaches consumers where it meets what it drives out of another queue', async () => {
    const { broker, quiet } = await open();
    const graves = broker.queue<number>('graves');
    const ring = broker.queue<number>('ring', { maxLength: 1, overflow: 'drop-head', deadLetter: graves });
    const exchange = fanout(broker, [ring, graves]);
    for (let n = 1; n < 4; n++) await exchange.publish('', n);
    const handled: number[] = [];
    graves.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled.toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3]);
  });

  it('is a message of its own in each: attempts, deaths, ttl and body are not shared', async () => {
    const { broker, clock } = await open();
    const fails = broker.queue<number>('fails', { retry: { attempts: 2, backoff: fixed(1) } });
    const expires = broker.queue<number>('expires', { ttl: 10 });
    const keeps = broker.queue<{ n: number }>('keeps');
    const exchange = fanout(broker, [fails, expires]).bind(keeps);
    const { id } = await exchange.publish('', { n: 1 }, { headers: { h: 1 } });
    fails.consume((message) => {
      (message.body as unknown as { n: number }).n = 99;
      throw new Error('no');
    });
    await clock.advance(50);
    const [dead] = await fails.deadLetters!.peek();
    const [expired] = await expires.deadLetters!.peek();
    const kept = (await keeps.receive())!;
    expect([dead!.id, expired!.id, kept.id]).toEqual([id, id, id]);
    expect([dead!.deaths[0]!.source, expired!.deaths[0]!.source]).toEqual(['fails', 'expires']);
    expect(kept).toMatchObject({ body: { n: 1 }, attempt: 1, deliveries: 1, deaths: [], headers: { h: 1 } });
  });

  it('is validated by every schema before it is stored anywhere', async () => {
    const { broker } = await open();
    const loose = broker.queue<number>('loose');
    const validate = (value: unknown): unknown => (value === 1 ? { value } : { issues: [{ message: 'not one' }] });
    const strict = broker.queue<number>('strict', {
      schema: { '~standard': { version: 1, vendor: 'test', validate } },
    });
    const exchange = fanout(broker, [loose, strict]);
    await expect(exchange.publish('', 2)).rejects.toMatchObject({ code: 'ERR_VALIDATION' });
    expect([loose.stats().accepted, strict.stats().accepted]).toEqual([0, 0]);
    await exchange.publish('', 1);
  });

  it('survives as little as its weakest destination', async () => {
    const { broker } = await open();
    const durable = broker.queue<number>('durable');
    const volatile = broker.queue<number>('volatile', { durable: false });
    const { durability } = await fanout(broker, [durable, volatile]).publish('', 1);
    expect(durability).toBe('memory');
    expect([durable.stats().ready, volatile.stats().ready]).toEqual([1, 1]);
  });

  it('does not reach a queue that was deleted while the rest was stored, nor another of its name', async () => {
    const { broker, quiet } = await open();
    const exchange = broker.exchange('events', { type: 'fanout' });
    exchange.bind(broker.queue('lasting')).bind(broker.queue('passing', { durable: false }));
    const published = exchange.publish('', 'old');
    await broker.delete('passing');
    const queue = broker.queue<string>('passing', { durable: false });
    await published;
    await queue.send('new');
    await quiet();
    expect(await waiting(queue)).toEqual(['new']);
    expect((await queue.receive())!.ack()).toBe(true);
    expect(queue.stats()).toMatchObject({ accepted: 1, ready: 0, acked: 1 });
    expect(broker.queue('lasting').stats()).toMatchObject({ accepted: 1 });
  });
});

onEachStorage('A message that need not last', (open) => {
  it('keeps its order with those that must, and says so in its receipt', async () => {
    const { broker, quiet } = await open();
    const queue = broker.queue<number>('orders');
    const receipts = await Promise.all(
      Array.from({ length: 30 }, (_, n) => queue.send(n, n % 3 === 0 ? { persistent: false } : {})),
    );
    const { durability } = broker.stats().storage;
    expect(receipts.map((receipt) => receipt.durability)).toEqual(
      receipts.map((_, n) => (n % 3 === 0 ? 'memory' : durability)),
    );
    const handled: number[] = [];
    queue.consume(({ body }) => void handled.push(body));
    await quiet();
    expect(handled).toEqual(Array.from({ length: 30 }, (_, n) => n));
  });
});
