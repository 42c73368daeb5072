import type { Inbox } from './delivery/intake/inbox.js';
import type { Events } from './events.js';
import { Exchange } from './exchange.js';
import type { Headers } from './message.js';
import { Router } from './routing/router.js';

const NO_HEADERS: Headers = Object.freeze({});

/** How messages get from an exchange to where they are stored. */
export class Ways {
  private readonly router: Router<Inbox | Exchange, Exchange>;
  private readonly events: Events;
  private readonly find: (name: string) => Inbox | Exchange | undefined;
  private asked: readonly Inbox[] | undefined;
  private answer: Inbox | undefined;
  /** Alternates that nothing has the name of: said once each. */
  private readonly missed = new Set<string>();

  /** @param find what has a name now, as bindings keep it */
  constructor(events: Events, find: (name: string) => Inbox | Exchange | undefined) {
    this.events = events;
    this.find = find;
    this.router = new Router<Inbox | Exchange, Exchange>({
      isExchange: (destination) => destination instanceof Exchange,
      match: (exchange, routingKey, headers) => exchange.table.match(routingKey, headers),
      readsHeaders: (exchange) => exchange.table.type === 'headers',
      alternate: (exchange) => this.alternate(exchange),
      bound: (exchange) => exchange.table.destinations(),
    });
  }

  /** To be called after whatever can change a way. */
  changed(): void {
    this.router.changed();
    this.asked = this.answer = undefined;
  }

  /** The final destinations of what is published to `exchange`, each once. */
  from(exchange: Exchange, routingKey: string, headers: Headers = NO_HEADERS): readonly Inbox[] {
    return this.router.route(exchange, routingKey, headers) as readonly Inbox[];
  }

  /**
   * The destination, if there is only one. Mostly asked of one array over and over: to compare that takes a fraction of what it takes
   * to read a frozen array, which compilers do not know how to do.
   */
  only(inboxes: readonly Inbox[]): Inbox | undefined {
    if (inboxes !== this.asked) {
      this.asked = inboxes;
      this.answer = inboxes.length === 1 ? inboxes[0] : undefined;
    }
    return this.answer;
  }

  /** Somebody has to be told that a message ended nowhere. */
  unroutable(exchange: Exchange, routingKey: string, headers: Headers, id: string): void {
    const { events } = this;
    if (!events.heard.unroutable) return;
    for (const { name } of this.router.walk(exchange, routingKey, headers).unroutable) {
      events.emit('unroutable', { exchange: name, routingKey, id });
    }
  }

  closesCycle(from: Exchange, to: Exchange): boolean {
    return this.router.closesCycle(from, to);
  }

  private alternate(exchange: Exchange): Inbox | Exchange | undefined {
    const { alternate } = exchange.options;
    if (alternate === undefined) return undefined;
    const name = typeof alternate === 'string' ? alternate : alternate.name;
    const found = this.find(name);
    if (found !== undefined || this.missed.has(name)) return found;
    this.missed.add(name);
    const message = `exchange ${JSON.stringify(exchange.name)} has an alternate ${JSON.stringify(name)}, and nothing has that name`;
    const details = { exchange: exchange.name, alternate: name };
    this.events.emit('warning', { code: 'UNKNOWN_ALTERNATE', message, details });
    return undefined;
  }
}
