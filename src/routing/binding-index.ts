import type { Headers } from '../message.js';
import type { HeadersMatcher } from './headers-match.js';
import { PatternTrie } from './pattern-trie.js';

const NOWHERE: readonly never[] = Object.freeze([]);

/** A binding as an exchange keeps it. */
export interface Bound<D> {
  readonly destination: D;
  /** '' where the type of the exchange takes none. */
  readonly pattern: string;
  /** Of a headers exchange. */
  readonly matcher: HeadersMatcher | undefined;
  /** Its place in the order of binding. */
  readonly order: number;
}

/**
 * How an exchange of one type finds its bindings. An answer names each destination once, the one with the oldest matching
 * binding first.
 */
export interface BindingIndex<D> {
  /** One that it does not have. */
  add(bound: Bound<D>): void;
  /** One that it has. */
  remove(bound: Bound<D>): void;
  match(routingKey: string, headers: Headers): readonly D[];
}

/** To everybody, whatever the key. */
export class FanoutIndex<D> implements BindingIndex<D> {
  readonly #destinations = new Set<D>();
  #answer: readonly D[] | undefined = NOWHERE;

  add({ destination }: Bound<D>): void {
    this.#destinations.add(destination);
    this.#answer = undefined;
  }

  remove({ destination }: Bound<D>): void {
    this.#destinations.delete(destination);
    this.#answer = undefined;
  }

  match(): readonly D[] {
    return (this.#answer ??= Object.freeze([...this.#destinations]));
  }
}

/** To those bound with the very key. */
export class DirectIndex<D> implements BindingIndex<D> {
  readonly #byKey = new Map<string, FanoutIndex<D>>();

  add(bound: Bound<D>): void {
    let sameKey = this.#byKey.get(bound.pattern);
    if (sameKey === undefined) this.#byKey.set(bound.pattern, (sameKey = new FanoutIndex()));
    sameKey.add(bound);
  }

  remove(bound: Bound<D>): void {
    const sameKey = this.#byKey.get(bound.pattern);
    sameKey?.remove(bound);
    if (sameKey?.match().length === 0) this.#byKey.delete(bound.pattern);
  }

  match(routingKey: string): readonly D[] {
    return this.#byKey.get(routingKey)?.match() ?? NOWHERE;
  }
}

/** To those with a pattern that matches the key. */
export class TopicIndex<D> implements BindingIndex<D> {
  readonly #trie = new PatternTrie<D>();

  add({ pattern, destination }: Bound<D>): void {
    this.#trie.add(pattern, destination);
  }

  remove({ pattern, destination }: Bound<D>): void {
    this.#trie.remove(pattern, destination);
  }

  match(routingKey: string): readonly D[] {
    return this.#trie.match(routingKey);
  }
}

/** To those whose binding matches the headers: one after the other, as in RabbitMQ, so here more bindings cost more. */
export class HeadersIndex<D> implements BindingIndex<D> {
  readonly #bindings = new Set<Bound<D>>();

  add(bound: Bound<D>): void {
    this.#bindings.add(bound);
  }

  remove(bound: Bound<D>): void {
    this.#bindings.delete(bound);
  }

  match(_routingKey: string, headers: Headers): readonly D[] {
    const destinations = new Set<D>();
    for (const { destination, matcher } of this.#bindings) {
      if (matcher?.matches(headers)) destinations.add(destination);
    }
    return destinations.size === 0 ? NOWHERE : Object.freeze([...destinations]);
  }
}
