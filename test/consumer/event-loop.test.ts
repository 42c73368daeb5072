import { expect, it } from 'vitest';
import { nextTurn } from '../../src/clock.js';
import { fill, onEachStorage, until } from '../fixtures.js';

/** Counts the turns that the event loop makes for others, until stopped. */
function turnsOfOthers(): { readonly count: () => number; readonly stop: () => void } {
  let turns = 0;
  let stopped = false;
  const turn = (): void => {
    if (stopped) return;
    turns++;
    nextTurn(turn);
  };
  nextTurn(turn);
  return { count: () => turns, stop: () => void (stopped = true) };
}

onEachStorage('The event loop of the host', (open) => {
  it('turns again and again while a large backlog is drained by trivial handlers', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    await fill(queue, 20_000);
    let handled = 0;
    let between = 0;
    let longest = 0;
    queue.consume(() => {
      handled++;
      longest = Math.max(longest, ++between);
    });
    while (handled < 20_000) {
      await new Promise<void>(nextTurn);
      between = 0;
    }
    expect(longest).toBeLessThan(20_000);
    await broker.idle();
    expect(queue.stats().acked).toBe(20_000);
  });

  it('turns while a handler gives its own message back for ever', async () => {
    const { broker } = await open();
    const queue = broker.queue<number>('orders');
    let deliveries = 0;
    const consumer = queue.consume((message) => {
      deliveries = message.deliveries;
      message.requeue();
    });
    await queue.send(1);
    const others = turnsOfOthers();
    await until(() => others.count() >= 20 && deliveries > 1000);
    others.stop();
    await consumer.close();
    expect(queue.stats()).toMatchObject({ ready: 1, retried: 0 });
  });

  it('turns while two queues send to each other without end', async () => {
    const { broker } = await open();
    const [ping, pong] = [broker.queue<number>('ping'), broker.queue<number>('pong')];
    let sent = 0;
    ping.consume(async ({ body }) => {
      sent = body;
      if (!stopped) await pong.send(body + 1);
    });
    pong.consume(({ body }) => ping.send(body + 1));
    let stopped = false;
    await ping.send(1);
    const others = turnsOfOthers();
    await until(() => others.count() >= 20 && sent > 1000);
    others.stop();
    stopped = true;
    await broker.idle();
    expect(ping.stats().ready + pong.stats().ready).toBe(0);
  });

  it('turns while thousands of messages expire, or wait for their key', async () => {
    const { broker, clock } = await open();
    const queue = broker.queue<number>('orders', { ordering: 'key', deadLetter: false });
    queue.pause();
    await queue.sendMany(Array.from({ length: 20_000 }, (_, body) => ({ body, key: 'k', ttl: body % 2 ? 10 : '1d' })));
    await clock.advance(20);
    const others = turnsOfOthers();
    const received = queue.receive({ wait: '1m' });
    queue.resume();
    expect((await received)!.body).toBe(0);
    queue.consume(() => undefined);
    await until(() => queue.stats().dropped === 10_000);
    others.stop();
    expect(others.count()).toBeGreaterThan(5);
    expect(queue.stats().ready).toBe(9999);
  });
});
