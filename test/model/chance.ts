import type { Random } from '../../src/clock.js';

/** true in `share` of the cases. */
export function chance(random: Random, share: number): boolean {
  return random() < share;
}

/** A whole number from `from` to `to`, both included. */
export function between(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1));
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!;
}
