import type { DeathReason, Message } from '../message.js';
import type { Policy } from './retry.js';

/**
 * What happened to a message that was accepted. `ack`, `nack`, `reject` and `requeue` are its handler's verbs; the others
 * happen to it: its acknowledgement timeout passed, its ttl passed, a full queue pushed it out, the process died with it in hand
 * (`crash`: by its fault; `beside`: perhaps by that of another), its body does not decode or validate, the batch it was in failed, its consumer went away.
 */
export type Outcome =
  | 'ack'
  | 'nack'
  | 'reject'
  | 'requeue'
  | 'timeout'
  | 'expiry'
  | 'overflow'
  | 'crash'
  | 'beside'
  | 'invalid'
  | 'unbatch'
  | 'abandon';

export type Decision =
  /** Settled, done. */
  | { readonly to: 'acked' }
  /** Waits `delay` ms (0: not at all), then takes its old place. `failures` of it so far; `alone`: not in a batch again. */
  | { readonly to: 'waiting'; readonly delay: number; readonly failures: number; readonly alone: boolean }
  /** Settled here and appended where dead letters go, in one write. */
  | { readonly to: 'dead'; readonly reason: DeathReason; readonly failures: number }
  /** Settled; there is no place for its dead letters. */
  | { readonly to: 'dropped'; readonly reason: DeathReason; readonly failures: number };

const ACKED: Decision = { to: 'acked' };

/**
 * The one place that decides what becomes of a message. Pure, but for the policy's own functions (and jitter in them).
 *
 *     ack ──────────────────────────────► acked
 *     nack, timeout, crash ─ attempts left ─► waiting (backoff)   ─ none left ─► dead: attempts
 *     reject, retryIf false ────────────► dead: rejected
 *     beside ──────────────────────────► waiting (backoff), and dead only by a failure of its own
 *     requeue, abandon, unbatch ────────► waiting, no attempt counted
 *     expiry, overflow, invalid ────────► dead: expired, overflow, invalid
 *     dead, where dead letters go nowhere ─► dropped
 */
export function decide(
  outcome: Outcome,
  policy: Policy,
  /** Attempts that failed before this one. */
  failed: number,
  /** Asked for with the verb, ms. */
  delay: number | undefined,
  error: unknown,
  /** For retryIf: there in all outcomes that count as a failed attempt. */
  message: Message | undefined,
): Decision {
  switch (outcome) {
    case 'ack':
      return ACKED;
    case 'requeue':
    case 'abandon':
      return { to: 'waiting', delay: delay ?? 0, failures: failed, alone: false };
    case 'unbatch':
      return { to: 'waiting', delay: 0, failures: failed, alone: true };
    case 'nack':
    case 'timeout':
    case 'crash': {
      const failures = failed + 1;
      if (message !== undefined && !policy.retryIf(error, message)) return end(policy, 'rejected', failures);
      if (failures >= policy.attempts) return end(policy, 'attempts', failures);
      const wait = delay ?? policy.backoff(failures, error);
      return { to: 'waiting', delay: wait, failures, alone: outcome === 'crash' };
    }
    case 'beside': {
      const failures = Math.max(Math.min(failed + 1, policy.attempts - 1), failed);
      return { to: 'waiting', delay: delay ?? policy.backoff(Math.max(failures, 1), error), failures, alone: true };
    }
    case 'reject':
      return end(policy, 'rejected', failed + 1);
    case 'expiry':
      return end(policy, 'expired', failed);
    case 'invalid':
      return end(policy, 'invalid', failed);
    case 'overflow':
      return end(policy, 'overflow', failed, policy.buriesOverflow);
  }
}

function end(policy: Policy, reason: DeathReason, failures: number, buries = policy.buries): Decision {
  return { to: buries ? 'dead' : 'dropped', reason, failures };
}
