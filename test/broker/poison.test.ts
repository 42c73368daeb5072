import { describe, expect, it } from 'vitest';
import { Broker, fixed, type BrokerOptions, type Delivery, type Queue } from '../../src/index.js';
import { FaultyStorage, ManualClock } from '../../src/testing/index.js';
import { JournalStorage } from '../../src/testing/journal-storage.js';
import { until, waiting } from '../fixtures.js';
import { MACHINES } from './machines.js';

const retry = { attempts: 3, backoff: fixed(0) };

describe.each(MACHINES)('A message that ends the process · $name', ({ start }) => {
  /** Runs one process after the other until one of them has nothing left to do; how many ended before their time. */
  const live = async (
    seed: number,
    setUp: (broker: Broker, die: () => Promise<never>) => unknown,
    prepare: (broker: Broker) => Promise<unknown>,
    options: BrokerOptions = {},
  ) => {
    const clock = new ManualClock();
    const machine = start(seed);
    const open = () => Broker.open({ storage: machine.storage(), clock, ...options });
    const first = await open();
    await prepare(first);
    await first.close();
    for (let deaths = 0; deaths < 30; deaths++) {
      const broker = await open();
      broker.on('error', () => undefined);
      let killed: Promise<void> | undefined;
      const die = (): Promise<never> => {
        killed ??= machine.kill();
        return new Promise<never>(() => undefined);
      };
      setUp(broker, die);
      for (let rounds = 0; rounds < 100 && killed === undefined; rounds++) {
        await clock.advance(50);
        if (
          broker
            .stats()
            .queues.every(
              ({ ready, delayed, unacked, consumers }) => consumers === 0 || ready + delayed + unacked === 0,
            )
        )
          break;
      }
      if (killed === undefined) return { broker, deaths };
      await killed;
      void broker.close({ timeout: 0 });
    }
    throw new Error('it never ended');
  };

  const send =
    (count: number, poison: number, name = 'orders') =>
    (broker: Broker) =>
      broker
        .queue<string>(name)
        .sendMany(
          Array.from({ length: count }, (_, n) => ({ body: n === poison ? 'poison' : `good ${n}`, key: `k${n % 3}` })),
        );

  /** What became of a queue: everything good was handled, the poison alone is dead. */
  const judged = async (broker: Broker, good: readonly string[], count: number) => {
    expect(new Set(good).size).toBe(count - 1);
    expect(await waiting(broker.queue<string>('orders.dlq'))).toEqual(['poison']);
    const [dead] = await broker.queue('orders.dlq').peek();
    expect(dead!.deaths).toMatchObject([{ source: 'orders', reason: 'attempts', attempts: 3 }]);
    expect(dead!.deaths[0]!.error?.message).toMatch(/process ended/);
    await broker.close();
  };

  it.each([
    ['one by one', { concurrency: 1 }],
    ['four at a time', { concurrency: 4 }],
    ['with many in hand', { concurrency: 2, prefetch: 8 }],
  ])('is dead-lettered after as many restarts as it has attempts, and its neighbours are not: %s', async (_, how) => {
    const good: string[] = [];
    const attempts: number[] = [];
    const { broker, deaths } = await live(
      1,
      (process, die) =>
        process.queue<string>('orders', { retry }).consume(async ({ body, attempt }) => {
          if (body !== 'poison') return void good.push(body);
          attempts.push(attempt);
          await die();
        }, how),
      send(12, 5),
    );
    expect(deaths).toBe(3);
    expect(attempts).toEqual([1, 2, 3]);
    await judged(broker, good, 12);
  });

  it('costs its neighbours no more where handlers are so fast that many are marked ahead', async () => {
    const good: string[] = [];
    const { broker, deaths } = await live(
      2,
      (process, die) =>
        process.queue<string>('orders', { retry }).consume(async ({ body }) => {
          if (body === 'poison') await die();
          good.push(body);
        }),
      send(1500, 1200),
    );
    expect(deaths).toBe(3);
    await judged(broker, good, 1500);
  });

  it('never takes along what was handled beside it, not even with a single attempt', async () => {
    const good: string[] = [];
    const { broker } = await live(
      3,
      (process, die) =>
        process.queue<string>('orders', { retry: { attempts: 1 } }).consume(
          async ({ body }) => {
            // The others have begun by then, and none is done.
            const turns = body === 'poison' ? 20 : 60;
            for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
            if (body === 'poison') await die();
            good.push(body);
          },
          { concurrency: 12 },
        ),
      send(12, 0),
    );
    expect(new Set(good).size).toBe(11);
    expect(await waiting(broker.queue<string>('orders.dlq'))).toEqual(['poison']);
    await broker.close();
  });

  it('is found among the messages of a batch', async () => {
    const good: string[] = [];
    const sizes: number[] = [];
    const { broker, deaths } = await live(
      4,
      (process, die) =>
        process.queue<string>('orders', { retry }).consumeBatch(
          async (batch: readonly Delivery<string>[]) => {
            if (batch.some(({ body }) => body === 'poison')) {
              sizes.push(batch.length);
              await die();
            }
            for (const { body } of batch) good.push(body);
          },
          { size: 6 },
        ),
      send(12, 3),
    );
    expect(deaths).toBe(3);
    expect(sizes).toEqual([6, 1, 1]);
    await judged(broker, good, 12);
  });

  it('is found where messages are kept in order by key', async () => {
    const good: string[] = [];
    const { broker, deaths } = await live(
      5,
      (process, die) =>
        process.queue<string>('orders', { ordering: 'key', retry }).consume(
          async ({ body }) => {
            if (body === 'poison') await die();
            good.push(body);
          },
          { concurrency: 3 },
        ),
      (broker) => {
        broker.queue('orders', { ordering: 'key', retry });
        return send(12, 4)(broker);
      },
    );
    expect(deaths).toBe(3);
    for (const key of [0, 1, 2]) {
      const order = [...new Set(good)].map((body) => Number(body.slice(5))).filter((n) => n % 3 === key);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    await judged(broker, good, 12);
  });

  it('keeps the order of its key where it had to wait for its trial, and the process ends before that', async () => {
    const clock = new ManualClock();
    const machine = start(12);
    const die = (broker: Broker): Promise<void> => machine.kill().then(() => void broker.close({ timeout: 0 }));
    const open = async (): Promise<Broker> => {
      const broker = await Broker.open({ storage: machine.storage(), clock });
      return broker.on('error', () => undefined);
    };
    const seen: string[] = [];
    const consume = (broker: Broker, name: string, done: number): Promise<void> =>
      new Promise((resolve) => {
        let handled = 0;
        broker.queue<string>(name, { ordering: 'key' }).consume(({ body }) => {
          if (name === 'orders') seen.push(body);
          if (++handled !== done) return undefined;
          resolve();
          return new Promise(() => undefined);
        });
      });

    // What may have begun when the process ends: many, since handlers are so fast that they are marked ahead.
    const first = await open();
    for (const name of ['mails', 'orders']) {
      const queue = first.queue<string>(name, { ordering: 'key' });
      await queue.sendMany(Array.from({ length: 500 }, (_, n) => ({ body: `${n}`, key: `k${n % 2}` })));
      await consume(first, name, 300);
    }
    await first.flush();
    await die(first);

    // One is tried for long; that of the other queue has to wait. Where fewer were marked ahead, the next begins, and does not end.
    const begun = seen.length;
    const second = await open();
    await consume(second, 'mails', 1);
    void consume(second, 'orders', 1);
    for (let turns = 0; turns < 20; turns++) await clock.advance(1);
    await second.flush();
    await die(second);
    const inHand = ['299', ...seen.slice(begun)].map(Number);

    const third = await open();
    void consume(third, 'orders', Infinity);
    for (let turns = 0; turns < 20; turns++) await clock.advance(50);
    await third.close({ timeout: 0 });
    // What was in hand when a process ended comes again, before all others of its key.
    for (const key of [0, 1]) {
      const order = seen.map(Number).filter((n) => n % 2 === key);
      const again = inHand.filter((n) => n % 2 === key);
      const once = Array.from({ length: 250 }, (_, n) => 2 * n + key);
      expect(order).toEqual([...once, ...again].sort((a, b) => a - b));
    }
  });

  it('does not go before what waits for its key, where it was only marked ahead', async () => {
    const clock = new ManualClock();
    const machine = start(13);
    const first = await Broker.open({ storage: machine.storage(), clock });
    first.on('error', () => undefined);
    const queue = first.queue<number>('orders', { ordering: 'key', retry });
    await queue.sendMany(Array.from({ length: 600 }, (_, body) => ({ body, key: `k${body % 2}` })));
    // The first of one key is in hand all the time: the others of it wait, while those of the other key pass them.
    await new Promise<void>((resolve) => {
      queue.consume(
        ({ body }) => {
          if (body === 401) resolve();
          return body === 0 || body === 401 ? new Promise(() => undefined) : undefined;
        },
        { concurrency: 2 },
      );
    });
    await first.flush();
    await machine.kill();
    void first.close({ timeout: 0 });

    const second = await Broker.open({ storage: machine.storage(), clock });
    const seen: number[] = [];
    // What was in hand is judged, and back.
    await until(() => second.stats().queues[0]!.unacked === 0);
    second.queue<number>('orders', { ordering: 'key', retry }).consume(({ body }) => void seen.push(body));
    for (let turns = 0; turns < 40; turns++) await clock.advance(50);
    for (const key of [0, 1]) {
      const order = seen.filter((body) => body % 2 === key);
      expect(order.length).toBeGreaterThan(90);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
    }
    await second.close({ timeout: 0 });
  });

  it('is known for what it is where it was taken with receive()', async () => {
    const good: string[] = [];
    const take = async (queue: Queue<string>, die: () => Promise<never>): Promise<void> => {
      for await (const message of queue) {
        if (message.body === 'poison') await die();
        good.push(message.body);
        message.ack();
      }
    };
    const { broker, deaths } = await live(
      6,
      (process, die) => {
        const queue = process.queue<string>('orders', { retry });
        take(queue, die).catch(() => undefined);
      },
      send(6, 2),
    );
    expect(deaths).toBe(3);
    await judged(broker, good, 6);
  });

  it('does not take along what takes long in another queue, however often the process ends', async () => {
    const good: string[] = [];
    let slowly = 0;
    const { broker } = await live(
      7,
      (process, die) => {
        process.queue<string>('orders', { retry }).consume(async ({ body }) => {
          if (body === 'poison') await die();
          good.push(body);
        });
        process.queue<string>('slow', { retry }).consume(async () => {
          slowly++;
          for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
        });
      },
      async (broker) => {
        await send(6, 2)(broker);
        await broker.queue('slow').sendMany([{ body: 1 }, { body: 2 }]);
      },
    );
    expect(broker.stats().queues.find(({ name }) => name === 'slow')).toMatchObject({ acked: 2, deadLettered: 0 });
    expect(slowly).toBeGreaterThan(1);
    await judged(broker, good, 6);
  });

  it('is not joined by what comes while it is tried', async () => {
    const clock = new ManualClock();
    const machine = start(11);
    const first = (await Broker.open({ storage: machine.storage(), clock })).on('error', () => undefined);
    await first.queue('orders', { retry }).send('suspect');
    await first.queue('orders').receive();
    await machine.kill();
    void first.close({ timeout: 0 });

    const second = await Broker.open({ storage: machine.storage(), clock });
    const queue = second.queue<string>('orders', { retry: { ...retry, backoff: fixed(10) } });
    const running: string[] = [];
    let done!: () => void;
    const held = new Promise<void>((resolve) => (done = resolve));
    queue.consume(
      ({ body }) => {
        running.push(body);
        return body === 'suspect' ? held : undefined;
      },
      { concurrency: 3 },
    );
    await clock.advance('1s');
    expect(running).toEqual(['suspect']);
    await queue.send('new');
    await clock.advance('1s');
    expect(running).toEqual(['suspect']);
    done();
    await until(() => running.length === 2);
    await second.close();
  });

  it('is alone in its consumer while it is tried, and no suspect of another queue is tried meanwhile; for a minute at most', async () => {
    const clock = new ManualClock();
    const machine = start(10);
    const open = async () => (await Broker.open({ storage: machine.storage(), clock })).on('error', () => undefined);
    const first = await open();
    for (const name of ['a', 'b']) await first.queue(name, { retry }).sendMany([1, 2, 3].map((body) => ({ body })));
    let begun = 0;
    const hold = () => new Promise(() => void begun++);
    for (const name of ['a', 'b']) first.queue(name).consume(hold, { concurrency: 2 });
    await until(() => begun === 4);
    await machine.kill();
    void first.close({ timeout: 0 });

    const second = await open();
    const running: string[] = [];
    const queues = ['a', 'b'].map((name) => second.queue<number>(name, { retry: { ...retry, backoff: fixed(10) } }));
    await clock.advance(0);
    // What never began is there, and nobody suspects it.
    for (const queue of queues) expect((await queue.receive())!.ack()).toBe(true);
    for (const queue of queues) {
      queue.consume(
        ({ body }) => {
          running.push(`${queue.name}${body}`);
          return hold();
        },
        { concurrency: 3 },
      );
    }
    await clock.advance('1s');
    expect(running).toHaveLength(1);
    const [name] = running[0]!;
    await second.queue(name!).send(4);
    await clock.advance('58s');
    expect(running).toHaveLength(1);
    const other = name === 'a' ? 'b' : 'a';
    await second.queue(other).send(4);
    await clock.advance(0);
    expect(running).toEqual([running[0], `${other}4`]);
    await clock.advance('3m');
    // The next is tried, and the one that came meanwhile begins after that, beside those who take so long.
    expect(running).toHaveLength(4);
    await second.close({ timeout: 0 });
  });

  it.each([
    ['given back', (message: Delivery) => message.requeue()],
    ['acknowledged', (message: Delivery) => message.ack()],
    ['given back by a close', () => undefined],
  ])('is none that was %s before', async (_, end) => {
    const clock = new ManualClock();
    const machine = start(8);
    const open = async () => (await Broker.open({ storage: machine.storage(), clock })).on('error', () => undefined);
    const first = await open();
    await first.queue('orders').send(1);
    end((await first.queue('orders').receive())!);
    await first.close();
    const second = await open();
    await second.flush();
    await machine.kill();
    void second.close({ timeout: 0 });
    const third = await open();
    await clock.advance(0);
    expect(third.queue('orders').stats()).toMatchObject({ retried: 0, delayed: 0, unacked: 0 });
    expect((await third.queue('orders').receive())?.attempt ?? 1).toBe(1);
    await third.close();
  });

  it('says so in events and figures, as a failed attempt', async () => {
    const clock = new ManualClock();
    const machine = start(9);
    const first = await Broker.open({ storage: machine.storage(), clock });
    first.on('error', () => undefined);
    await first.queue('orders', { retry: { attempts: 2 } }).send(1, { id: 'a' });
    expect(await first.queue('orders').receive()).toMatchObject({ id: 'a', attempt: 1 });
    await machine.kill();
    void first.close({ timeout: 0 });

    const second = await Broker.open({ storage: machine.storage(), clock });
    second.on('error', () => undefined);
    const told: unknown[] = [];
    second.on('retried', (event) => told.push(event)).on('deadLettered', (event) => told.push(event));
    second.queue('orders', { retry: { attempts: 2, backoff: fixed('1s') } });
    expect(second.queue('orders').stats()).toMatchObject({ unacked: 1, ready: 0 });
    await clock.advance(0);
    expect(second.queue('orders').stats()).toMatchObject({ unacked: 0, delayed: 1, retried: 1 });
    expect(told).toMatchObject([{ source: 'orders', id: 'a', attempt: 1, delay: 1000 }]);
    await clock.advance('1s');
    expect(await second.queue('orders').receive()).toMatchObject({ attempt: 2, deliveries: 2 });
    await machine.kill();
    void second.close({ timeout: 0 });

    const third = await Broker.open({ storage: machine.storage(), clock });
    third.on('deadLettered', (event) => told.push(event));
    await clock.advance(0);
    expect(told.at(-1)).toMatchObject({ source: 'orders', id: 'a', reason: 'attempts', to: 'orders.dlq' });
    await third.close();
  });
});

describe('Before a handler runs', () => {
  it('the storage has its delivery, in the operating system and no further, together with all acknowledgements', async () => {
    const storage = new JournalStorage();
    const broker = await Broker.open({ storage });
    const queue = broker.queue<number>('orders');
    await queue.sendMany([{ body: 1 }, { body: 2 }]);
    const first = (await queue.receive())!;
    first.ack();
    const second = (await queue.receive())!;
    expect(second.body).toBe(2);
    broker.on('error', () => undefined);
    // Killed right now: the first is settled, the second in hand.
    const after = await Broker.open({ storage: storage.crash({ survives: 'os' }) });
    expect(after.queue('orders').stats()).toMatchObject({ acked: 1, unacked: 1, ready: 0 });
    await after.close();
    void broker.close({ timeout: 0 });
  });

  it('what went along is on the disk as soon as flush() says so, or the event loop has turned', async () => {
    for (const wait of ['flush', 'turns'] as const) {
      const storage = new JournalStorage();
      const broker = (await Broker.open({ storage })).on('error', () => undefined);
      const queue = broker.queue<number>('orders');
      await queue.sendMany([{ body: 1 }, { body: 2 }]);
      (await queue.receive())!.ack();
      // Its mark takes the acknowledgement along, and goes no further than the operating system.
      await queue.receive();
      if (wait === 'flush') await broker.flush();
      else for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      const after = await Broker.open({ storage: storage.crash({ survives: 'disk' }) });
      expect(after.queue('orders').stats()).toMatchObject({ acked: 1 });
      await after.close();
      void broker.close({ timeout: 0 });
    }
  });

  it('nobody waits for a storage that cannot say so: it is delivered, and the failure reported', async () => {
    const storage = new FaultyStorage(new JournalStorage());
    const broker = await Broker.open({ storage });
    const errors: Error[] = [];
    broker.on('error', ({ error }) => errors.push(error));
    const queue = broker.queue<number>('orders');
    await queue.send(1);
    storage.failNext('write', new Error('no mark'));
    expect((await queue.receive())!.body).toBe(1);
    expect(errors.map(({ message }) => message)).toEqual(['no mark']);
    await broker.close();
  });

  it('what is acknowledged beforehand is stored as such: at most once, over a kill', async () => {
    const storage = new JournalStorage();
    const broker = await Broker.open({ storage });
    const queue = broker.queue<number>('orders');
    await queue.send(1);
    let found: Promise<Broker> | undefined;
    queue.consume(() => void (found = Broker.open({ storage: storage.crash({ survives: 'os' }) })), { ack: 'none' });
    await until(() => found !== undefined);
    expect((await found!).queue('orders').stats()).toMatchObject({ acked: 1, ready: 0, unacked: 0 });
    await (await found!).close();
    broker.on('error', () => undefined);
    void broker.close({ timeout: 0 });
  });

  it('nothing is written where nothing outlives the process', async () => {
    const broker = await Broker.open();
    await broker.queue('orders').send(1);
    const received = broker.queue('orders').receive();
    expect((await received)!.body).toBe(1);
    expect(broker.queue('orders').subscription.stock.begun).toBeUndefined();
    await broker.close();
  });
});
