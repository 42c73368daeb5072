import type { Headers } from '../../src/message.js';
import type { HeadersMatch } from '../../src/routing/headers-match.js';

/** A binding, and for several messages whether it matches. */
interface HeadersScenario {
  readonly source: string;
  readonly binding: HeadersMatch;
  readonly messages: readonly (readonly [headers: Headers, matches: boolean])[];
}

const routing = 'rabbitmq-java-client src/test/java/com/rabbitmq/client/test/functional/Routing.java';
const exchanges = 'rabbitmq-server deps/rabbit/test/exchanges_SUITE.erl';
const source = 'rabbitmq-server deps/rabbit/src/rabbit_exchange_type_headers.erl';

const spec = { h1: '12345', h2: 'bar', h3: null, 'x-key-1': 'bindings starting with x- get filtered out' };
const withX = { 'x-key-1': 'value-1', 'x-key-2': 'value-2' };
const fooFuu = { foo: 'bar', fuu: 'ber' };
const presence = { foo: null, 'x-foo': null };

/** Facts of RabbitMQ's tests, documentation and source (rabbitmq-server at 5b09e55, java client at 57d5b1d, website at 0acf2a4). */
const headersScenarios: readonly HeadersScenario[] = [
  {
    source: `${routing}, headersRouting, all`,
    binding: { match: 'all', headers: spec },
    messages: [
      [{}, false],
      [{ h1: '12345' }, false],
      [{ h2: 'bar' }, false],
      [{ h1: '12345', h2: 'bar' }, false],
      [{ h1: '12345', h2: 'bar', h3: null }, true],
      [{ h1: '12345', h2: 'quux' }, false],
      [{ h1: 'zot', h2: 'quux', h3: null }, false],
      [{ h3: null }, false],
      [{ h1: 'zot', h2: 'quux' }, false],
      [{ 'x-key-1': 'bindings starting with x- get filtered out' }, false],
    ],
  },
  {
    source: `${routing}, headersRouting, any`,
    binding: { match: 'any', headers: spec },
    messages: [
      [{}, false],
      [{ h1: '12345' }, true],
      [{ h2: 'bar' }, true],
      [{ h1: '12345', h2: 'bar' }, true],
      [{ h1: '12345', h2: 'bar', h3: null }, true],
      [{ h1: '12345', h2: 'quux' }, true],
      [{ h1: 'zot', h2: 'quux', h3: null }, true],
      [{ h3: null }, true],
      [{ h1: 'zot', h2: 'quux' }, false],
      [{ 'x-key-1': 'bindings starting with x- get filtered out' }, false],
    ],
  },
  {
    source: `${routing}, headersWithXRouting, all-with-x`,
    binding: { match: 'all-with-x', headers: withX },
    messages: [
      [{}, false],
      [{ 'x-key-1': 'value-1' }, false],
      [{ 'x-key-1': 'value-1', 'x-key-2': 'value-2' }, true],
      [{ 'x-key-1': 'value-1', 'x-key-2': 'value-2', 'x-key-3': 'value-3' }, true],
    ],
  },
  {
    source: `${routing}, headersWithXRouting, any-with-x`,
    binding: { match: 'any-with-x', headers: withX },
    messages: [
      [{}, false],
      [{ 'x-key-1': 'value-1' }, true],
      [{ 'x-key-1': 'value-1', 'x-key-2': 'value-2' }, true],
      [{ 'x-key-1': 'value-1', 'x-key-2': 'value-2', 'x-key-3': 'value-3' }, true],
    ],
  },
  {
    source: `${exchanges}, headers_exchange, all`,
    binding: { match: 'all', headers: fooFuu },
    messages: [
      [{ foo: 'bar', fuu: 'ber' }, true],
      [{ foo: 'bar' }, false],
      [{}, false],
    ],
  },
  {
    source: `${exchanges}, headers_exchange, any`,
    binding: { match: 'any', headers: fooFuu },
    messages: [
      [{ foo: 'bar', fuu: 'ber' }, true],
      [{ foo: 'bar' }, true],
      [{}, false],
    ],
  },
  {
    source: `${exchanges}, headers_exchange_key_presence_only, all-with-x`,
    binding: { match: 'all-with-x', headers: presence },
    messages: [
      [{ foo: 'anything', 'x-foo': 42 }, true],
      [{ foo: 'whatever' }, false],
      [{ 'x-foo': 'something' }, false],
      [{ other: 'value' }, false],
      [{}, false],
    ],
  },
  {
    source: `${exchanges}, headers_exchange_key_presence_only, any-with-x`,
    binding: { match: 'any-with-x', headers: presence },
    messages: [
      [{ foo: 'anything', 'x-foo': 42 }, true],
      [{ foo: 'whatever' }, true],
      [{ 'x-foo': 'something' }, true],
      [{ other: 'value' }, false],
      [{}, false],
    ],
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/dead_lettering_SUITE.erl, dead_letter_headers_first_death_route, expired',
    binding: { match: 'all-with-x', headers: { 'x-first-death-reason': 'expired', 'x-first-death-queue': 'q1' } },
    messages: [
      [{ 'x-first-death-reason': 'expired', 'x-first-death-queue': 'q1' }, true],
      [{ 'x-first-death-reason': 'expired', 'x-first-death-queue': 'q2' }, false],
      [{ 'x-first-death-reason': 'rejected', 'x-first-death-queue': 'q2' }, false],
    ],
  },
  {
    source:
      'rabbitmq-server deps/rabbit/test/dead_lettering_SUITE.erl, dead_letter_headers_first_death_route, rejected',
    binding: { match: 'any-with-x', headers: { 'x-first-death-reason': 'rejected' } },
    messages: [
      [{ 'x-first-death-reason': 'expired', 'x-first-death-queue': 'q1' }, false],
      [{ 'x-first-death-reason': 'rejected', 'x-first-death-queue': 'q2' }, true],
    ],
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/amqp_client_SUITE.erl, modified_dead_letter_headers_exchange',
    binding: { match: 'any-with-x', headers: { 'x-fruit': 'apple' } },
    messages: [
      [{ 'x-fruit': 'apple' }, true],
      [{ 'x-fruit': 'banana' }, false],
      [{ 'x-fruit': 'strawberry' }, false],
    ],
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/amqp_client_SUITE.erl, dead_letter_headers_exchange',
    binding: { match: 'all-with-x', headers: { 'my key': 5, 'x-my key': 6 } },
    messages: [
      [{ 'my key': 5, 'x-my key': 6, 'x-first-death-reason': 'expired' }, true],
      [{ 'my key': 5 }, false],
      [{ 'x-my key': 6 }, false],
    ],
  },
  {
    source: 'rabbitmq-server deps/rabbitmq_mqtt/test/v5_SUITE.erl, headers exchange, any',
    binding: { match: 'any', headers: { k1: 'v1', k2: 'v2' } },
    messages: [
      [{ k1: 'v1', k2: 'v2', 'x-k3': '🐇' }, true],
      [{}, false],
      [{ k1: 'nope' }, false],
      [{ k2: 'v2' }, true],
    ],
  },
  {
    source: 'rabbitmq-server deps/rabbitmq_mqtt/test/v5_SUITE.erl, headers exchange, all-with-x',
    binding: { match: 'all-with-x', headers: { k1: 'v1', k2: 'v2', 'x-k3': '🐇' } },
    messages: [
      [{ k1: 'v1', k2: 'v2', 'x-k3': '🐇' }, true],
      [{}, false],
      [{ k1: 'nope' }, false],
      [{ k2: 'v2' }, false],
    ],
  },
  {
    source: 'rabbitmq-server deps/rabbitmq_event_exchange/test/system_SUITE.erl, headers_exchange',
    binding: { match: 'any-with-x', headers: { 'x-opt-container-id': 'client-2' } },
    messages: [
      [{ 'x-opt-container-id': 'client-1' }, false],
      [{ 'x-opt-container-id': 'client-2' }, true],
    ],
  },
  {
    source:
      'rabbitmq-server deps/rabbitmq_amqp_client/test/management_SUITE.erl: strings, numbers and booleans together',
    binding: { match: 'all', headers: { 'key 1': '👏', 'key 2': 3, 'key 3': true } },
    messages: [
      [{ 'key 1': '👏', 'key 2': 3, 'key 3': true }, true],
      [{ 'key 1': '👏', 'key 2': 3, 'key 3': true, 'key 4': 'more' }, true],
      [{ 'key 1': '👏', 'key 2': 4, 'key 3': true }, false],
      [{ 'key 1': '👏', 'key 2': 3, 'key 3': false }, false],
    ],
  },
  {
    source: `${source}: without x-match it is all`,
    binding: { headers: { a: 1, b: 2 } },
    messages: [
      [{ a: 1, b: 2 }, true],
      [{ a: 1 }, false],
    ],
  },
  {
    source: `${source}: all without headers matches everything (match_all([], …) is true)`,
    binding: { match: 'all', headers: {} },
    messages: [
      [{}, true],
      [{ a: 1 }, true],
    ],
  },
  {
    source: `${source}: any without headers matches nothing (match_any([], …) is false)`,
    binding: { match: 'any', headers: {} },
    messages: [
      [{}, false],
      [{ a: 1 }, false],
    ],
  },
  {
    source: `${source}: all with none but x- headers compares nothing, so it matches everything`,
    binding: { match: 'all', headers: { 'x-a': 1, 'x-b': null } },
    messages: [
      [{}, true],
      [{ 'x-a': 2 }, true],
    ],
  },
  {
    source: `${source}: any with none but x- headers compares nothing, so it matches nothing`,
    binding: { match: 'any', headers: { 'x-a': 1, 'x-b': null } },
    messages: [
      [{ 'x-a': 1, 'x-b': 1 }, false],
      [{}, false],
    ],
  },
  {
    source: `${source}: all-with-x and any-with-x without headers`,
    binding: { match: 'all-with-x', headers: {} },
    messages: [[{ 'x-a': 1 }, true]],
  },
  {
    source: `${source}: any-with-x without headers`,
    binding: { match: 'any-with-x', headers: {} },
    messages: [[{ 'x-a': 1 }, false]],
  },
  {
    source: `${source}: x-match itself is never compared, all-with-x`,
    binding: { match: 'all-with-x', headers: { 'x-match': 'all', 'x-a': 1 } },
    messages: [
      [{ 'x-a': 1 }, true],
      [{ 'x-match': 'all' }, false],
    ],
  },
  {
    source: `${source}: x-match itself is never compared, any-with-x`,
    binding: { match: 'any-with-x', headers: { 'x-match': 'all', 'x-a': 1 } },
    messages: [
      [{ 'x-match': 'all' }, false],
      [{ 'x-a': 1 }, true],
    ],
  },
  {
    source: `${source}: the prefix is x-, in lower case and with the hyphen`,
    binding: { match: 'all', headers: { 'X-a': 1, xa: 2, x: 3, 'x-a': 4 } },
    messages: [
      [{ 'X-a': 1, xa: 2, x: 3 }, true],
      [{ xa: 2, x: 3, 'x-a': 4 }, false],
      [{ 'X-a': 1, x: 3 }, false],
    ],
  },
  {
    source: `${source}: equal is =:=, a string is no number`,
    binding: { headers: { v: '1' } },
    messages: [
      [{ v: '1' }, true],
      [{ v: 1 }, false],
      [{ v: true }, false],
      [{ v: '1 ' }, false],
    ],
  },
  {
    source: `${source}: equal is =:=, a number is no string and no boolean`,
    binding: { headers: { v: 1 } },
    messages: [
      [{ v: 1 }, true],
      [{ v: '1' }, false],
      [{ v: true }, false],
      [{ v: 1.5 }, false],
    ],
  },
  {
    source: `${source}: equal is =:=, a boolean is no string, number or null`,
    binding: { headers: { v: false } },
    messages: [
      [{ v: false }, true],
      [{ v: true }, false],
      [{ v: 'false' }, false],
      [{ v: 0 }, false],
      [{ v: '' }, false],
      [{ v: null }, false],
    ],
  },
  {
    source: `${source}: void in the binding is presence, whatever the value`,
    binding: { headers: { v: null } },
    messages: [
      [{ v: 'text' }, true],
      [{ v: '' }, true],
      [{ v: 0 }, true],
      [{ v: false }, true],
      [{ v: null }, true],
      [{ V: 1 }, false],
      [{}, false],
    ],
  },
  {
    source: `${source}: a null in the message is equal to no value`,
    binding: { match: 'any', headers: { a: 'null', b: 0 } },
    messages: [
      [{ a: null, b: null }, false],
      [{ a: 'null' }, true],
      [{ b: 0 }, true],
    ],
  },
  {
    source:
      'rabbitmq-website tutorials/amqp-concepts/index.md, headers exchange: no x- header for any, any value for all',
    binding: { match: 'any', headers: { format: 'pdf', 'x-format': 'doc' } },
    messages: [
      [{ 'x-format': 'doc' }, false],
      [{ format: 'pdf', 'x-format': 'xls' }, true],
    ],
  },
];

export const headersCases = headersScenarios.flatMap(({ source, binding, messages }) =>
  messages.map(([headers, matches]) => ({ source, binding, headers, matches })),
);
