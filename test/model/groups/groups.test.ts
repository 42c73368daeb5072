import { expect, it } from 'vitest';
import type { Census } from '../minutes.js';
import { describeFailure, prove } from '../proof.js';
import { topics } from './topics.js';

/** Runs have seeds of their own: this one, the next, … */
const SEED = 1;

it('keeps what it promises of groups, whatever 10,000 random commands do to them', { timeout: 120_000 }, async () => {
  const census: Census = new Map();
  const failure = await prove(topics, 10_000, SEED, census);
  expect(failure === undefined ? '' : describeFailure(failure)).toBe('');
  // It was no idle run.
  expect(census.get('delivered: first')).toBeGreaterThan(3_000);
  expect(census.get('acked')).toBeGreaterThan(2_000);
});
