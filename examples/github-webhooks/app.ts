import type { Broker, Clock, Message } from 'sluice';
import type { Books, Entry } from './books.js';
import type { App, Module, Outcomes } from './module.js';
import { startAudit } from './modules/audit.js';
import { startCiStatus } from './modules/ci-status.js';
import { startDigest } from './modules/digest.js';
import { startIssueTriage } from './modules/issue-triage.js';
import { startPager } from './modules/pager.js';
import { startPublisher } from './modules/publisher.js';
import { startReleaseNotes } from './modules/release-notes.js';
import { startSecurityAlerts } from './modules/security-alerts.js';
import { startTracker } from './modules/tracker.js';
import { Remote } from '../stage/remote.js';
import type { Webhook, Webhooks } from './webhooks.js';

/** The application: one process, two exchanges, nine modules that meet nowhere but there. */
export interface RunningApp {
  readonly modules: ReadonlyMap<string, Module<never>>;
  readonly tracker: Remote;
  receive(webhook: Webhook): Promise<unknown>;
  /** What the modules have handled, and what came of it. */
  books(): Books;
}

/** @param seed decides which calls of the services outside fail */
export function startApp(broker: Broker, { seed, clock }: { seed: number; clock: Clock }): RunningApp {
  const handled = new Map<string, Entry[]>();
  const app: App = {
    broker,
    github: broker.exchange<Webhooks>('github'),
    outcomes: broker.exchange<Outcomes>('outcomes'),
    handled: ({ source, id, key }: Message) => {
      const entries = handled.get(source);
      if (entries === undefined) handled.set(source, [{ id, key }]);
      else entries.push({ id, key });
    },
  };
  const tracker = new Remote('tracker', { seed, failing: 0.45, clock });
  const website = new Remote('web site', { seed, failing: 0.3, clock });
  const modules = new Map<string, Module<never>>([
    ['issue-triage', startIssueTriage(app)],
    ['ci-status', startCiStatus(app)],
    ['releases', startReleaseNotes(app)],
    ['security', startSecurityAlerts(app)],
    ['audit', startAudit(app)],
    ['tracker', startTracker(app, tracker)],
    ['digest', startDigest(app)],
    ['pager', startPager(app)],
    ['publisher', startPublisher(app, website)],
  ]);
  return {
    modules,
    tracker,
    receive: ({ id, routingKey, key, body }) => app.github.publish(routingKey, body, { id, key }),
    books: () => ({ handled, results: new Map([...modules].map(([queue, module]) => [queue, module.result()])) }),
  };
}
