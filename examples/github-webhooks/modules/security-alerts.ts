import { type App, handOn, type Module, type Outcome } from '../module.js';
import { type On, repositoryOf } from '../webhooks.js';

type Alert = On<'code_scanning_alert.*'> | On<'dependabot_alert.*'> | On<'repository_vulnerability_alert.*'>;
type Exposure = On<'public'> | On<'repository.publicized'> | On<'repository.privatized'>;
type Access = On<'branch_protection_rule.*'> | On<'deploy_key.*'> | On<'member.added'>;
type SecurityEvent = Alert | Exposure | Access | On<'security_advisory.*'>;

const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  readonly repository: string;
  /** Unique within the repository. */
  readonly name: string;
  readonly severity: Severity;
  readonly open: boolean;
  readonly title: string;
}

export function startSecurityAlerts(app: App): SecurityBoard {
  const board = new SecurityBoard();
  // What is fixed must not be open again because two messages changed places.
  const queue = app.broker.queue<SecurityEvent>('security', { ordering: 'key' });
  app.github
    .bind(queue, 'code_scanning_alert.*')
    .bind(queue, 'dependabot_alert.*')
    .bind(queue, 'repository_vulnerability_alert.*')
    .bind(queue, 'security_advisory.*')
    .bind(queue, 'branch_protection_rule.*')
    .bind(queue, 'deploy_key.*')
    .bind(queue, 'member.added')
    .bind(queue, 'public')
    .bind(queue, 'repository.publicized')
    .bind(queue, 'repository.privatized');
  queue.consume(
    async (message) => {
      await handOn(app, message, board.handle(message.body));
      app.handled(message);
    },
    { concurrency: 8 },
  );
  return board;
}

/** What is open and what was resolved, the worst first; tells when either changes. */
export class SecurityBoard implements Module<SecurityEvent> {
  private readonly findings = new Map<string, Finding>();

  handle(event: SecurityEvent): readonly Outcome[] {
    const finding = assess(event);
    const place = `${finding.repository} ${finding.name}`;
    const wasOpen = this.findings.get(place)?.open ?? false;
    this.findings.set(place, finding);
    if (finding.open === wasOpen) return [];
    return [{ routingKey: finding.open ? `security.${finding.severity}` : 'security.resolved', body: finding }];
  }

  result(): unknown {
    return this.board();
  }

  /** Open ones first, then by severity. */
  board(): readonly Finding[] {
    const rank = ({ open, severity, repository, name }: Finding): string =>
      `${open ? 0 : 1} ${SEVERITIES.indexOf(severity)} ${repository} ${name}`;
    return [...this.findings.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  summary(): string {
    const open = this.board().filter((finding) => finding.open);
    const counts = SEVERITIES.map(
      (severity) => `${open.filter((one) => one.severity === severity).length} ${severity}`,
    );
    return `${open.length} open (${counts.join(', ')}); worst: ${open[0]?.title ?? 'none'}`;
  }
}

function assess(event: SecurityEvent): Finding {
  const repository = repositoryOf(event);
  if ('alert' in event) return { repository, ...fromAlert(event) };
  if ('security_advisory' in event) {
    const { ghsa_id, severity, summary, withdrawn_at } = event.security_advisory;
    return { repository, name: ghsa_id, severity: severityOf(severity), open: withdrawn_at === null, title: summary };
  }
  if ('rule' in event) {
    const { name } = event.rule;
    const title = `branch protection ${name}: ${event.action}`;
    return { repository, name: `protection ${name}`, severity: 'medium', open: event.action === 'deleted', title };
  }
  if ('key' in event) {
    const { id, title, read_only } = event.key;
    const severity = read_only ? 'low' : 'high';
    return { repository, name: `key ${id}`, severity, open: event.action === 'created', title: `deploy key ${title}` };
  }
  if ('member' in event) {
    const { login } = event.member;
    return {
      repository,
      name: `member ${login}`,
      severity: 'low',
      open: true,
      title: `${login} may write to ${repository}`,
    };
  }
  const open = !event.repository.private;
  return {
    repository,
    name: 'visibility',
    severity: 'high',
    open,
    title: `${repository} is ${open ? 'public' : 'private'}`,
  };
}

function fromAlert(event: Alert): Omit<Finding, 'repository'> {
  if ('affected_package_name' in event.alert) {
    const { alert, action } = event as On<'repository_vulnerability_alert.*'>;
    const title = `${alert.affected_package_name} ${alert.affected_range}: ${alert.external_identifier}`;
    return { name: alert.ghsa_id, severity: severityOf(alert.severity), open: action === 'create', title };
  }
  if ('security_advisory' in event.alert) {
    const { number, state, security_advisory: advisory } = event.alert;
    return {
      name: `dependabot ${number}`,
      severity: severityOf(advisory.severity),
      open: state === 'open',
      title: advisory.summary,
    };
  }
  const { number, rule, state } = event.alert;
  const { description, id } = rule;
  return {
    name: `code ${number} ${id}`,
    severity: severityOf(rule.severity),
    open: state === 'open',
    title: description,
  };
}

/** Every product has words of its own. */
function severityOf(word: string | null | undefined): Severity {
  switch (word) {
    case 'critical':
    case 'high':
    case 'medium':
    case 'low':
      return word;
    case 'error':
      return 'high';
    case 'moderate':
    case 'warning':
      return 'medium';
    default:
      return 'low';
  }
}
