import { expect, it } from 'vitest';
import type { BrokerEvents } from '../../src/index.js';
import { onEachStorage, waiting } from '../fixtures.js';

onEachStorage('An alternate', (open) => {
  it.each(['by name', 'by handle'])('given %s takes what the exchange cannot route', async (how) => {
    const { broker } = await open();
    const [queue, lost] = [broker.queue('orders'), broker.queue('lost')];
    const exchange = broker.exchange('events', { alternate: how === 'by name' ? 'lost' : lost }).bind(queue, 'known');
    expect((await exchange.publish('known', 1)).destinations).toEqual(['orders']);
    expect((await exchange.publish('unknown', 2)).destinations).toEqual(['lost']);
    expect((await exchange.publish('unknown', 3, { mandatory: true })).destinations).toEqual(['lost']);
    expect(await waiting(queue)).toEqual([1]);
    expect(await waiting(lost)).toEqual([2, 3]);
    expect((await lost.receive())!.routingKey).toBe('unknown');
  });

  it('may be an exchange, which routes by its own bindings and may have one of its own', async () => {
    const { broker } = await open();
    const [some, rest] = [broker.queue('some'), broker.queue('rest')];
    broker.exchange('second', { alternate: 'third' }).bind(some, 'some.*');
    broker.exchange('third', { type: 'fanout' }).bind(rest);
    const first = broker.exchange('first', { alternate: 'second' });
    expect((await first.publish('some.key', 1)).destinations).toEqual(['some']);
    expect((await first.publish('other.key', 2)).destinations).toEqual(['rest']);
  });

  it('is asked on the way as well, and only where no binding of its exchange matches', async () => {
    const { broker } = await open();
    const [queue, lost] = [broker.queue('orders'), broker.queue('lost')];
    const inner = broker.exchange('inner', { alternate: lost }).bind(queue, 'known');
    const outer = broker.exchange('outer', { alternate: 'nowhere.else' }).bind(inner, '#');
    broker.queue('nowhere.else');
    expect((await outer.publish('known', 1)).destinations).toEqual(['orders']);
    expect((await outer.publish('unknown', 2)).destinations).toEqual(['lost']);
  });

  it('that nothing has: the message is unroutable, and one warning says so', async () => {
    const { broker, quiet } = await open();
    const exchange = broker.exchange('events', { alternate: 'lost' });
    const warnings: BrokerEvents['warning'][] = [];
    const unroutable: BrokerEvents['unroutable'][] = [];
    broker.on('warning', (warning) => warnings.push(warning));
    broker.on('unroutable', (event) => unroutable.push(event));
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) {
      const receipt = await exchange.publish(`key.${n}`, n);
      expect(receipt.destinations).toEqual([]);
      ids.push(receipt.id);
    }
    await expect(exchange.publish('key', 4, { mandatory: true })).rejects.toMatchObject({ code: 'ERR_UNROUTABLE' });
    await quiet();
    expect(warnings).toMatchObject([{ details: { exchange: 'events', alternate: 'lost' } }]);
    expect(warnings[0]!.message).toContain('"lost"');
    expect(unroutable).toEqual(ids.map((id, n) => ({ exchange: 'events', routingKey: `key.${n}`, id })));
  });

  it('is found when it is used: declared later, deleted, made again', async () => {
    const { broker } = await open();
    const exchange = broker.exchange('events', { alternate: 'lost' });
    const outer = broker.exchange('outer', { type: 'fanout' }).bind(exchange);
    const destinations = async (): Promise<unknown> => [
      (await exchange.publish('same', 1)).destinations,
      (await outer.publish('same', 1)).destinations,
    ];
    expect(await destinations()).toEqual([[], []]);
    broker.queue('lost');
    expect(await destinations()).toEqual([['lost'], ['lost']]);
    await broker.delete('lost');
    expect(await destinations()).toEqual([[], []]);
    broker.exchange('lost', { type: 'fanout' }).bind(broker.queue('other'));
    expect(await destinations()).toEqual([['other'], ['other']]);
  });

  it('that was given by handle and deleted is an unknown name like any other', async () => {
    const { broker } = await open();
    const lost = broker.queue('lost');
    const exchange = broker.exchange('events', { alternate: lost });
    await broker.delete('lost');
    expect((await exchange.publish('key', 1)).destinations).toEqual([]);
    broker.queue('lost');
    expect((await exchange.publish('key', 2)).destinations).toEqual(['lost']);
  });

  it('that leads in a circle ends nowhere', async () => {
    const { broker } = await open();
    const a = broker.exchange('a', { alternate: 'b' });
    broker.exchange('b', { alternate: 'a' });
    const self = broker.exchange('self', { alternate: 'self' });
    const told: string[] = [];
    broker.on('unroutable', ({ exchange }) => told.push(exchange));
    expect((await a.publish('key', 1)).destinations).toEqual([]);
    expect((await self.publish('key', 1)).destinations).toEqual([]);
    await expect(self.publish('key', 1, { mandatory: true })).rejects.toMatchObject({ code: 'ERR_UNROUTABLE' });
    expect(told).toEqual(['a', 'self']);
  });

  it('may be an internal exchange', async () => {
    const { broker } = await open();
    const inner = broker.exchange('inner', { internal: true, type: 'fanout' }).bind(broker.queue('lost'));
    const exchange = broker.exchange('events', { alternate: inner });
    expect((await exchange.publish('key', 1)).destinations).toEqual(['lost']);
  });
});
