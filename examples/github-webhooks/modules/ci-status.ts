import { type App, handOn, type Module, type Outcome } from '../module.js';
import type { On } from '../webhooks.js';

type CiEvent =
  | On<'check_run.*'>
  | On<'check_suite.*'>
  | On<'status'>
  | On<'workflow_run.*'>
  | On<'workflow_job.*'>
  | On<'deployment_status.*'>;

export interface BranchStatus {
  readonly repository: string;
  readonly branch: string;
  readonly failing: readonly string[];
}

export function startCiStatus(app: App): CiStatus {
  const status = new CiStatus();
  // A branch turns red with one event and green with another: they must not overtake each other.
  const queue = app.broker.queue<CiEvent>('ci-status', { ordering: 'key' });
  app.github
    .bind(queue, 'check_run.*')
    .bind(queue, 'check_suite.*')
    .bind(queue, 'status')
    .bind(queue, 'workflow_run.*')
    .bind(queue, 'workflow_job.*')
    .bind(queue, 'deployment_status.*');
  queue.consume(
    async (message) => {
      await handOn(app, message, status.handle(message.body));
      app.handled(message);
    },
    { concurrency: 8 },
  );
  return status;
}

type State = 'passed' | 'failed' | 'running' | 'neutral';
interface Check {
  readonly name: string;
  readonly branch: string;
  readonly state: State;
}

/** The last state of every check, per repository and branch; tells when a branch turns red, and when it is green again. */
export class CiStatus implements Module<CiEvent> {
  private readonly branches = new Map<string, { repository: string; branch: string; checks: Map<string, State> }>();

  handle(event: CiEvent): readonly Outcome[] {
    const repository = event.repository.full_name;
    return checksIn(event).flatMap((check): Outcome[] => {
      const { branch, checks } = this.branchOf(repository, check.branch);
      const before = failing(checks).length > 0;
      checks.set(check.name, check.state);
      const after = failing(checks);
      if (before === after.length > 0) return [];
      return [{ routingKey: before ? 'ci.green' : 'ci.red', body: { repository, branch, failing: after } }];
    });
  }

  result(): unknown {
    return this.table();
  }

  /** One row per repository and branch. */
  table(): readonly { repository: string; branch: string; color: string; checks: Record<string, State> }[] {
    const rows = [...this.branches.values()].map(({ repository, branch, checks }) => ({
      repository,
      branch,
      color: colorOf(checks),
      checks: Object.fromEntries([...checks].sort(([a], [b]) => (a < b ? -1 : 1))),
    }));
    return rows.sort((a, b) => (`${a.repository} ${a.branch}` < `${b.repository} ${b.branch}` ? -1 : 1));
  }

  summary(): string {
    const rows = this.table();
    const count = (color: string): number => rows.filter((row) => row.color === color).length;
    const red = rows.filter(({ color }) => color === 'red').map(({ repository, branch }) => `${repository} ${branch}`);
    const counts = `${rows.length} branches: ${count('green')} green, ${count('running')} running, ${count('red')} red`;
    return red.length === 0 ? counts : `${counts} (${red.join(', ')})`;
  }

  private branchOf(repository: string, branch: string) {
    const place = `${repository} ${branch}`;
    let found = this.branches.get(place);
    if (found === undefined) this.branches.set(place, (found = { repository, branch, checks: new Map() }));
    return found;
  }
}

function checksIn(event: CiEvent): readonly Check[] {
  // First: it may carry the check run that it deploys.
  if ('deployment_status' in event) {
    const { state, environment } = event.deployment_status;
    return [{ name: `deployment to ${environment}`, branch: event.deployment.ref, state: stateOf(state, state) }];
  }
  if ('check_run' in event) {
    const { name, status, conclusion, check_suite } = event.check_run;
    return [{ name, branch: check_suite.head_branch ?? UNKNOWN, state: stateOf(status, conclusion) }];
  }
  if ('check_suite' in event) {
    const { app, status, conclusion, head_branch } = event.check_suite;
    return [{ name: `suite of ${app.name}`, branch: head_branch ?? UNKNOWN, state: stateOf(status, conclusion) }];
  }
  if ('workflow_run' in event) {
    const { name, path, status, conclusion, head_branch } = event.workflow_run;
    return [{ name: `run of ${name || path}`, branch: head_branch, state: stateOf(status, conclusion) }];
  }
  if ('workflow_job' in event) {
    const { name, status, conclusion, head_branch } = event.workflow_job;
    return [{ name: `job ${name}`, branch: head_branch ?? UNKNOWN, state: stateOf(status, conclusion) }];
  }
  return event.branches.map(({ name }) => ({
    name: event.context,
    branch: name,
    state: stateOf(event.state, event.state),
  }));
}

const UNKNOWN = '(unknown branch)';
const UNFINISHED: readonly string[] = ['queued', 'in_progress', 'requested', 'waiting', 'pending'];
const FAILED: readonly string[] = ['failure', 'error', 'timed_out', 'action_required', 'startup_failure'];

function stateOf(status: string | null, conclusion: string | null): State {
  if (status === null || UNFINISHED.includes(status)) return 'running';
  if (conclusion === 'success') return 'passed';
  return FAILED.includes(conclusion ?? '') ? 'failed' : 'neutral';
}

function failing(checks: ReadonlyMap<string, State>): string[] {
  return [...checks].filter(([, state]) => state === 'failed').map(([name]) => name);
}

function colorOf(checks: ReadonlyMap<string, State>): 'red' | 'running' | 'green' {
  const states = [...checks.values()];
  if (states.includes('failed')) return 'red';
  return states.includes('running') ? 'running' : 'green';
}
