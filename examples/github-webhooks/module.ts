import type { Broker, Exchange, Message } from 'sluice';
import type { BranchStatus } from './modules/ci-status.js';
import type { Suggestion } from './modules/issue-triage.js';
import type { ReleaseNotes } from './modules/release-notes.js';
import type { Finding } from './modules/security-alerts.js';
import type { Webhooks } from './webhooks.js';

/**
 * What the modules share, and all that they know of one another:
 *
 *     webhooks ─► exchange github ──► issue-triage ─┐
 *                                 ├─► ci-status ────┤
 *                                 ├─► releases ─────┼─► exchange outcomes ──► tracker
 *                                 ├─► security ─────┘                     ├─► digest
 *                                 └─► audit                               ├─► pager
 *                                                                         └─► publisher
 */
export interface App {
  readonly broker: Broker;
  readonly github: Exchange<Webhooks>;
  readonly outcomes: Exchange<Outcomes>;
  /** Every module says what it has handled; in the end these books are compared with a second set. */
  handled(message: Message): void;
}

/** What modules hand on: routing key → body. */
export interface Outcomes {
  'triage.suggested': Suggestion;
  'ci.red': BranchStatus;
  'ci.green': BranchStatus;
  'security.critical': Finding;
  'security.high': Finding;
  'security.medium': Finding;
  'security.low': Finding;
  'security.resolved': Finding;
  'release.notes': ReleaseNotes;
  'release.withdrawn': ReleaseNotes;
}

export type Outcome = {
  [K in keyof Outcomes]: { readonly routingKey: K; readonly body: Outcomes[K] };
}[keyof Outcomes];

/** The inside of a module. It knows payloads and results, and nothing of queues: the same input always gives the same result. */
export interface Module<In> {
  /** Takes in one message; what it returns goes to whom it may concern. */
  handle(body: In, routingKey: string): readonly Outcome[];
  /** Everything that came of it, as plain JSON. */
  result(): unknown;
  /** The same in one line, for people. */
  summary(): string;
}

/**
 * Publishes what came of `cause`. It keeps the key, so that the order within a repository holds from end to end, and has an id that follows from
 * the cause: should the cause be delivered again, what comes of it is known by the same name.
 */
export async function handOn({ outcomes }: App, cause: Message, results: readonly Outcome[]): Promise<void> {
  for (const [n, { routingKey, body }] of results.entries()) {
    await outcomes.publish(routingKey, body, { id: outcomeId(cause.id, n), key: cause.key });
  }
}

export function outcomeId(cause: string, n: number): string {
  return `${cause}.${n + 1}`;
}
