import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Headers } from '../../src/message.js';
import { BindingTable, type ExchangeType } from '../../src/routing/binding-table.js';
import type { HeadersMatch } from '../../src/routing/headers-match.js';
import { Router } from '../../src/routing/router.js';

/** Exchanges by name; every other name is a queue. */
class Exchanges {
  readonly tables = new Map<string, BindingTable<string>>();
  readonly alternates = new Map<string, string>();
  /** Exchanges asked for a match, in turn. */
  readonly asked: string[] = [];
  readonly router = new Router<string, string>({
    isExchange: (name): name is string => this.tables.has(name),
    match: (exchange, routingKey, headers) => {
      this.asked.push(exchange);
      return this.tables.get(exchange)!.match(routingKey, headers);
    },
    readsHeaders: (exchange) => this.tables.get(exchange)!.type === 'headers',
    alternate: (exchange) => this.alternates.get(exchange),
    bound: (exchange) => this.tables.get(exchange)!.destinations(),
  });

  declare(name: string, type: ExchangeType, alternate?: string): this {
    this.tables.set(name, new BindingTable(type));
    if (alternate !== undefined) this.alternates.set(name, alternate);
    this.router.changed();
    return this;
  }

  bind(source: string, destination: string, given?: string | HeadersMatch): this {
    this.tables.get(source)!.bind(destination, given);
    this.router.changed();
    return this;
  }

  unbind(source: string, destination: string, given?: string | HeadersMatch): this {
    this.tables.get(source)!.unbind(destination, given);
    this.router.changed();
    return this;
  }

  /** The destinations, twice: found, and remembered if they can be. */
  route(start: string, routingKey = '', headers: Headers = {}): readonly string[] {
    const found = this.router.route(start, routingKey, headers);
    assert.deepEqual(this.router.route(start, routingKey, headers), found);
    assert.deepEqual(this.router.walk(start, routingKey, headers).destinations, found);
    return found;
  }

  unroutable(start: string, routingKey = '', headers: Headers = {}): readonly string[] {
    return this.router.walk(start, routingKey, headers).unroutable;
  }
}

// rabbitmq-java-client src/test/java/com/rabbitmq/client/test/functional/ExchangeExchangeBindings.java
describe('exchanges bound to exchanges', () => {
  const three = (): Exchanges => {
    const exchanges = new Exchanges();
    for (const n of [0, 1, 2]) exchanges.declare(`e${n}`, 'fanout').bind(`e${n}`, `q${n}`);
    return exchanges;
  };

  it('pass on what they get: simpleChains', () => {
    const exchanges = three();
    expect(exchanges.route('e0')).toEqual(['q0']);
    exchanges.bind('e1', 'e0');
    expect(exchanges.route('e1')).toEqual(['q1', 'q0']);
    exchanges.bind('e2', 'e1');
    expect(exchanges.route('e2')).toEqual(['q2', 'q1', 'q0']);
    expect(exchanges.route('e0')).toEqual(['q0']);
  });

  it('lead to a queue once, by however many ways: duplicateQueueDestinations', () => {
    const exchanges = three().bind('e0', 'q1');
    expect(exchanges.route('e0')).toEqual(['q0', 'q1']);
    exchanges.bind('e1', 'e0');
    expect(exchanges.route('e1')).toEqual(['q1', 'q0']);
  });

  it('in a loop see a message once: exchangeRoutingLoop', () => {
    const exchanges = three().bind('e1', 'e0').bind('e2', 'e1').bind('e0', 'e2');
    for (const start of ['e0', 'e1', 'e2']) {
      expect([...exchanges.route(start)].sort()).toEqual(['q0', 'q1', 'q2']);
      exchanges.asked.length = 0;
      exchanges.router.walk(start, '', {});
      expect([...exchanges.asked].sort()).toEqual(['e0', 'e1', 'e2']);
    }
  });

  it('match the key each by its own type: topicExchange', () => {
    const exchanges = three().declare('e', 'topic');
    const everyWay = (): void => {
      for (const n of [0, 1, 2]) expect(exchanges.route('e', `e${n}`)).toEqual([`q${n}`]);
    };
    for (const n of [0, 1, 2]) exchanges.bind('e', `e${n}`, `e${n}`);
    everyWay();
    exchanges.declare('ef', 'direct').bind('e', 'ef', '#');
    for (const n of [0, 1, 2]) exchanges.bind('ef', `e${n}`, `e${n}`);
    everyWay();
    for (const n of [0, 1, 2]) exchanges.unbind('e', `e${n}`, `e${n}`);
    everyWay();
  });

  // rabbitmq-server deps/rabbitmq_mqtt/test/v5_SUITE.erl
  it('match the headers, too, where the type says so', () => {
    const exchanges = new Exchanges()
      .declare('amq.topic', 'topic')
      .declare('h', 'headers')
      .bind('amq.topic', 'h', 'my.topic')
      .bind('h', 'q1', { match: 'any', headers: { k1: 'v1', k2: 'v2' } })
      .bind('h', 'q2', { match: 'all-with-x', headers: { k1: 'v1', k2: 'v2', 'x-k3': '🐇' } });
    expect(exchanges.route('amq.topic', 'my.topic', { k1: 'v1', k2: 'v2', 'x-k3': '🐇' })).toEqual(['q1', 'q2']);
    expect(exchanges.route('amq.topic', 'my.topic', {})).toEqual([]);
    expect(exchanges.route('amq.topic', 'my.topic', { k1: 'nope' })).toEqual([]);
    expect(exchanges.route('amq.topic', 'my.topic', { k2: 'v2' })).toEqual(['q1']);
    expect(exchanges.route('amq.topic', 'other', { k2: 'v2' })).toEqual([]);
  });
});

// rabbitmq-java-client src/test/java/com/rabbitmq/client/test/functional/AlternateExchange.java, and docs/ae.md of the website
describe('alternates', () => {
  const setUp = (last: string | undefined): Exchanges => {
    const exchanges = new Exchanges();
    for (const [name, alternate] of [
      ['x', 'u'],
      ['u', 'v'],
      ['v', last],
    ] as const) {
      exchanges.declare(name, 'direct', alternate).bind(name, `queue ${name}`, name);
    }
    return exchanges;
  };

  it('take what an exchange cannot route, one after the other: ae', () => {
    const exchanges = setUp('x');
    for (const key of ['x', 'u', 'v']) {
      expect(exchanges.route('x', key)).toEqual([`queue ${key}`]);
      expect(exchanges.unroutable('x', key)).toEqual([]);
    }
  });

  it('in a circle are tried once each, and then the message is unroutable: cycleBreaking', () => {
    const exchanges = setUp('x');
    expect(exchanges.route('x', 'z')).toEqual([]);
    expect(exchanges.unroutable('x', 'z')).toEqual(['x']);
    exchanges.asked.length = 0;
    exchanges.router.walk('x', 'z', {});
    expect(exchanges.asked).toEqual(['x', 'u', 'v']);
  });

  it('end where there is none: missing', () => {
    const exchanges = setUp(undefined);
    expect(exchanges.route('x', 'v')).toEqual(['queue v']);
    expect(exchanges.route('x', 'z')).toEqual([]);
    expect(exchanges.unroutable('x', 'z')).toEqual(['v']);
    expect(exchanges.unroutable('u', 'z')).toEqual(['v']);
  });

  it('may be a queue', () => {
    const exchanges = new Exchanges().declare('x', 'topic', 'lost and found').bind('x', 'q', 'a.#');
    expect(exchanges.route('x', 'b')).toEqual(['lost and found']);
    expect(exchanges.unroutable('x', 'b')).toEqual([]);
    expect(exchanges.route('x', 'a')).toEqual(['q']);
  });

  it('may be the exchange itself, which is none', () => {
    const exchanges = new Exchanges().declare('x', 'topic', 'x');
    expect(exchanges.route('x', 'b')).toEqual([]);
    expect(exchanges.unroutable('x', 'b')).toEqual(['x']);
  });

  // rabbit_exchange:route1 asks process_alternate of every exchange on the way, with what its own bindings gave.
  it('work for exchanges on the way, too', () => {
    const exchanges = new Exchanges()
      .declare('first', 'fanout', 'not this one')
      .declare('second', 'direct', 'rest')
      .declare('rest', 'fanout')
      .bind('first', 'q1')
      .bind('first', 'second')
      .bind('second', 'q2', 'known')
      .bind('rest', 'q3');
    expect(exchanges.route('first', 'known')).toEqual(['q1', 'q2']);
    expect(exchanges.route('first', 'unknown')).toEqual(['q1', 'q3']);
  });

  it('are passed over where a binding matches, though it leads to an exchange that finds nobody', () => {
    const exchanges = new Exchanges()
      .declare('first', 'topic', 'rest')
      .declare('second', 'direct')
      .bind('first', 'second', 'a.#');
    expect(exchanges.route('first', 'a.b')).toEqual([]);
    expect(exchanges.unroutable('first', 'a.b')).toEqual(['second']);
    expect(exchanges.route('first', 'b')).toEqual(['rest']);
  });

  it('that have seen the message do not get it again', () => {
    const exchanges = new Exchanges()
      .declare('first', 'fanout')
      .declare('second', 'direct', 'rest')
      .declare('rest', 'fanout')
      .bind('first', 'rest')
      .bind('first', 'second')
      .bind('rest', 'q');
    expect(exchanges.route('first', 'k')).toEqual(['q']);
    expect(exchanges.unroutable('first', 'k')).toEqual([]);
  });

  // rabbitmq-server deps/rabbit/test/amqp_client_SUITE.erl, modified_dead_letter_headers_exchange
  it('work for headers exchanges', () => {
    const exchanges = new Exchanges()
      .declare('fruit', 'headers', 'alternate')
      .declare('alternate', 'fanout')
      .bind('fruit', 'apples', { match: 'any-with-x', headers: { 'x-fruit': 'apple' } })
      .bind('fruit', 'bananas', { match: 'any-with-x', headers: { 'x-fruit': 'banana' } })
      .bind('alternate', 'trash');
    for (const [fruit, queue] of [
      ['apple', 'apples'],
      ['banana', 'bananas'],
      ['strawberry', 'trash'],
    ] as const) {
      expect(exchanges.route('fruit', '', { 'x-fruit': fruit })).toEqual([queue]);
    }
  });
});

describe('an unroutable message', () => {
  it('ends in the exchange without bindings it was published to', () => {
    const exchanges = new Exchanges().declare('x', 'topic');
    expect(exchanges.route('x', 'a')).toEqual([]);
    expect(exchanges.unroutable('x', 'a')).toEqual(['x']);
  });

  it('in part has destinations and dead ends', () => {
    const exchanges = new Exchanges()
      .declare('x', 'fanout')
      .declare('nowhere', 'fanout')
      .bind('x', 'nowhere')
      .bind('x', 'q');
    expect(exchanges.route('x')).toEqual(['q']);
    expect(exchanges.unroutable('x')).toEqual(['nowhere']);
  });
});

describe('what a way costs', () => {
  it('is the match of the one exchange, whose array it hands on, and nothing for the key that was last', () => {
    for (const type of ['topic', 'direct', 'fanout'] as const) {
      const given = type === 'fanout' ? undefined : 'a';
      const exchanges = new Exchanges().declare('x', type).bind('x', 'q1', given).bind('x', 'q2', given);
      const matched = exchanges.tables.get('x')!.match('a', {});
      for (let i = 0; i < 3; i++) expect(exchanges.router.route('x', 'a', {})).toBe(matched);
      expect(exchanges.asked).toEqual(['x']);
      exchanges.router.route('x', 'b', {});
      expect(exchanges.router.route('x', 'a', {})).toBe(matched);
      expect(exchanges.asked).toEqual(['x', 'x', 'x']);
    }
  });

  it('is that of the first exchange where the rest is remembered', () => {
    const exchanges = new Exchanges()
      .declare('x', 'topic', 'y')
      .declare('y', 'topic')
      .bind('x', 'y', 'a')
      .bind('y', 'q', '#');
    for (const key of ['a', 'b']) {
      const found = exchanges.router.route('x', key, {});
      expect(found).toEqual(['q']);
      expect(Object.isFrozen(found)).toBe(true);
      exchanges.router.route('x', 'c', {});
      exchanges.asked.length = 0;
      expect(exchanges.router.route('x', key, {})).toBe(found);
      expect(exchanges.asked).toEqual(['x']);
    }
    exchanges.router.changed();
    exchanges.asked.length = 0;
    exchanges.router.route('x', 'a', {});
    expect(exchanges.asked).toEqual(['x', 'y']);
  });

  it('is the whole way where headers have a say in it', () => {
    const exchanges = new Exchanges()
      .declare('x', 'topic')
      .declare('h', 'headers')
      .bind('x', 'h', '#')
      .bind('h', 'q', { headers: { a: 1 } });
    expect(exchanges.router.walk('x', 'k', {}).byKey).toBe(false);
    expect(exchanges.router.route('x', 'k', {})).toEqual([]);
    expect(exchanges.router.route('x', 'k', { a: 1 })).toEqual(['q']);
    expect(exchanges.router.route('x', 'k', {})).toEqual([]);
  });
});

const names = ['a', 'b', 'c', 'd', 'e'];
const graph = fc.record({
  types: fc.tuple(...names.map(() => fc.constantFrom<ExchangeType>('direct', 'fanout', 'topic', 'headers'))),
  alternates: fc.array(fc.record({ of: fc.constantFrom(...names), is: fc.constantFrom(...names, 'q0', 'q9') })),
  bindings: fc.array(
    fc.record({
      source: fc.constantFrom(...names),
      destination: fc.constantFrom(...names, 'q1', 'q2', 'q3'),
      word: fc.constantFrom('x', 'y', '#'),
    }),
    { maxLength: 14 },
  ),
});

describe('on any graph of exchanges', () => {
  it('a message goes where the rules say, remembered or not, while bindings change', () => {
    fc.assert(
      fc.property(graph, ({ types, alternates, bindings }) => {
        const exchanges = new Exchanges();
        names.forEach((name, i) => exchanges.declare(name, types[i]!));
        for (const { of, is } of alternates) exchanges.alternates.set(of, is);

        /** The rules, one message at a time. */
        const spread = (exchange: string, key: string, headers: Headers, seen: Set<string>): Set<string> => {
          if (seen.has(exchange)) return new Set();
          seen.add(exchange);
          const table = exchanges.tables.get(exchange)!;
          const matched = table.match(key, headers);
          const next =
            matched.length > 0 ? matched : [exchanges.alternates.get(exchange)].filter((one) => one !== undefined);
          return new Set(
            next.flatMap((one) => (exchanges.tables.has(one) ? [...spread(one, key, headers, seen)] : [one])),
          );
        };

        for (const { source, destination, word } of bindings) {
          const type = exchanges.tables.get(source)!.type;
          const given = type === 'fanout' ? undefined : type === 'headers' ? { headers: { [word]: null } } : word;
          exchanges.bind(source, destination, given);
          for (const start of names) {
            for (const [key, headers] of [
              ['x', {}],
              ['y', { x: 1 }],
              ['x', { y: 1 }],
            ] as const) {
              const found = exchanges.route(start, key, headers);
              expect(new Set(found)).toEqual(spread(start, key, headers, new Set()));
              expect(new Set(found).size).toBe(found.length);
              expect(found.length + exchanges.unroutable(start, key, headers).length).toBeGreaterThan(0);
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it('a binding closes a cycle exactly where a way back exists', () => {
    fc.assert(
      fc.property(graph, ({ bindings }) => {
        const exchanges = new Exchanges();
        for (const name of names) exchanges.declare(name, 'fanout');
        const edges: [string, string][] = [];
        const leads = (from: string, to: string, budget = names.length): boolean =>
          from === to || (budget > 0 && edges.some(([source, next]) => source === from && leads(next, to, budget - 1)));
        for (const { source, destination } of bindings) {
          const closes = exchanges.router.closesCycle(source, destination);
          expect(closes).toBe(names.includes(destination) && leads(destination, source));
          if (closes) continue;
          exchanges.bind(source, destination);
          edges.push([source, destination]);
        }
      }),
    );
  });
});

describe('a cycle of bindings', () => {
  it('is seen before it is closed, its shortest form included', () => {
    const exchanges = new Exchanges();
    for (const name of ['a', 'b', 'c']) exchanges.declare(name, 'topic');
    exchanges.bind('a', 'b', 'x').bind('b', 'c', 'y').bind('b', 'q', '#');
    const { router } = exchanges;
    expect(router.closesCycle('a', 'a')).toBe(true);
    expect(router.closesCycle('c', 'a')).toBe(true);
    expect(router.closesCycle('b', 'a')).toBe(true);
    expect(router.closesCycle('a', 'c')).toBe(false);
    expect(router.closesCycle('c', 'q')).toBe(false);
  });

  it('is not made by alternates, which end it themselves', () => {
    const exchanges = new Exchanges().declare('a', 'topic', 'b').declare('b', 'topic');
    expect(exchanges.router.closesCycle('b', 'a')).toBe(false);
  });

  it('is found at the end of a long chain', () => {
    const exchanges = new Exchanges();
    const length = 20_000;
    for (let i = 0; i < length; i++) exchanges.declare(`e${i}`, 'fanout');
    for (let i = 1; i < length; i++) exchanges.bind(`e${i - 1}`, `e${i}`);
    expect(exchanges.router.closesCycle(`e${length - 1}`, 'e0')).toBe(true);
    expect(exchanges.router.closesCycle('e0', `e${length - 1}`)).toBe(false);
    expect(exchanges.bind(`e${length - 1}`, 'q').router.route('e0', '', {})).toEqual(['q']);
  });
});
