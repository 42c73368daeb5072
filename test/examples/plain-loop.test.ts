import { expect, test } from 'vitest';
import { matcher, plainLoop } from '../../examples/github-webhooks/plain-loop.js';
import { loadWebhooks } from '../../examples/github-webhooks/webhooks.js';
import { topicCases } from '../routing/topic-cases.js';

test.each(topicCases)('$pattern and $key', ({ pattern, key, matches }) => {
  expect(matcher(pattern)(key)).toBe(matches);
});

test('every webhook is audited, and every queue has something to do', () => {
  const webhooks = loadWebhooks();
  const { handled } = plainLoop(webhooks);
  expect(handled.get('audit')?.map(({ id }) => id)).toEqual(webhooks.map(({ id }) => id));
  expect([...handled.values()].map((entries) => entries.length)).toEqual([45, 39, 20, 35, 329, 41, 71, 7, 9]);
});
