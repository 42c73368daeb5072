import { describe, expect, it, vi } from 'vitest';
import type { Message } from '../../src/index.js';
import type { Policy } from '../../src/delivery/retry.js';
import { decide, type Decision, type Outcome } from '../../src/delivery/settle.js';

const ATTEMPTS = 3;
const message = { id: 'x' } as Message;
const error = new Error('no');

/** Three attempts, a backoff of 100 ms per failed attempt, and dead letters for everything. */
const POLICY: Policy = {
  attempts: ATTEMPTS,
  backoff: (attempt) => attempt * 100,
  retryIf: () => true,
  buries: true,
  buriesOverflow: true,
};

/** What a message may have behind it, and around it, when something happens to it. */
const STATES = {
  fresh: { failed: 0, delay: undefined, policy: POLICY },
  'asked to wait 7 ms': { failed: 1, delay: 7, policy: POLICY },
  'asked not to wait': { failed: 1, delay: 0, policy: POLICY },
  'on its last attempt': { failed: ATTEMPTS - 1, delay: undefined, policy: POLICY },
  'on its last attempt, asked to wait': { failed: ATTEMPTS - 1, delay: 7, policy: POLICY },
  'not worth a retry': { failed: 0, delay: undefined, policy: { ...POLICY, retryIf: () => false } },
  'with endless attempts': { failed: 1000, delay: undefined, policy: { ...POLICY, attempts: Infinity } },
  'last, without dead letters': {
    failed: ATTEMPTS - 1,
    delay: undefined,
    policy: { ...POLICY, buries: false, buriesOverflow: false },
  },
  'in a ring buffer': { failed: 0, delay: undefined, policy: { ...POLICY, buriesOverflow: false } },
} as const;
type State = keyof typeof STATES;

const all = (decision: string): Record<State, string> =>
  Object.fromEntries(Object.keys(STATES).map((state) => [state, decision])) as Record<State, string>;

/** A failed attempt: what nack, a timeout and a crash have in common. */
const FAILED: Record<State, string> = {
  fresh: 'waits 100 ms, failed 1',
  'asked to wait 7 ms': 'waits 7 ms, failed 2',
  'asked not to wait': 'waits 0 ms, failed 2',
  'on its last attempt': 'dead: attempts, failed 3',
  'on its last attempt, asked to wait': 'dead: attempts, failed 3',
  'not worth a retry': 'dead: rejected, failed 1',
  'with endless attempts': 'waits 100100 ms, failed 1001',
  'last, without dead letters': 'dropped: attempts, failed 3',
  'in a ring buffer': 'waits 100 ms, failed 1',
};

/** Given back: no attempt counted. */
const GIVEN_BACK: Record<State, string> = {
  fresh: 'waits 0 ms, failed 0',
  'asked to wait 7 ms': 'waits 7 ms, failed 1',
  'asked not to wait': 'waits 0 ms, failed 1',
  'on its last attempt': 'waits 0 ms, failed 2',
  'on its last attempt, asked to wait': 'waits 7 ms, failed 2',
  'not worth a retry': 'waits 0 ms, failed 0',
  'with endless attempts': 'waits 0 ms, failed 1000',
  'last, without dead letters': 'waits 0 ms, failed 2',
  'in a ring buffer': 'waits 0 ms, failed 0',
};

/** Nobody failed: it died of something else. */
const died = (reason: string): Record<State, string> => ({
  fresh: `dead: ${reason}, failed 0`,
  'asked to wait 7 ms': `dead: ${reason}, failed 1`,
  'asked not to wait': `dead: ${reason}, failed 1`,
  'on its last attempt': `dead: ${reason}, failed 2`,
  'on its last attempt, asked to wait': `dead: ${reason}, failed 2`,
  'not worth a retry': `dead: ${reason}, failed 0`,
  'with endless attempts': `dead: ${reason}, failed 1000`,
  'last, without dead letters': `dropped: ${reason}, failed 2`,
  'in a ring buffer': `dead: ${reason}, failed 0`,
});

const TABLE: Record<Outcome, Record<State, string>> = {
  ack: all('acked'),
  nack: FAILED,
  timeout: FAILED,
  crash: mapped(FAILED, (decision) => decision.replace(/^waits.*/, '$&, alone')),
  beside: {
    fresh: 'waits 100 ms, failed 1, alone',
    'asked to wait 7 ms': 'waits 7 ms, failed 2, alone',
    'asked not to wait': 'waits 0 ms, failed 2, alone',
    'on its last attempt': 'waits 200 ms, failed 2, alone',
    'on its last attempt, asked to wait': 'waits 7 ms, failed 2, alone',
    'not worth a retry': 'waits 100 ms, failed 1, alone',
    'with endless attempts': 'waits 100100 ms, failed 1001, alone',
    'last, without dead letters': 'waits 200 ms, failed 2, alone',
    'in a ring buffer': 'waits 100 ms, failed 1, alone',
  },
  requeue: GIVEN_BACK,
  abandon: GIVEN_BACK,
  unbatch: mapped(GIVEN_BACK, (decision) => `${decision.replace('waits 7', 'waits 0')}, alone`),
  reject: mapped(died('rejected'), (decision) => decision.replace(/\d+$/, (failed) => String(Number(failed) + 1))),
  expiry: died('expired'),
  invalid: died('invalid'),
  overflow: { ...died('overflow'), 'in a ring buffer': 'dropped: overflow, failed 0' },
};

function mapped(row: Record<State, string>, change: (decision: string) => string): Record<State, string> {
  return Object.fromEntries(Object.entries(row).map(([state, decision]) => [state, change(decision)])) as typeof row;
}

function told(decision: Decision): string {
  switch (decision.to) {
    case 'acked':
      return 'acked';
    case 'waiting':
      return `waits ${decision.delay} ms, failed ${decision.failures}${decision.alone ? ', alone' : ''}`;
    case 'dead':
    case 'dropped':
      return `${decision.to}: ${decision.reason}, failed ${decision.failures}`;
  }
}

describe('What becomes of a message', () => {
  for (const [outcome, row] of Object.entries(TABLE) as [Outcome, Record<State, string>][]) {
    it.each(Object.entries(row) as [State, string][])(`after ${outcome}, %s: %s`, (state, expected) => {
      const { failed, delay, policy } = STATES[state];
      expect(told(decide(outcome, policy, failed, delay, error, message))).toBe(expected);
    });
  }

  it('is asked of retryIf with the error and the message, once, and only for failed attempts', () => {
    for (const outcome of Object.keys(TABLE) as Outcome[]) {
      const retryIf = vi.fn<Policy['retryIf']>(() => true);
      decide(outcome, { ...POLICY, retryIf }, 0, undefined, error, message);
      expect(retryIf.mock.calls).toEqual(['nack', 'timeout', 'crash'].includes(outcome) ? [[error, message]] : []);
    }
  });

  it('is asked of backoff with the number of the failed attempt and the error, unless a delay was asked for', () => {
    const backoff = vi.fn<Policy['backoff']>(() => 5);
    decide('nack', { ...POLICY, backoff }, 1, undefined, error, message);
    decide('nack', { ...POLICY, backoff }, 1, 7, error, message);
    decide('nack', { ...POLICY, backoff }, ATTEMPTS - 1, undefined, error, message);
    expect(backoff.mock.calls).toEqual([[2, error]]);
  });

  it('needs no message where nobody can ask: after a crash its body is not decoded', () => {
    const retryIf = (): never => {
      throw new Error('nobody to ask about');
    };
    expect(told(decide('crash', { ...POLICY, retryIf }, 0, undefined, error, undefined))).toBe(
      'waits 100 ms, failed 1, alone',
    );
  });
});
