/* oxlint-disable vitest/expect-expect -- what does not compile is the assertion */
import { describe, expectTypeOf, test } from 'vitest';
import type { Broker, Destination, Exchange, Queue, StandardSchema, Topic } from '../../src/index.js';

interface Order {
  readonly id: number;
}
interface User {
  readonly email: string;
}
type Shop = { 'order.created': Order; 'order.paid': Order & { readonly total: number }; 'user.created': User };

declare const broker: Broker;
declare const shop: Exchange<Shop>;
declare const orders: Queue<Order>;
declare const paid: Queue<Order & { readonly total: number }>;
declare const users: Queue<User>;
declare const anything: Queue<unknown>;
declare const untyped: Queue;

describe('A binding of a typed exchange', () => {
  test('compiles where the queue takes the body of every key that matches', () => {
    shop.bind(orders, 'order.created').bind(orders, 'order.*').bind(orders, 'order.#').bind(orders, '*.paid');
    shop.bind(paid, 'order.paid').bind(users, 'user.*').bind(users, 'user.#');
    shop.bind(anything, '#').bind(untyped, '#').bind(anything, 'user.created');
    expectTypeOf(shop.bind(orders, 'order.*')).toEqualTypeOf<Exchange<Shop>>();
  });

  test('does not compile with a typo', () => {
    // @ts-expect-error: no routing key matches 'order.crated'
    shop.bind(orders, 'order.crated');
    // @ts-expect-error: no routing key matches 'orders.*'
    shop.bind(anything, 'orders.*');
    // @ts-expect-error: no routing key matches ''
    shop.bind(untyped, '');
  });

  test('does not compile where the queue is too narrow', () => {
    // @ts-expect-error: the destination cannot take the body of 'order.created'
    shop.bind(paid, 'order.*');
    // @ts-expect-error: the destination cannot take the body of 'user.created'
    shop.bind(orders, '#');
    // @ts-expect-error: the destination cannot take the body of 'order.created' | 'order.paid'
    shop.bind(users, '*.*');
  });

  test('does not compile with what is no destination', () => {
    // @ts-expect-error: a name is no handle
    shop.bind('orders', 'order.*');
    // @ts-expect-error: nor is an object that looks a little like one
    shop.bind({ name: 'orders' }, 'order.*');
  });

  test('of several patterns compiles where each is sound', () => {
    for (const pattern of ['order.*', 'order.paid'] as const) shop.bind(orders, pattern);
    for (const pattern of ['order.*', 'user.*'] as const) shop.bind(anything, pattern);
    // @ts-expect-error: no routing key matches 'orders.*'
    for (const pattern of ['order.*', 'orders.*'] as const) shop.bind(orders, pattern);
    // @ts-expect-error: the destination cannot take the body of 'user.created'
    for (const pattern of ['order.*', 'user.*'] as const) shop.bind(orders, pattern);
  });

  test('with a pattern that is only known when it runs needs a queue for everything', () => {
    const pattern: string = ['order', '*'].join('.');
    shop.bind(anything, pattern).bind(untyped, pattern);
    // @ts-expect-error: the destination cannot take the body of 'user.created'
    shop.bind(orders, pattern);
    const kind = 'created' as 'created' | 'paid';
    shop.bind(orders, `order.${kind}`);
    const some = 'x' as string;
    shop.bind(orders, `order.${some}`);
    // @ts-expect-error: no routing key matches `orders.${string}`
    shop.bind(orders, `orders.${some}`);
  });

  test('tells in its error what is wrong', () => {
    type Problem<D extends Destination, P extends string> = Parameters<typeof shop.bind<D, P>>[1];
    expectTypeOf<Problem<Queue<Order>, 'order.*'>>().toEqualTypeOf<'order.*'>();
    expectTypeOf<Problem<Queue<Order>, 'odrer.*'>>().toEqualTypeOf<"no routing key matches 'odrer.*'">();
    expectTypeOf<
      Problem<Queue<Order>, 'user.*'>
    >().toEqualTypeOf<"the destination cannot take the body of 'user.created'">();
  });
});

describe('A binding to a topic', () => {
  const kept = {} as Topic<Order>;
  const all = {} as Topic<unknown>;

  test('compiles where the topic takes the body of every key that matches', () => {
    shop.bind(kept, 'order.created').bind(kept, 'order.*').bind(kept, 'order.#').bind(all, '#').bind(all);
    shop
      .bind({} as Topic, '#')
      .bind(all, { headers: { tenant: 'a' } })
      .unbind(kept, 'order.*');
    broker.exchange('untyped').bind(kept, 'any.thing').bind(kept);
  });

  test('does not compile where it does not, or with a typo', () => {
    // @ts-expect-error: the destination cannot take the body of 'user.created'
    shop.bind(kept, '#');
    // @ts-expect-error: nor without a pattern
    shop.bind(kept);
    // @ts-expect-error: the destination cannot take the body of 'order.created'
    shop.bind({} as Topic<Order & { readonly total: number }>, 'order.*');
    // @ts-expect-error: no routing key matches 'orders.*'
    shop.bind(all, 'orders.*');
    // @ts-expect-error: a group takes messages from its topic only
    shop.bind(all.group('g'), '#');
  });

  test('goes by what goes in, not by what comes out', () => {
    const schema = {} as StandardSchema<Order, User>;
    shop.bind(broker.topic('t', { schema }), 'order.*');
    // @ts-expect-error: the destination cannot take the body of 'user.created'
    shop.bind(broker.topic('t', { schema }), 'user.*');
  });

  test('tells in its error what is wrong', () => {
    type Problem<D extends Destination, P extends string> = Parameters<typeof shop.bind<D, P>>[1];
    expectTypeOf<Problem<Topic<Order>, 'order.*'>>().toEqualTypeOf<'order.*'>();
    expectTypeOf<Problem<Topic<Order>, 'odrer.*'>>().toEqualTypeOf<"no routing key matches 'odrer.*'">();
    expectTypeOf<
      Problem<Topic<Order>, 'user.*'>
    >().toEqualTypeOf<"the destination cannot take the body of 'user.created'">();
  });
});

describe('A fanout or headers binding', () => {
  test('compiles where the queue takes every body', () => {
    shop.bind(anything).bind(untyped);
    shop.bind(anything, { headers: { tenant: 'a' } }).bind(untyped, { match: 'any', headers: { a: 1, b: null } });
  });

  test('does not compile where it does not', () => {
    // @ts-expect-error: orders do not take users
    shop.bind(orders);
    // @ts-expect-error: nor with headers
    shop.bind(orders, { headers: { tenant: 'a' } });
  });

  test('does not compile with what is no HeadersMatch', () => {
    // @ts-expect-error: headers are missing
    shop.bind(anything, { match: 'any' });
    // @ts-expect-error: there is no such match
    shop.bind(anything, { match: 'none', headers: {} });
    // @ts-expect-error: headers are flat
    shop.bind(anything, { headers: { a: { b: 1 } } });
  });
});

describe('A binding from exchange to exchange', () => {
  test('compiles where the other one takes each key that matches, with its body', () => {
    shop.bind(broker.exchange<{ 'order.created': Order; 'order.paid': Order; 'x.y': 1 }>('wider'), 'order.*');
    shop.bind(broker.exchange('untyped'), '#');
    shop.bind(broker.exchange<Record<string, unknown>>('any body'), '#');
    broker.exchange('untyped').bind(shop, '#');
  });

  test('does not compile where a key is missing, or its body is another', () => {
    // @ts-expect-error: there is no 'order.paid'
    shop.bind(broker.exchange<{ 'order.created': Order }>('some keys'), 'order.*');
    // @ts-expect-error: the body of 'order.created' is no User
    shop.bind(broker.exchange<{ 'order.created': User }>('other body'), 'order.created');
    // @ts-expect-error: not every key
    shop.bind(broker.exchange<{ 'order.created': Order }>('fanout', { type: 'fanout' }));
  });

  test('leaves keys alone that do not match', () => {
    shop.bind(broker.exchange<{ 'user.created': User }>('users'), 'user.#');
  });
});

describe('An exchange whose keys are templates', () => {
  type Tenants = { [K in `tenant.${string}`]: Order } & { 'system.started': User };
  const tenants = broker.exchange<Tenants>('tenants');

  test('checks bindings and publishes all the same', async () => {
    tenants.bind(orders, 'tenant.*').bind(orders, 'tenant.a').bind(users, 'system.*').bind(anything, '#');
    // @ts-expect-error: the destination cannot take the body of `tenant.${string}`
    tenants.bind(users, 'tenant.*');
    // @ts-expect-error: no routing key matches 'tenants.*'
    tenants.bind(orders, 'tenants.*');
    await tenants.publish('tenant.b', { id: 1 });
    // @ts-expect-error: an Order has an id
    await tenants.publish('tenant.b', { email: 'a' });
  });
});

describe('An untyped exchange', () => {
  test('takes any pattern, queue, key and body', async () => {
    const exchange = broker.exchange('events');
    exchange
      .bind(orders, 'any.thing')
      .bind(users)
      .bind(shop, '#')
      .bind(users, 'x' as string);
    await exchange.publish('any.key', { any: 'body' });
    expectTypeOf(exchange).toEqualTypeOf<Exchange<Record<string, any>>>();
  });
});

describe('publish()', () => {
  test('takes the keys there are, each with its body', async () => {
    await shop.publish('order.created', { id: 1 });
    await shop.publish('order.paid', { id: 1, total: 2 }, { mandatory: true, key: 'k', headers: { a: 1 } });
    // @ts-expect-error: there is no such key
    await shop.publish('order.crated', { id: 1 });
    // @ts-expect-error: the body of another key
    await shop.publish('user.created', { id: 1 });
    // @ts-expect-error: a total is missing
    await shop.publish('order.paid', { id: 1 });
    // @ts-expect-error: there is no such option
    await shop.publish('order.created', { id: 1 }, { manadtory: true });
  });

  test('of a key out of several takes a body that all of them take', async () => {
    const key = 'order.created' as 'order.created' | 'order.paid';
    await shop.publish(key, { id: 1, total: 2 });
    // @ts-expect-error: a key that is only known when it runs
    await shop.publish('order' as string, { id: 1, total: 2 });
  });

  test('of the keys of an interface works as those of a type', async () => {
    interface Events {
      'a.b': number;
    }
    const events = broker.exchange<Events>('events');
    await events.publish('a.b', 1);
    events.bind(broker.queue<number>('numbers'), 'a.*');
    // @ts-expect-error: a string is no number
    await events.publish('a.b', 'one');
  });
});

describe('unbind() and bindings()', () => {
  test('take and give what bind() takes', () => {
    shop.unbind(orders, 'order.*').unbind(anything).unbind(anything, { headers: {} });
    expectTypeOf(shop.bindings()[0]!.destination).toEqualTypeOf<string>();
    expectTypeOf(shop.bindings()[0]!.pattern).toEqualTypeOf<string | undefined>();
  });
});
