import { describe } from '../arguments.js';
import type { Headers } from '../message.js';
import { DirectIndex, FanoutIndex, HeadersIndex, TopicIndex, type BindingIndex, type Bound } from './binding-index.js';
import { HeadersMatcher, type HeadersMatch } from './headers-match.js';

export type ExchangeType = 'direct' | 'fanout' | 'topic' | 'headers';

export interface Binding<D> {
  readonly destination: D;
  /** Of a direct or topic exchange. */
  readonly pattern?: string;
  /** Of a headers exchange, as it was given. */
  readonly match?: HeadersMatch;
}

/**
 * The bindings of one exchange, and where they lead. What a destination is, it does not ask: two are the same when a Map says so.
 *
 * What goes with a destination is, by the type of the exchange: direct: a routing key; topic: a pattern; headers: a HeadersMatch;
 * fanout: nothing. Anything else is a TypeError, before anything changes.
 */
export class BindingTable<D> {
  readonly type: ExchangeType;
  readonly #index: BindingIndex<D>;
  /** By destination, then by what makes two bindings to it the same. */
  readonly #bindings = new Map<D, Map<string, Bound<D>>>();
  #size = 0;
  #order = 0;

  constructor(type: ExchangeType) {
    this.type = type;
    this.#index = indexFor(type);
  }

  /** How many bindings there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * The destinations of all bindings that match, each once, the one with the oldest matching binding first. Frozen; but for a
   * headers exchange the same array for the same key, until a binding changes.
   */
  match(routingKey: string, headers: Headers): readonly D[] {
    return this.#index.match(routingKey, headers);
  }

  /** false: there is this binding already. */
  bind(destination: D, given?: string | HeadersMatch): boolean {
    const { pattern, matcher, identity } = this.#argument(given);
    let ofDestination = this.#bindings.get(destination);
    if (ofDestination?.has(identity)) return false;
    if (ofDestination === undefined) this.#bindings.set(destination, (ofDestination = new Map()));
    const bound = { destination, pattern, matcher, order: this.#order++ };
    ofDestination.set(identity, bound);
    this.#index.add(bound);
    this.#size++;
    return true;
  }

  /** false: there is no such binding. */
  unbind(destination: D, given?: string | HeadersMatch): boolean {
    const { identity } = this.#argument(given);
    const ofDestination = this.#bindings.get(destination);
    const bound = ofDestination?.get(identity);
    if (ofDestination === undefined || bound === undefined) return false;
    ofDestination.delete(identity);
    if (ofDestination.size === 0) this.#bindings.delete(destination);
    this.#index.remove(bound);
    this.#size--;
    return true;
  }

  /** Every binding to `destination` goes; returns how many there were. */
  unbindAll(destination: D): number {
    const ofDestination = this.#bindings.get(destination);
    if (ofDestination === undefined) return 0;
    this.#bindings.delete(destination);
    for (const bound of ofDestination.values()) this.#index.remove(bound);
    this.#size -= ofDestination.size;
    return ofDestination.size;
  }

  /** Everything that something is bound to, each once. */
  destinations(): Iterable<D> {
    return this.#bindings.keys();
  }

  /** In the order of binding. */
  list(): readonly Binding<D>[] {
    const all = [...this.#bindings.values()].flatMap((ofDestination) => [...ofDestination.values()]);
    return all.sort((one, other) => one.order - other.order).map((bound) => this.#entry(bound));
  }

  #entry({ destination, pattern, matcher }: Bound<D>): Binding<D> {
    if (matcher !== undefined) return { destination, match: matcher.given };
    return this.type === 'fanout' ? { destination } : { destination, pattern };
  }

  #argument(given: unknown): Pick<Bound<D>, 'pattern' | 'matcher'> & { readonly identity: string } {
    switch (this.type) {
      case 'direct':
      case 'topic':
        if (typeof given === 'string') return { pattern: given, matcher: undefined, identity: given };
        throw new TypeError(
          `a binding of a ${this.type} exchange takes a ${this.type === 'topic' ? 'pattern' : 'routing key'}, a string; got ${describe(given)}`,
        );
      case 'fanout':
        if (given === undefined) return { pattern: '', matcher: undefined, identity: '' };
        throw new TypeError(`a binding of a fanout exchange takes no pattern or match; got ${describe(given)}`);
      case 'headers': {
        if (typeof given !== 'object' || given === null) {
          throw new TypeError(
            `a binding of a headers exchange takes a HeadersMatch, { match?, headers }; got ${describe(given)}`,
          );
        }
        const matcher = new HeadersMatcher(given);
        return { pattern: '', matcher, identity: matcher.identity };
      }
    }
  }
}

function indexFor<D>(type: ExchangeType): BindingIndex<D> {
  switch (type) {
    case 'direct':
      return new DirectIndex();
    case 'fanout':
      return new FanoutIndex();
    case 'topic':
      return new TopicIndex();
    case 'headers':
      return new HeadersIndex();
  }
}
