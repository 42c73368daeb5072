/** What a topic exchange with some bindings must do with some keys: for each key, the patterns that match. */
export interface TopicScenario {
  readonly source: string;
  readonly patterns: readonly string[];
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

const alphabet = 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z';

/** Facts of RabbitMQ's tests and documentation (rabbitmq-server at 5b09e55, rabbitmq-website at 0acf2a4). */
export const topicScenarios: readonly TopicScenario[] = [
  {
    source: 'rabbitmq-server deps/rabbit/test/routing_SUITE.erl, topic',
    patterns: [
      '',
      ...'a.b.c a.*.c a.#.b a.b.b.c # #.# #.b *.* a.* *.b.c a.# a.#.# b.b.c'.split(' '),
      ...'a.b.b a.b b.c *.*.* vodka.martini *.# #.*.# *.#.# * #.b.# args-test'.split(' '),
    ],
    keys: {
      'a.b.c': ['a.b.c', 'a.*.c', '#', '#.#', '*.b.c', 'a.#', 'a.#.#', '*.*.*', '*.#', '#.*.#', '*.#.#', '#.b.#'],
      'a.b': ['a.#.b', '#', '#.#', '#.b', '*.*', 'a.*', 'a.#', 'a.#.#', 'a.b', '*.#', '#.*.#', '*.#.#', '#.b.#'],
      'a.b.b': ['a.#.b', '#', '#.#', '#.b', 'a.#', 'a.#.#', 'a.b.b', '*.*.*', '*.#', '#.*.#', '*.#.#', '#.b.#'],
      '': ['#', '#.#', ''],
      'b.c.c': ['#', '#.#', '*.*.*', '*.#', '#.*.#', '*.#.#', '#.b.#'],
      'a.a.a.a.a': ['#', '#.#', 'a.#', 'a.#.#', '*.#', '#.*.#', '*.#.#'],
      'vodka.gin': ['#', '#.#', '*.*', '*.#', '#.*.#', '*.#.#'],
      'vodka.martini': ['#', '#.#', '*.*', 'vodka.martini', '*.#', '#.*.#', '*.#.#'],
      'b.b.c': ['#', '#.#', '*.b.c', 'b.b.c', '*.*.*', '*.#', '#.*.#', '*.#.#', '#.b.#'],
      'nothing.here.at.all': ['#', '#.#', '*.#', '#.*.#', '*.#.#'],
      oneword: ['#', '#.#', '*.#', '#.*.#', '*.#.#', '*'],
      'args-test': ['#', '#.#', '*.#', '#.*.#', '*.#.#', '*', 'args-test'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_basic',
    patterns: ['foo.bar', 'foo.baz', 'other.key'],
    keys: { 'foo.bar': ['foo.bar'], 'foo.baz': ['foo.baz'], 'other.key': ['other.key'], 'no.match': [] },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_wildcards',
    patterns: ['foo.*', 'foo.#', 'foo.bar', 'foo.*.baz', '#'],
    keys: {
      'foo.bar': ['foo.*', 'foo.#', 'foo.bar', '#'],
      'foo.bar.baz': ['foo.#', 'foo.*.baz', '#'],
      'foo.bar.baz.qux': ['foo.#', '#'],
      'foo.qux': ['foo.*', 'foo.#', '#'],
      'bar.foo': ['#'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_hash_middle',
    patterns: ['#.c', '#.b.c', 'a.#.d', '#.*.#'],
    keys: {
      'a.b.c': ['#.c', '#.b.c', '#.*.#'],
      c: ['#.c', '#.*.#'],
      'x.y.b.c': ['#.c', '#.b.c', '#.*.#'],
      'a.d': ['a.#.d', '#.*.#'],
      'a.b.c.d': ['a.#.d', '#.*.#'],
      x: ['#.*.#'],
      'x.c': ['#.c', '#.*.#'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_empty_routing_key',
    patterns: ['#', 'foo.bar'],
    keys: { '': ['#'], 'foo.bar': ['#', 'foo.bar'] },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_deep_hierarchy',
    patterns: ['#', `${alphabet}.#`, `${alphabet}.*`],
    keys: {
      [alphabet]: ['#', `${alphabet}.#`],
      [`${alphabet}.1`]: ['#', `${alphabet}.#`, `${alphabet}.*`],
    },
  },
  {
    source:
      'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, _all_wildcards and _alternating_wildcards',
    patterns: [`${'*.'.repeat(26)}#`, 'a.*.c.*.e.*.g.*.i.*.k.*.m.*.o.*.q.*.s.*.u.*.w.*.y.*.#'],
    keys: { [alphabet]: [`${'*.'.repeat(26)}#`, 'a.*.c.*.e.*.g.*.i.*.k.*.m.*.o.*.q.*.s.*.u.*.w.*.y.*.#'] },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_many_hashes',
    patterns: [Array(15).fill('#').join('.')],
    keys: { [Array(31).fill('a').join('.')]: [Array(15).fill('#').join('.')] },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_overlapping_filters',
    patterns: ['a.b', 'a.b.#', 'a.b.c', 'a.b.*', 'a.b.d', 'a.*.*', 'a.*.#', '*.b.c'],
    keys: {
      'a.b.c': ['a.b.#', 'a.b.c', 'a.b.*', 'a.*.*', 'a.*.#', '*.b.c'],
      'a.b': ['a.b', 'a.b.#', 'a.*.#'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_empty_segments',
    patterns: ['.#', '.*', '.*.a.b.c'],
    keys: { '.0.a.b.c': ['.#', '.*.a.b.c'] },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_exchange_to_exchange',
    patterns: ['events.*.critical', 'events.#', 'events.app.critical'],
    keys: {
      'events.app.critical': ['events.*.critical', 'events.#', 'events.app.critical'],
      'events.db.info': ['events.#'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/rabbit_db_topic_exchange_SUITE.erl, topic_match_unicode',
    patterns: '传感器.温度.摄氏 🏠.🌡️.📊 датчик.температура.цельсий sensor.données.état 传感器.*.摄氏 датчик.# #'.split(
      ' ',
    ),
    keys: {
      '传感器.温度.摄氏': ['传感器.温度.摄氏', '传感器.*.摄氏', '#'],
      '🏠.🌡️.📊': ['🏠.🌡️.📊', '#'],
      'датчик.температура.цельсий': ['датчик.температура.цельсий', 'датчик.#', '#'],
      'sensor.données.état': ['sensor.données.état', '#'],
      '传感器.压力.摄氏': ['传感器.*.摄氏', '#'],
      'датчик.давление': ['датчик.#', '#'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/exchanges_SUITE.erl, topic_exchange: a # inside a word is no wildcard',
    patterns: ['this.*.rules', '*.for.*', 'simply#carrots', '#.noclue', '#'],
    keys: {
      'this.queue.rules': ['this.*.rules', '#'],
      'this.exchange.rules': ['this.*.rules', '#'],
      'another.queue.rules': ['#'],
      'carrots.for.power': ['*.for.*', '#'],
      simplycarrots: ['#'],
      '*.queue.rules': ['#'],
      '#.bla': ['#'],
      '#.noclue': ['#.noclue', '#'],
    },
  },
  {
    source: 'rabbitmq-server deps/rabbit/test/bindings_SUITE.erl, topic_binding_hash_limit',
    patterns: ['#.b.#'],
    keys: { 'a.b.c': ['#.b.#'] },
  },
  {
    source: 'rabbitmq-java-client src/test/java/com/rabbitmq/client/test/functional/Routing.java, doubleBinding',
    patterns: ['x.#', '#.x'],
    keys: { 'x.y': ['x.#'], 'y.x': ['#.x'], 'x.x': ['x.#', '#.x'] },
  },
  {
    source: 'rabbitmq-website tutorials/tutorial-five-javascript.md',
    patterns: ['*.orange.*', '*.*.rabbit', 'lazy.#'],
    keys: {
      'quick.orange.rabbit': ['*.orange.*', '*.*.rabbit'],
      'lazy.orange.elephant': ['*.orange.*', 'lazy.#'],
      'quick.orange.fox': ['*.orange.*'],
      'lazy.brown.fox': ['lazy.#'],
      'lazy.pink.rabbit': ['*.*.rabbit', 'lazy.#'],
      'quick.brown.fox': [],
      orange: [],
      'quick.orange.new.rabbit': [],
      'lazy.orange.new.rabbit': ['lazy.#'],
    },
  },
  {
    source: 'rabbitmq-website docs/exchanges.md, Topic',
    patterns: ['regions.na.cities.*', 'audit.events.#', '#'],
    keys: {
      'regions.na.cities.toronto': ['regions.na.cities.*', '#'],
      'regions.na.cities.newyork': ['regions.na.cities.*', '#'],
      'regions.na.cities': ['#'],
      'audit.events': ['audit.events.#', '#'],
      'audit.events.users.signup': ['audit.events.#', '#'],
      'audit.events.orders.placed': ['audit.events.#', '#'],
      'audit.users': ['#'],
    },
  },
  {
    source:
      'AMQP 0-9-1 specification 3.1.3.3, as quoted in rabbitmq-website blog/2010-09-14-very-fast-and-scalable-topic-routing',
    patterns: ['*.stock.#'],
    keys: { 'usd.stock': ['*.stock.#'], 'eur.stock.db': ['*.stock.#'], 'stock.nasdaq': [] },
  },
  {
    source: 'the same blog post, its trie',
    patterns: ['a.b.c', 'a.*.b.c', 'a.#.c', 'b.b.c'],
    keys: {
      'a.d.d.d.c': ['a.#.c'],
      'a.b.c': ['a.b.c', 'a.#.c'],
      'a.x.b.c': ['a.*.b.c', 'a.#.c'],
      'a.c': ['a.#.c'],
      'b.b.c': ['b.b.c'],
    },
  },
  {
    // split_topic_key_binary(<<>>) is [], everything else is split at each dot: rabbit_db_topic_exchange.erl.
    source: 'rabbitmq-server deps/rabbit/src/rabbit_db_topic_exchange.erl: empty words, and none',
    patterns: ['', '.', '*', '#', '*.*', '#.', '.#', 'a..b', 'a.*.b', 'a.', 'a.#', '##', '*#', '#.*', '*.#'],
    keys: {
      '': ['', '#'],
      '.': ['.', '#', '*.*', '#.', '.#', '#.*', '*.#'],
      '..': ['#', '#.', '.#', '#.*', '*.#'],
      'a.': ['#', '*.*', '#.', 'a.', 'a.#', '#.*', '*.#'],
      'a..b': ['#', 'a..b', 'a.*.b', 'a.#', '#.*', '*.#'],
      'a.b': ['#', '*.*', 'a.#', '#.*', '*.#'],
      a: ['*', '#', 'a.#', '#.*', '*.#'],
      '##': ['*', '#', '##', '#.*', '*.#'],
      '*': ['*', '#', '#.*', '*.#'],
      '#': ['*', '#', '#.*', '*.#'],
    },
  },
];

/** Every pattern of every scenario against every key of it. */
export const topicCases = topicScenarios.flatMap(({ source, patterns, keys }) =>
  Object.entries(keys).flatMap(([key, matching]) =>
    patterns.map((pattern) => ({ source, pattern, key, matches: matching.includes(pattern) })),
  ),
);
