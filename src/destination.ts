import { describe } from './arguments.js';

/** What every handle that takes messages has: a queue, an exchange, a topic. */
export interface Handle {
  readonly name: string;
  /** What it is. */
  readonly kind: 'queue' | 'exchange' | 'topic';
}

export function checkHandle(value: unknown, what: string, or?: string): asserts value is Handle {
  const handle = value as Partial<Handle> | null;
  if (
    typeof handle !== 'object' ||
    handle === null ||
    typeof handle.name !== 'string' ||
    typeof handle.kind !== 'string'
  ) {
    throw new TypeError(
      `${what} must be a queue, exchange or topic${or === undefined ? '' : `, or ${or}`}; got ${describe(value)}`,
    );
  }
}
