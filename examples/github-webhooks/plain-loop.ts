import type { Books, Entry } from './books.js';
import { type Module, outcomeId } from './module.js';
import { Audit } from './modules/audit.js';
import { CiStatus } from './modules/ci-status.js';
import { Digest } from './modules/digest.js';
import { IssueTriage } from './modules/issue-triage.js';
import { Pager } from './modules/pager.js';
import { Publisher } from './modules/publisher.js';
import { ReleaseNotesWriter } from './modules/release-notes.js';
import { SecurityBoard } from './modules/security-alerts.js';
import { Tracker } from './modules/tracker.js';
import type { Webhook } from './webhooks.js';

interface Route {
  readonly queue: string;
  readonly exchange: 'github' | 'outcomes';
  readonly patterns: readonly string[];
  /** Messages of one key are handled in order. */
  readonly inOrder: boolean;
  readonly module: () => Module<never>;
}

/** Who hears what, written down a second time on purpose: a binding that gets lost in the first set of books is found with the second. */
const routes: readonly Route[] = [
  {
    queue: 'issue-triage',
    exchange: 'github',
    patterns: ['issues.*', 'issue_comment.*', 'pull_request.opened', 'pull_request.ready_for_review'],
    inOrder: false,
    module: () => new IssueTriage(),
  },
  {
    queue: 'ci-status',
    exchange: 'github',
    patterns: ['check_run.*', 'check_suite.*', 'status', 'workflow_run.*', 'workflow_job.*', 'deployment_status.*'],
    inOrder: true,
    module: () => new CiStatus(),
  },
  {
    queue: 'releases',
    exchange: 'github',
    patterns: ['release.*', 'pull_request.closed', 'milestone.closed', 'package.published'],
    inOrder: true,
    module: () => new ReleaseNotesWriter(),
  },
  {
    queue: 'security',
    exchange: 'github',
    patterns: [
      'code_scanning_alert.*',
      'dependabot_alert.*',
      'repository_vulnerability_alert.*',
      'security_advisory.*',
      'branch_protection_rule.*',
      'deploy_key.*',
      'member.added',
      'public',
      'repository.publicized',
      'repository.privatized',
    ],
    inOrder: true,
    module: () => new SecurityBoard(),
  },
  { queue: 'audit', exchange: 'github', patterns: ['#'], inOrder: false, module: () => new Audit() },
  { queue: 'tracker', exchange: 'outcomes', patterns: ['triage.*'], inOrder: false, module: () => new Tracker() },
  {
    queue: 'digest',
    exchange: 'outcomes',
    patterns: ['triage.*', 'ci.*', 'security.*', 'release.*'],
    inOrder: false,
    module: () => new Digest(),
  },
  {
    queue: 'pager',
    exchange: 'outcomes',
    patterns: ['security.critical', 'security.high', 'security.resolved'],
    inOrder: true,
    module: () => new Pager(),
  },
  { queue: 'publisher', exchange: 'outcomes', patterns: ['release.*'], inOrder: true, module: () => new Publisher() },
];

/** The queues whose order is checked. */
export const inOrder: ReadonlySet<string> = new Set(routes.filter((route) => route.inOrder).map(({ queue }) => queue));

/** The whole application without a message queue: one webhook after another through the same modules, each called on the spot. */
export function plainLoop(webhooks: readonly Webhook[]): Books {
  const stations = routes.map((route) => ({
    ...route,
    matches: route.patterns.map(matcher),
    handled: [] as Entry[],
    module: route.module() as Module<unknown>,
  }));
  const deliver = (exchange: Route['exchange'], { id, key, routingKey, body }: Letter): void => {
    for (const station of stations) {
      if (station.exchange !== exchange || !station.matches.some((matches) => matches(routingKey))) continue;
      station.handled.push({ id, key });
      const outcomes = station.module.handle(body, routingKey);
      for (const [n, outcome] of outcomes.entries()) deliver('outcomes', { ...outcome, id: outcomeId(id, n), key });
    }
  };
  for (const webhook of webhooks) deliver('github', webhook);
  return {
    handled: new Map(stations.map(({ queue, handled }) => [queue, handled])),
    results: new Map(stations.map(({ queue, module }) => [queue, module.result()])),
  };
}

interface Letter extends Entry {
  readonly routingKey: string;
  readonly body: unknown;
}

/** A topic pattern as a regular expression over words that each begin with a dot: `*` is one word, `#` any number of them. */
export function matcher(pattern: string): (routingKey: string) => boolean {
  const words = wordsOf(pattern).map((word) => {
    if (word === '#') return '(\\.[^.]*)*';
    return word === '*' ? '\\.[^.]*' : `\\.${word.replace(/\W/g, '\\$&')}`;
  });
  const whole = new RegExp(`^${words.join('')}$`);
  return (routingKey) =>
    whole.test(
      wordsOf(routingKey)
        .map((word) => `.${word}`)
        .join(''),
    );
}

function wordsOf(text: string): string[] {
  return text === '' ? [] : text.split('.');
}
