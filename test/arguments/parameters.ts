import {
  Broker,
  exponential,
  fixed,
  linear,
  MemoryStorage,
  type Consumer,
  type ConsumerGroup,
  type Delivery,
  type Exchange,
  type Queue,
  type Topic,
} from '../../src/index.js';
import { ManualClock } from '../../src/testing/manual-clock.js';
import {
  aFunction,
  bag,
  boolean,
  duration,
  nothingFits,
  oneOf,
  optional,
  signal,
  text,
  whole,
  type Rule,
} from './values.js';

/** A broker that is at work: messages wait, one is in hand, a consumer runs. */
export interface Bench {
  readonly broker: Broker;
  readonly clock: ManualClock;
  readonly queue: Queue;
  readonly exchange: Exchange;
  readonly headers: Exchange;
  /** Of two partitions: three messages, of which a group has one in hand. */
  readonly topic: Topic;
  readonly group: ConsumerGroup;
  readonly consumer: Consumer;
  readonly held: Delivery;
}

export async function bench(): Promise<Bench> {
  const clock = new ManualClock();
  const broker = await Broker.open({ clock });
  // A class is a function, too; what becomes of it as a listener or handler is not the question here.
  broker.on('error', () => undefined);
  const queue = broker.queue('q', { maxLength: 1000 });
  await queue.sendMany([{ body: 1 }, { body: 2 }, { body: 3, delay: '1h' }]);
  const held = (await queue.receive())!;
  const exchange = broker.exchange('x').bind(queue, 'bound.#');
  const headers = broker.exchange('h', { type: 'headers' });
  const consumer = broker.queue('consumed').consume(() => undefined);
  broker.queue('known');
  broker.queue('empty');
  const topic = broker.topic('t', { partitions: 2 });
  await topic.publishMany([{ body: 1 }, { body: 2 }, { body: 3 }]);
  const group = topic.group('g');
  await group.receive();
  topic.group('known');
  broker.topic('no messages').group('g');
  exchange.bind(topic, 'kept');
  return { broker, clock, queue, exchange, headers, topic, group, consumer, held };
}

/** One thing that can be handed to the package, in otherwise sound arguments. */
export interface Parameter {
  /** In the title of its test. */
  readonly call: string;
  /** What an error has to call it: one of these, where there are several. */
  readonly named: string | readonly string[];
  readonly rule: Rule;
  /** How it refuses. */
  readonly how: 'throws' | 'rejects';
  readonly give: (value: any, bench: Bench) => unknown;
}

/** Each option of a call: `give` gets a bag with that one option in it. */
function options(
  call: string,
  how: Parameter['how'],
  rules: Readonly<Record<string, Rule>>,
  give: (options: any, bench: Bench) => unknown,
  required: object = {},
): Parameter[] {
  return Object.entries(rules).map(([name, rule]) => ({
    call: `${call} { ${name} }`,
    named: name,
    rule,
    how,
    give: (value, on) => give({ ...required, [name]: value }, on),
  }));
}

const date: Rule = (_, name) => (name === 'a Date' ? 'works' : TypeError);
const name = text(1, 255);
const ackTimeout: Rule = (value, of) => (value === false ? 'works' : duration(Number.MIN_VALUE)(value, of));
/** A flat record, of which an empty one is an instance: so is what has only functions that nobody enumerates. */
const record: Rule = bag;

const RETRY: Readonly<Record<string, Rule>> = {
  attempts: optional(whole(1, Infinity)),
  backoff: optional(aFunction),
  retryIf: optional(aFunction),
};

const MESSAGE: Readonly<Record<string, Rule>> = {
  id: optional(text(1, 65_535)),
  key: optional(text(0, 65_535)),
  headers: record,
  priority: optional(whole(0, 2 ** 31 - 1)),
  delay: optional(duration()),
  deliverAt: optional(date),
  ttl: optional(duration()),
  persistent: optional(boolean),
  signal: optional(signal),
  retry: bag,
  'no such option': () => TypeError,
};

const QUEUE: Readonly<Record<string, Rule>> = {
  durable: optional(boolean),
  retry: bag,
  deadLetter: (value, of) => (value === undefined || value === false ? 'works' : name(value, of)),
  deadLetterRoutingKey: optional(text(0, 255)),
  ttl: optional(duration()),
  maxLength: optional(whole(0, Infinity)),
  maxBytes: optional(whole(0, Infinity)),
  overflow: optional(oneOf('block', 'reject', 'drop-head', 'dead-letter')),
  ordering: optional(oneOf('none', 'key')),
  priorities: optional(whole(1, 32)),
  ackTimeout: optional(ackTimeout),
  singleActiveConsumer: optional(boolean),
  autoDelete: optional(boolean),
  schema: optional(nothingFits),
  'no such option': () => TypeError,
};

const EXCHANGE: Readonly<Record<string, Rule>> = {
  type: optional(oneOf('direct', 'fanout', 'topic', 'headers')),
  durable: optional(boolean),
  alternate: optional(name),
  internal: optional(boolean),
  autoDelete: optional(boolean),
  'no such option': () => TypeError,
};

const CONSUME: Readonly<Record<string, Rule>> = {
  name: optional(name),
  concurrency: optional(whole(1, 100_000)),
  ack: optional(oneOf('auto', 'manual', 'none')),
  prefetch: optional(whole(1, Infinity)),
  rateLimit: optional(nothingFits),
  ackTimeout: optional(ackTimeout),
  signal: optional(signal),
  'no such option': () => TypeError,
};

const TOPIC: Readonly<Record<string, Rule>> = {
  partitions: optional(whole(1, 10_000)),
  durable: optional(boolean),
  retention: bag,
  schema: optional(nothingFits),
  'no such option': () => TypeError,
};

const RETENTION: Readonly<Record<string, Rule>> = {
  time: optional(duration()),
  bytes: optional(whole(0, Infinity)),
  messages: optional(whole(0, Infinity)),
  consumed: optional(boolean),
  'no such option': () => TypeError,
};

/** It fits, but not a topic. */
const unkept =
  (rule: Rule): Rule =>
  (value, of) => {
    const verdict = rule(value, of);
    return verdict === 'works' ? TypeError : verdict;
  };

const noPriority = optional((value, of) => (value === 0 ? 'works' : unkept(whole(0, 2 ** 31 - 1))(value, of)));

/** What may be said of a message in a topic of two partitions. */
const PUBLICATION: Readonly<Record<string, Rule>> = {
  id: MESSAGE['id']!,
  key: MESSAGE['key']!,
  headers: record,
  persistent: optional(boolean),
  signal: optional(signal),
  partition: optional(whole(0, 1)),
  // A topic keeps what it is given, in order.
  priority: noPriority,
  delay: optional(unkept(duration())),
  deliverAt: optional(unkept(date)),
  ttl: optional(unkept(duration())),
  retry: () => TypeError,
  'no such option': () => TypeError,
};

/** An offset, a date or one of two words. */
const position: Rule = (value, of) => (typeof value === 'number' ? whole(0)(value, of) : date(value, of));

const GROUP: Readonly<Record<string, Rule>> = {
  from: optional(position),
  retry: bag,
  deadLetter: (value, of) => (value === undefined || value === false ? 'works' : name(value, of)),
  ordering: optional(oneOf('partition', 'key', 'none')),
  assignor: optional(oneOf('range', 'round-robin', 'sticky')),
  ackTimeout: optional(ackTimeout),
  'no such option': () => TypeError,
};

const TIMEOUT = { timeout: optional(duration()), 'no such option': () => TypeError } satisfies Record<string, Rule>;

const send = (given: any, { queue }: Bench): unknown => queue.send('body', given);
const publish = (given: any, { exchange }: Bench): unknown => exchange.publish('bound.key', 'body', given);
const consume = (given: any, { queue }: Bench): unknown => queue.consume(() => undefined, given);
const consumeBatch = (given: any, { queue }: Bench): unknown => queue.consumeBatch(() => undefined, given);
const declare = (given: any, { broker }: Bench): unknown => broker.queue('new', given);
const declareTopic = (given: any, { broker }: Bench): unknown => broker.topic('new', given);
const declareGroup = (given: any, { topic }: Bench): unknown => topic.group('new', given);
const publishTo = (given: any, { topic }: Bench): unknown => topic.publish('body', given);
const publishMany = (given: any, { topic }: Bench): unknown => topic.publishMany([{ body: 1 }, given]);
const consumeGroup = (given: any, { group }: Bench): unknown => group.consume(() => undefined, given);
const declareExchange = (given: any, { broker }: Bench): unknown => broker.exchange('new', given);
/** Whatever can be opened is closed again. */
const open = (given: any): unknown =>
  Broker.open(given).then((broker) => {
    void broker.close({ timeout: 0 });
  });

export const PARAMETERS: readonly Parameter[] = [
  // Broker
  { call: 'Broker.open(options)', named: 'broker options', rule: bag, how: 'rejects', give: open },
  ...options(
    'Broker.open()',
    'rejects',
    {
      storage: optional(nothingFits),
      codec: optional(nothingFits),
      clock: optional(nothingFits),
      maxMessageBytes: optional(whole(1)),
      retry: bag,
      'no such option': () => TypeError,
    },
    open,
  ),
  ...options('Broker.open() { retry }', 'rejects', RETRY, (retry) => open({ retry })),
  {
    call: 'broker.queue(name)',
    named: 'name',
    rule: name,
    how: 'throws',
    give: (value, { broker }) => broker.queue(value),
  },
  { call: 'broker.queue(name, options)', named: 'queue options', rule: bag, how: 'throws', give: declare },
  ...options('broker.queue(name)', 'throws', QUEUE, declare),
  ...options('broker.queue(name) { retry }', 'throws', RETRY, (retry, on) => declare({ retry }, on)),
  ...options('broker.queue(name), known before,', 'throws', QUEUE, (given, { broker }) => broker.queue('known', given)),
  {
    call: 'broker.exchange(name)',
    named: 'name',
    rule: name,
    how: 'throws',
    give: (value, { broker }) => broker.exchange(value),
  },
  {
    call: 'broker.exchange(name, options)',
    named: 'exchange options',
    rule: bag,
    how: 'throws',
    give: declareExchange,
  },
  ...options('broker.exchange(name)', 'throws', EXCHANGE, declareExchange),
  {
    call: 'broker.delete(name)',
    named: 'name',
    rule: name,
    how: 'rejects',
    // Nothing has any of these names.
    give: async (value, { broker }) =>
      broker.delete(value).catch((error: { code?: string }) => {
        if (error.code !== 'ERR_UNKNOWN_DESTINATION') throw error;
      }),
  },
  {
    call: 'broker.close(options)',
    named: 'close()',
    rule: bag,
    how: 'rejects',
    give: (value, { broker }) => broker.close(value),
  },
  ...options('broker.close()', 'rejects', TIMEOUT, (given, { broker }) => broker.close(given)),
  ...(['on', 'once', 'off'] as const).flatMap((method): Parameter[] => [
    {
      call: `broker.${method}(event)`,
      named: 'event',
      rule: () => TypeError,
      how: 'throws',
      give: (value, { broker }) => broker[method](value, () => undefined),
    },
    {
      call: `broker.${method}(event, listener)`,
      named: 'listener',
      rule: aFunction,
      how: 'throws',
      give: (value, { broker }) => broker[method]('acked', value),
    },
  ]),

  // Queue: in
  { call: 'queue.send(body, options)', named: 'send() options', rule: bag, how: 'rejects', give: send },
  ...options('queue.send(body)', 'rejects', MESSAGE, send),
  ...options('queue.send(body) { retry }', 'rejects', { ...RETRY, retryIf: () => TypeError }, (retry, on) =>
    send({ retry }, on),
  ),
  {
    call: 'queue.sendMany(messages)',
    named: 'sendMany()',
    rule: (_, of) => (of === 'an array' ? 'works' : TypeError),
    how: 'rejects',
    give: (value, { queue }) => queue.sendMany(value),
  },
  {
    call: 'queue.sendMany([…, message])',
    named: 'sendMany()[1]',
    // What has no body is refused as what JSON cannot hold.
    rule: (value, of) => (value === undefined ? TypeError : bag(value, of)),
    how: 'rejects',
    give: (value, { queue }) => queue.sendMany([{ body: 1 }, value]).catch(orNotSerializable),
  },
  ...options(
    'queue.sendMany([…, message])',
    'rejects',
    MESSAGE,
    (given, { queue }) => queue.sendMany([{ body: 1 }, given]),
    { body: 2 },
  ),

  // Queue: out
  {
    call: 'queue.receive(options)',
    named: 'receive()',
    rule: bag,
    how: 'rejects',
    give: (value, { queue }) => queue.receive(value),
  },
  ...options(
    'queue.receive()',
    'rejects',
    { wait: optional(duration()), signal: optional(signal), 'no such option': () => TypeError },
    (given, { queue }) => queue.receive(given),
  ),
  {
    call: 'queue.consume(handler)',
    named: 'handler',
    rule: aFunction,
    how: 'throws',
    give: (value, { broker }) => broker.queue('empty').consume(value),
  },
  { call: 'queue.consume(handler, options)', named: 'consume()', rule: bag, how: 'throws', give: consume },
  ...options('queue.consume(handler)', 'throws', CONSUME, consume),
  ...options('queue.consume(handler)', 'throws', { size: () => TypeError, wait: () => TypeError }, consume),
  ...options(
    'queue.consume(handler) { rateLimit }',
    'throws',
    { max: whole(1) },
    (rateLimit, on) => consume({ rateLimit }, on),
    { per: '1s' },
  ),
  ...options(
    'queue.consume(handler) { rateLimit }',
    'throws',
    { per: duration(Number.MIN_VALUE), 'no such option': () => TypeError },
    (rateLimit, on) => consume({ rateLimit }, on),
    { max: 1 },
  ),
  {
    call: 'queue.consumeBatch(handler)',
    named: 'handler',
    rule: aFunction,
    how: 'throws',
    give: (value, { broker }) => broker.queue('empty').consumeBatch(value),
  },
  {
    call: 'queue.consumeBatch(handler, options)',
    named: 'consumeBatch()',
    rule: bag,
    how: 'throws',
    give: consumeBatch,
  },
  ...options(
    'queue.consumeBatch(handler)',
    'throws',
    {
      ...CONSUME,
      prefetch: optional(whole(100, Infinity)),
      size: optional(whole(1, 1_000_000)),
      wait: optional(duration()),
    },
    consumeBatch,
  ),
  {
    call: 'consumer.close(options)',
    named: 'close()',
    rule: bag,
    how: 'rejects',
    give: (value, { consumer }) => consumer.close(value),
  },
  ...options('consumer.close()', 'rejects', TIMEOUT, (given, { consumer }) => consumer.close(given)),

  // Queue: management
  {
    call: 'queue.peek(limit)',
    named: 'limit',
    rule: optional(whole(0)),
    how: 'rejects',
    give: (value, { queue }) => queue.peek(value),
  },
  {
    call: 'queue.redrive(options)',
    named: 'redrive()',
    rule: bag,
    how: 'rejects',
    give: (value, { queue }) => queue.redrive(value),
  },
  ...options(
    'queue.redrive()',
    'rejects',
    { limit: optional(whole(0, Infinity)), filter: optional(aFunction), 'no such option': () => TypeError },
    (given, { queue }) => queue.redrive({ to: 'consumed', ...given }),
  ),
  {
    call: 'queue.redrive() { to }',
    named: 'destination',
    // Nothing has any of these names.
    rule: optional(text(0, Infinity)),
    how: 'rejects',
    give: async (to, { queue }) => queue.redrive({ to, limit: 0 }).catch(orUnknown),
  },

  // Delivery
  {
    call: 'message.nack(options)',
    named: 'nack()',
    rule: bag,
    how: 'throws',
    give: (value, { held }) => held.nack(value),
  },
  // Anything may have gone wrong.
  ...options(
    'message.nack()',
    'throws',
    { delay: optional(duration()), error: () => 'works', 'no such option': () => TypeError },
    (given, { held }) => held.nack(given),
  ),
  {
    call: 'message.reject(reason)',
    named: 'reason',
    rule: optional(text(0, Infinity)),
    how: 'throws',
    give: (value, { held }) => held.reject(value),
  },
  {
    call: 'message.requeue(options)',
    named: 'requeue()',
    rule: bag,
    how: 'throws',
    give: (value, { held }) => held.requeue(value),
  },
  ...options(
    'message.requeue()',
    'throws',
    { delay: optional(duration()), 'no such option': () => TypeError },
    (given, { held }) => held.requeue(given),
  ),
  {
    call: 'message.extend(by)',
    named: 'extend(by)',
    rule: optional(duration()),
    how: 'throws',
    give: (value, { held }) => held.extend(value),
  },

  // Exchange
  {
    call: 'exchange.publish(routingKey)',
    named: 'routingKey',
    rule: text(0, 255),
    how: 'rejects',
    give: (value, { exchange }) => exchange.publish(value, 1),
  },
  {
    call: 'exchange.publish(key, body, options)',
    named: 'publish() options',
    rule: bag,
    how: 'rejects',
    give: publish,
  },
  ...options('exchange.publish(key, body)', 'rejects', { ...MESSAGE, mandatory: optional(boolean) }, publish),
  ...options(
    'exchange.publish(unroutable key, body)',
    'rejects',
    { ...MESSAGE, mandatory: optional(boolean) },
    (given, { exchange }) =>
      exchange.publish('nowhere', 'body', given).catch((error: { code?: string }) => {
        if (error.code !== 'ERR_UNROUTABLE') throw error;
      }),
  ),
  ...(['bind', 'unbind'] as const).flatMap((method): Parameter[] => [
    {
      call: `exchange.${method}(destination)`,
      named: 'destination',
      rule: nothingFits,
      how: 'throws',
      give: (value, { exchange }) => exchange[method](value, '#'),
    },
    {
      call: `exchange.${method}(destination, pattern)`,
      named: method === 'bind' ? 'pattern' : 'binding',
      rule: method === 'bind' ? text(0, 255) : (value) => (typeof value === 'string' ? 'works' : TypeError),
      how: 'throws',
      give: (value, { exchange, queue }) => exchange[method](queue, value),
    },
    {
      call: `headers.${method}(destination, match)`,
      named: ['HeadersMatch', 'the pattern of a binding'],
      rule: (value) => (typeof value === 'string' && value.length > 255 && method === 'bind' ? RangeError : TypeError),
      how: 'throws',
      give: (value, { headers, queue }) => headers[method](queue, value),
    },
    ...options(
      `headers.${method}(destination)`,
      'throws',
      { match: optional(oneOf('all', 'any', 'all-with-x', 'any-with-x')), 'no such option': () => TypeError },
      (given, { headers, queue }) => headers[method](queue, given),
      { headers: {} },
    ),
    {
      call: `headers.${method}(destination) { headers }`,
      named: 'headers',
      rule: (value, of) => (value === undefined ? TypeError : record(value, of)),
      how: 'throws',
      give: (value, { headers, queue }) => headers[method](queue, { headers: value }),
    },
  ]),

  // Topic
  {
    call: 'broker.topic(name)',
    named: 'name',
    rule: name,
    how: 'throws',
    give: (value, { broker }) => broker.topic(value),
  },
  { call: 'broker.topic(name, options)', named: 'topic options', rule: bag, how: 'throws', give: declareTopic },
  ...options('broker.topic(name)', 'throws', TOPIC, declareTopic),
  ...options('broker.topic(name) { retention }', 'throws', RETENTION, (retention, on) =>
    declareTopic({ retention }, on),
  ),
  {
    call: 'topic.publish(body, options)',
    named: 'publish() options',
    rule: bag,
    how: 'rejects',
    give: publishTo,
  },
  ...options('topic.publish(body)', 'rejects', PUBLICATION, publishTo),
  {
    call: 'topic.publishMany(messages)',
    named: 'publishMany()',
    rule: (_, of) => (of === 'an array' ? 'works' : TypeError),
    how: 'rejects',
    give: (value, { topic }) => topic.publishMany(value),
  },
  {
    call: 'topic.publishMany([…, message])',
    named: 'publishMany()[1]',
    rule: (value, of) => (value === undefined ? TypeError : bag(value, of)),
    how: 'rejects',
    give: (value, on) => (publishMany(value, on) as Promise<unknown>).catch(orNotSerializable),
  },
  ...options('topic.publishMany([…, message])', 'rejects', PUBLICATION, publishMany, { body: 2 }),
  ...options(
    'exchange.publish(key of a topic, body)',
    'rejects',
    {
      priority: noPriority,
      delay: optional(unkept(duration())),
      deliverAt: optional(unkept(date)),
      ttl: optional(unkept(duration())),
    },
    (given, { exchange }) => exchange.publish('kept', 'body', given),
  ),
  {
    call: 'topic.read(options)',
    named: 'read()',
    rule: bag,
    how: 'throws',
    give: (value, { topic }) => void topic.read(value).return!(),
  },
  ...options(
    'topic.read()',
    'throws',
    {
      from: (value, of) =>
        typeof value === 'number' && whole(0)(value, of) === 'works' ? TypeError : optional(position)(value, of),
      partition: optional(whole(0, 1)),
      follow: optional(boolean),
      signal: optional(signal),
      'no such option': () => TypeError,
    },
    (given, { topic }) => void topic.read(given).return!(),
  ),
  ...options(
    'topic.read() { partition }',
    'throws',
    { from: optional(position) },
    (given, { topic }) => void topic.read(given).return!(),
    { partition: 1 },
  ),

  // ConsumerGroup
  {
    call: 'topic.group(name)',
    named: 'name',
    rule: name,
    how: 'throws',
    give: (value, { topic }) => topic.group(value),
  },
  { call: 'topic.group(name, options)', named: 'group options', rule: bag, how: 'throws', give: declareGroup },
  ...options('topic.group(name)', 'throws', GROUP, declareGroup),
  ...options('topic.group(name), known before,', 'throws', GROUP, (given, { topic }) => topic.group('known', given)),
  ...options('topic.group(name) { retry }', 'throws', RETRY, (retry, on) => declareGroup({ retry }, on)),
  {
    call: 'group.consume(handler)',
    named: 'handler',
    rule: aFunction,
    how: 'throws',
    give: (value, { broker }) => broker.topic('no messages').group('g').consume(value),
  },
  { call: 'group.consume(handler, options)', named: 'consume()', rule: bag, how: 'throws', give: consumeGroup },
  ...options('group.consume(handler)', 'throws', CONSUME, consumeGroup),
  {
    call: 'group.receive(options)',
    named: 'receive()',
    rule: bag,
    how: 'rejects',
    give: (value, { group }) => group.receive(value),
  },
  {
    call: 'group.seek(position)',
    named: 'position',
    // An offset is of one partition.
    rule: (value, of) =>
      typeof value === 'number' && whole(0)(value, of) === 'works' ? TypeError : position(value, of),
    how: 'rejects',
    give: (value, { group }) => group.seek(value),
  },
  {
    call: 'group.seek(position, partition 0)',
    named: 'position',
    rule: position,
    how: 'rejects',
    give: (value, { group }) => group.seek(value, 0),
  },
  {
    call: "group.seek('latest', partition)",
    named: 'partition',
    rule: optional(whole(0, 1)),
    how: 'rejects',
    give: (value, { group }) => group.seek('latest', value),
  },

  // What stands beside the broker
  { call: 'fixed(delay)', named: 'delay', rule: duration(), how: 'throws', give: (value) => fixed(value) },
  {
    call: 'linear(options)',
    named: ['linear()', 'base'],
    rule: nothingFits,
    how: 'throws',
    give: (value) => linear(value),
  },
  ...options('linear()', 'throws', { base: duration() }, (given) => linear(given)),
  ...options(
    'linear()',
    'throws',
    { step: optional(duration()), max: optional(duration()), 'no such option': () => TypeError },
    (given) => linear(given),
    { base: 1 },
  ),
  {
    call: 'exponential(options)',
    named: ['exponential()', 'base'],
    rule: nothingFits,
    how: 'throws',
    give: (value) => exponential(value),
  },
  ...options('exponential()', 'throws', { base: duration() }, (given) => exponential(given)),
  ...options(
    'exponential()',
    'throws',
    {
      factor: optional((value) =>
        typeof value !== 'number' ? TypeError : value >= 1 && value <= 1e6 ? 'works' : RangeError,
      ),
      max: optional(duration()),
      jitter: optional(oneOf('none', 'full', 'equal')),
      'no such option': () => TypeError,
    },
    (given) => exponential(given),
    { base: 1 },
  ),
  {
    call: 'new MemoryStorage(options)',
    named: 'options',
    rule: bag,
    how: 'throws',
    give: (value) => new MemoryStorage(value),
  },
  ...options(
    'new MemoryStorage()',
    'throws',
    { maxBytes: optional(whole(1, Infinity)), 'no such option': () => TypeError },
    (given) => new MemoryStorage(given),
  ),
  {
    call: 'new ManualClock(start)',
    named: 'start',
    rule: (value, of) =>
      value === undefined || of === 'a Date'
        ? 'works'
        : typeof value !== 'number'
          ? TypeError
          : Number.isFinite(value)
            ? 'works'
            : RangeError,
    how: 'throws',
    give: (value) => new ManualClock(value),
  },
  {
    call: 'clock.advance(by)',
    named: 'by',
    rule: duration(),
    how: 'rejects',
    give: (value) => new ManualClock().advance(value),
  },
  {
    call: 'clock.setTimer(delay)',
    named: 'delay',
    rule: (value) => (typeof value !== 'number' ? TypeError : value >= 0 ? 'works' : RangeError),
    how: 'throws',
    give: (value) => new ManualClock().setTimer(value, () => undefined),
  },
  {
    call: 'clock.setTimer(delay, fire)',
    named: 'fire',
    rule: aFunction,
    how: 'throws',
    give: (value) => new ManualClock().setTimer(1, value),
  },
];

function orUnknown(error: { code?: string }): void {
  if (error.code !== 'ERR_UNKNOWN_DESTINATION') throw error;
}

function orNotSerializable(error: { code?: string }): void {
  if (error.code !== 'ERR_NOT_SERIALIZABLE') throw error;
}
