import type { Headers } from '../message.js';
import { KeyMemo } from './key-memo.js';

/** What the router asks of exchanges `X`, which are some of the destinations `D`. */
export interface RoutingGraph<D, X extends D> {
  isExchange(destination: D): destination is X;
  /** Where the bindings of `exchange` itself lead. Depends on the key alone unless it `readsHeaders`. */
  match(exchange: X, routingKey: string, headers: Headers): readonly D[];
  /** A headers exchange: what it answers cannot be remembered by the key. */
  readsHeaders(exchange: X): boolean;
  /** What takes a message that no binding of `exchange` matches. Asked when a message needs it. */
  alternate(exchange: X): D | undefined;
  /** Everything that is bound to `exchange`. */
  bound(exchange: X): Iterable<D>;
}

export interface Way<D, X> {
  /** Final destinations, each once, nearest exchange first. */
  readonly destinations: readonly D[];
  /** Exchanges where the message ended: no binding matched, and there was no alternate. Never empty when `destinations` is. */
  readonly unroutable: readonly X[];
  /** Headers had no say in it: the same key goes the same way. */
  readonly byKey: boolean;
}

/**
 * The way of a message through exchanges to its destinations, by RabbitMQ's rules (rabbit_exchange:route):
 *
 * - A bound exchange passes the message on by its own bindings, with the same key and headers.
 * - Each exchange sees a message once, and each destination gets it once, by however many ways it could come.
 * - Where no binding of an exchange matches, its alternate takes the message, if that has not seen it: for the exchange
 *   published to and for those on the way alike. A binding that matches is enough to pass over the alternate, even when
 *   it leads to an exchange that finds nobody.
 *
 * A message that does not leave its exchange but for final destinations costs what `match` costs, and the answer is the array
 * that `match` gave. Longer ways are remembered by key until `changed()`, and of all ways the last one is, since a burst has mostly
 * one key; unless an exchange on the way reads headers.
 */
export class Router<D, X extends D> {
  readonly #graph: RoutingGraph<D, X>;
  readonly #memos = new Map<X, KeyMemo<D>>();
  #lastStart: X | undefined;
  #lastKey = '';
  #last: readonly D[] = [];

  constructor(graph: RoutingGraph<D, X>) {
    this.#graph = graph;
  }

  /** Where a message published to `start` goes; the array is frozen. Empty: `walk` says where it ended. */
  route(start: X, routingKey: string, headers: Headers): readonly D[] {
    if (start === this.#lastStart && routingKey === this.#lastKey) return this.#last;
    const matched = this.#graph.match(start, routingKey, headers);
    if (this.#endsHere(start, matched)) {
      return this.#graph.readsHeaders(start) ? matched : this.#remember(start, routingKey, matched);
    }
    const known = this.#memos.get(start)?.get(routingKey);
    if (known !== undefined) return this.#remember(start, routingKey, known);
    const { destinations, byKey } = this.#walk(start, matched, routingKey, headers);
    if (!byKey) return destinations;
    let memo = this.#memos.get(start);
    if (memo === undefined) this.#memos.set(start, (memo = new KeyMemo()));
    memo.set(routingKey, destinations);
    return this.#remember(start, routingKey, destinations);
  }

  #remember(start: X, routingKey: string, destinations: readonly D[]): readonly D[] {
    this.#lastStart = start;
    this.#lastKey = routingKey;
    this.#last = destinations;
    return destinations;
  }

  /** As `route`, remembering nothing, and with all there is to say about the way. */
  walk(start: X, routingKey: string, headers: Headers): Way<D, X> {
    return this.#walk(start, this.#graph.match(start, routingKey, headers), routingKey, headers);
  }

  /**
   * To be called after whatever can change a way: a binding, an alternate, and a name, declared or deleted, that an
   * alternate goes by.
   */
  changed(): void {
    this.#memos.clear();
    this.#lastStart = undefined;
  }

  /** Whether a binding from `source` to `destination` would let a message come back to an exchange that it has left. */
  closesCycle(source: X, destination: D): boolean {
    if (!this.#graph.isExchange(destination)) return false;
    const reached = new Set<X>([destination]);
    for (const exchange of reached) {
      if (exchange === source) return true;
      for (const next of this.#graph.bound(exchange)) if (this.#graph.isExchange(next)) reached.add(next);
    }
    return false;
  }

  #walk(start: X, matched: readonly D[], routingKey: string, headers: Headers): Way<D, X> {
    const graph = this.#graph;
    const destinations = new Set<D>();
    const unroutable: X[] = [];
    let byKey = true;
    // Grows while it is walked: an exchange found here has its turn after those found before it.
    const seen = new Set<X>([start]);
    for (const exchange of seen) {
      byKey &&= !graph.readsHeaders(exchange);
      let next = exchange === start ? matched : graph.match(exchange, routingKey, headers);
      if (next.length === 0) {
        const alternate = graph.alternate(exchange);
        if (alternate === undefined) unroutable.push(exchange);
        else next = [alternate];
      }
      for (const destination of next) {
        if (graph.isExchange(destination)) seen.add(destination);
        else destinations.add(destination);
      }
    }
    // Alternates in a circle end nowhere in particular: then it ended where it began.
    if (destinations.size === 0 && unroutable.length === 0) unroutable.push(start);
    return { destinations: Object.freeze([...destinations]), unroutable, byKey };
  }

  #endsHere(start: X, matched: readonly D[]): boolean {
    if (matched.length === 0) return this.#graph.alternate(start) === undefined;
    for (let i = 0; i < matched.length; i++) if (this.#graph.isExchange(matched[i]!)) return false;
    return true;
  }
}
