import { type App, handOn, type Module, type Outcome } from '../module.js';
import type { On } from '../webhooks.js';

type Subject = On<'issues.*'> | On<'issue_comment.*'> | On<'pull_request.opened'> | On<'pull_request.ready_for_review'>;

/** What an issue or a pull request seems to lack. */
export interface Suggestion {
  readonly repository: string;
  readonly number: number;
  readonly title: string;
  readonly labels: readonly string[];
  readonly assignees: readonly string[];
}

export function startIssueTriage(app: App): IssueTriage {
  const triage = new IssueTriage();
  const queue = app.broker.queue<Subject>('issue-triage');
  app.github
    .bind(queue, 'issues.*')
    .bind(queue, 'issue_comment.*')
    .bind(queue, 'pull_request.opened')
    .bind(queue, 'pull_request.ready_for_review');
  queue.consume(
    async (message) => {
      await handOn(app, message, triage.handle(message.body));
      app.handled(message);
    },
    { concurrency: 4 },
  );
  return triage;
}

const RULES: readonly (readonly [RegExp, label: string])[] = [
  [/\b(readme|docs?|documentation|spell(ing|ed))\b/i, 'documentation'],
  [/\b(error|crash|fails?|broken|regression)\b/i, 'bug'],
  [/\b(typo|spelling|simple)\b/i, 'good first issue'],
  [/\b(feature|support for|would be nice)\b/i, 'enhancement'],
  [/\b(package\.json|dependenc(y|ies)|bump)\b/i, 'dependencies'],
  [/\?\s*$/, 'question'],
];
const PROMISE = /\bI'll\b.*\b(fix|look|take|do)/i;
const INSIDERS: readonly string[] = ['OWNER', 'MEMBER', 'COLLABORATOR'];
const ROTA = ['hubot', 'octocat', 'monalisa'] as const;

/** Suggests labels by words, and assignees by who wrote, who promised, and whose turn it is. */
export class IssueTriage implements Module<Subject> {
  private looked = 0;
  private readonly suggested = new Map<string, number>();

  handle(event: Subject): readonly Outcome[] {
    this.looked++;
    const body = suggest(event);
    if (body === undefined) return [];
    for (const label of body.labels) this.suggested.set(label, (this.suggested.get(label) ?? 0) + 1);
    return [{ routingKey: 'triage.suggested', body }];
  }

  result(): unknown {
    return { looked: this.looked, suggested: Object.fromEntries(this.suggested) };
  }

  summary(): string {
    const labels = [...this.suggested].sort(([, a], [, b]) => b - a).map(([label, times]) => `${label} ×${times}`);
    return `looked at ${this.looked}, suggests ${labels.join(', ')}`;
  }
}

function suggest(event: Subject): Suggestion | undefined {
  if (event.action === 'deleted' || event.action === 'transferred') return undefined;
  const subject = 'pull_request' in event ? event.pull_request : event.issue;
  const comment = 'comment' in event ? event.comment : undefined;
  if (subject.state === 'closed') return undefined;

  const text = `${subject.title}\n${comment?.body ?? subject.body ?? ''}`;
  const has = new Set(subject.labels?.map(({ name }) => name));
  const labels = RULES.filter(([words, label]) => words.test(text) && !has.has(label)).map(([, label]) => label);
  const promised = comment !== undefined && PROMISE.test(comment.body);
  if (promised && !has.has('in progress')) labels.push('in progress');

  const { number, title } = subject;
  const assignees = subject.assignees.length > 0 ? [] : [promised ? comment.user.login : nextFor(subject)];
  if (labels.length === 0 && assignees.length === 0) return undefined;
  return { repository: event.repository.full_name, number, title, labels, assignees };
}

/** Insiders look after what they open; the rest is shared out. */
function nextFor(subject: { number: number; author_association: string; user: { login: string } }): string {
  if (INSIDERS.includes(subject.author_association)) return subject.user.login;
  return ROTA[subject.number % ROTA.length]!;
}
