import { expect, it } from 'vitest';
import type { Census } from './minutes.js';
import { describeFailure, prove } from './proof.js';
import { queues } from './queues.js';

/** Runs have seeds of their own: this one, the next, … */
const SEED = 1;

it('does what a naive model of the contract does, 20,000 random commands long', { timeout: 120_000 }, async () => {
  const census: Census = new Map();
  const failure = await prove(queues, 20_000, SEED, census);
  expect(failure === undefined ? '' : describeFailure(failure)).toBe('');
  // It was no idle run.
  expect(census.get('delivered')).toBeGreaterThan(5_000);
  expect(census.get('acked') ?? census.get('ack: true')).toBeGreaterThan(500);
});
