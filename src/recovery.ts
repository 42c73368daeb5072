import { types } from 'node:util';
import type { Declaration } from './catalog.js';
import type { Inbox } from './delivery/intake/inbox.js';
import { queueOfLog, topicOfLog } from './delivery/log-names.js';
import type { Exchange } from './exchange.js';
import type { Queue } from './queue.js';
import type { Topic } from './topic.js';
import type { TopicOptions } from './topic-options.js';

type Of<K extends Declaration['is']> = Declaration & { readonly is: K };

/** A queue as the catalog keeps it: options that JSON can hold, handles by name. */
export function declarationOf({ name, given, madeForDead }: Queue): Of<'queue'> {
  const { schema: _, deadLetter, retry, maxLength, maxBytes, ...rest } = given;
  const options = {
    ...rest,
    deadLetter: typeof deadLetter === 'object' ? deadLetter.name : deadLetter,
    // Functions do not last; the code brings its own when it declares the queue again.
    retry: retry === undefined ? undefined : { attempts: finite(retry.attempts) },
    maxLength: finite(maxLength),
    maxBytes: finite(maxBytes),
  };
  return { is: 'queue', name, options, forDead: madeForDead };
}

export function topicDeclarationOf({ name, options }: Topic): Of<'topic'> {
  const { schema: _, retention, ...rest } = options;
  const kept = retention && {
    ...retention,
    bytes: finite(retention.bytes),
    messages: finite(retention.messages),
  };
  return { is: 'topic', name, options: { ...rest, retention: kept } };
}

export function groupDeclarationOf(topic: Topic, name: string): Of<'group'> {
  const { deadLetter, retry, from, ...rest } = topic.groups.get(name)?.options ?? {};
  const options = {
    ...rest,
    // Where it begins, should this run end before it has.
    from: types.isDate(from) ? { date: from.getTime() } : from,
    deadLetter: typeof deadLetter === 'object' ? deadLetter.name : deadLetter,
    retry: retry === undefined ? undefined : { attempts: finite(retry.attempts) },
  };
  return { is: 'group', topic: topic.name, name, options };
}

/** JSON has no Infinity. */
function finite(value: number | undefined): number | undefined {
  return value === Infinity ? Number.MAX_SAFE_INTEGER : value;
}

/** Everything that is there after a restart. `lasts`: whether a binding between these two is. */
export function declarations(
  queues: readonly Queue[],
  exchanges: readonly Exchange[],
  topics: readonly Topic[],
  lasts: (exchange: Exchange, to: Inbox | Exchange) => boolean,
): Declaration[] {
  const durable = exchanges.filter((exchange) => exchange.durable);
  const bindings = durable.flatMap((exchange) => {
    const kept = exchange.table.list().filter(({ destination }) => lasts(exchange, destination));
    return kept.map(({ destination, pattern, match }): Declaration => {
      return { is: 'binding', name: exchange.name, to: destination.name, by: pattern ?? match };
    });
  });
  return [
    ...queues.filter((queue) => queue.durable).map(declarationOf),
    ...topics
      .filter((topic) => topic.durable)
      .flatMap((topic) => {
        return [
          topicDeclarationOf(topic),
          ...[...topic.groups.keys()].map((group) => groupDeclarationOf(topic, group)),
        ];
      }),
    ...durable.map((exchange) => exchange.declaration()),
    ...bindings,
  ];
}

/** Who makes what has to be there again. */
export interface Makers {
  queue(name: string, forDead: boolean): Queue;
  topic(name: string): Topic;
  exchange(name: string): Exchange;
  /** What bindings keep of what has this name. */
  target(name: string): Inbox | Exchange | undefined;
}

/** What is left of all declarations of earlier runs, where later ones override and deletions remove earlier ones. */
export class Recovery {
  private readonly found = new Map<string, Of<'queue'> | Of<'exchange'> | Of<'topic'>>();
  private readonly groups = new Map<string, Of<'group'>>();
  private readonly bound = new Map<string, Of<'binding'>>();

  /** How many levels each queue has that has logs: it holds something, whatever the catalog says. */
  private readonly levels = new Map<string, number>();
  private readonly partitions = new Map<string, number>();

  /** @param logs names of all logs that there are */
  constructor(declared: readonly Declaration[], logs: Iterable<string>) {
    for (const one of declared) this.apply(one);
    for (const log of logs) {
      this.foundPartition(log);
      const { queue: name, level } = queueOfLog(log) ?? {};
      if (name === undefined) continue;
      this.levels.set(name, Math.max(this.levels.get(name) ?? 1, level! + 1));
      if (this.found.get(name)?.is !== 'queue')
        this.found.set(name, { is: 'queue', name, options: {}, forDead: false });
    }
  }

  /** Makes everything again, and lets it recover what it held: bindings last, when both ends are there. */
  async restore(make: Makers): Promise<void> {
    const exchanges = new Map<string, Exchange>();
    for (const one of this.found.values()) {
      if (one.is === 'queue')
        await make.queue(one.name, one.forDead).recover(one.options, this.levels.get(one.name) ?? 1);
      if (one.is === 'topic') await this.restoreTopic(make.topic(one.name), one.options);
      if (one.is !== 'exchange') continue;
      const exchange = make.exchange(one.name);
      exchange.recover(one.options);
      exchanges.set(one.name, exchange);
    }
    for (const { name, to, by } of this.bound.values()) {
      const target = make.target(to);
      if (target !== undefined) exchanges.get(name)?.table.bind(target, by);
    }
  }

  private async restoreTopic(topic: Topic, options: TopicOptions): Promise<void> {
    await topic.recover(options, this.partitions.get(topic.name) ?? 1);
    for (const group of this.groups.values()) {
      if (group.topic !== topic.name) continue;
      const { from } = group.options;
      const options = { ...group.options, from: typeof from === 'object' ? new Date(from.date) : from };
      await topic.recoverGroup(group.name, options);
    }
  }

  /** A topic that has logs holds something, whatever the catalog says. */
  private foundPartition(log: string): void {
    const { topic: name, partition } = topicOfLog(log) ?? {};
    if (name === undefined) return;
    this.partitions.set(name, Math.max(this.partitions.get(name) ?? 1, partition! + 1));
    if (this.found.get(name)?.is !== 'topic') this.found.set(name, { is: 'topic', name, options: {} });
  }

  private apply(one: Declaration): void {
    switch (one.is) {
      case 'group':
        this.groups.set(JSON.stringify([one.topic, one.name]), one);
        break;
      case 'group-deletion':
        this.groups.delete(JSON.stringify([one.topic, one.name]));
        break;
      case 'queue':
      case 'topic':
      case 'exchange':
        this.found.set(one.name, one);
        break;
      case 'binding':
        this.bound.set(keyOf(one), one);
        break;
      case 'unbinding':
        this.bound.delete(keyOf(one));
        break;
      case 'deletion':
        this.found.delete(one.name);
        for (const [key, { topic }] of this.groups) if (topic === one.name) this.groups.delete(key);
        for (const [key, { name, to }] of this.bound) if (name === one.name || to === one.name) this.bound.delete(key);
    }
  }
}

function keyOf({ name, to, by }: Of<'binding'> | Of<'unbinding'>): string {
  return JSON.stringify([name, to, by ?? null]);
}
