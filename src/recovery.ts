import type { Declaration } from './catalog.js';
import type { Inbox } from './delivery/inbox.js';
import { queueOfLog } from './delivery/log-names.js';
import type { Exchange } from './exchange.js';
import type { Queue } from './queue.js';

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

/** JSON has no Infinity. */
function finite(value: number | undefined): number | undefined {
  return value === Infinity ? Number.MAX_SAFE_INTEGER : value;
}

/** Everything that is there after a restart. `lasts`: whether a binding between these two is. */
export function declarations(
  queues: readonly Queue[],
  exchanges: readonly Exchange[],
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
    ...durable.map((exchange) => exchange.declaration()),
    ...bindings,
  ];
}

/** What is left of all declarations of earlier runs, where later ones override and deletions remove earlier ones. */
export class Recovery {
  private readonly found = new Map<string, Of<'queue'> | Of<'exchange'>>();
  private readonly bound = new Map<string, Of<'binding'>>();

  /** How many levels each queue has that has logs: it holds something, whatever the catalog says. */
  private readonly levels = new Map<string, number>();

  /** @param logs names of all logs that there are */
  constructor(declared: readonly Declaration[], logs: Iterable<string>) {
    for (const one of declared) this.apply(one);
    for (const log of logs) {
      const { queue: name, level } = queueOfLog(log) ?? {};
      if (name === undefined) continue;
      this.levels.set(name, Math.max(this.levels.get(name) ?? 1, level! + 1));
      if (this.found.get(name)?.is !== 'queue')
        this.found.set(name, { is: 'queue', name, options: {}, forDead: false });
    }
  }

  queues(): (Of<'queue'> & { readonly levels: number })[] {
    const queues = [...this.found.values()].filter((one) => one.is === 'queue');
    return queues.map((queue) => ({ ...queue, levels: this.levels.get(queue.name) ?? 1 }));
  }
  exchanges(): Of<'exchange'>[] {
    return [...this.found.values()].filter((one) => one.is === 'exchange');
  }
  bindings(): Of<'binding'>[] {
    return [...this.bound.values()];
  }

  private apply(one: Declaration): void {
    switch (one.is) {
      case 'queue':
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
        for (const [key, { name, to }] of this.bound) if (name === one.name || to === one.name) this.bound.delete(key);
    }
  }
}

function keyOf({ name, to, by }: Of<'binding'> | Of<'unbinding'>): string {
  return JSON.stringify([name, to, by ?? null]);
}
