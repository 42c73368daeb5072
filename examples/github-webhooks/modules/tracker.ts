import { exponential } from 'sluice';
import type { App, Module, Outcome } from '../module.js';
import type { Remote } from '../../stage/remote.js';
import type { Suggestion } from './issue-triage.js';

/** Takes suggestions to the issue tracker, which is not always there. Its order does not matter, so what fails may wait aside. */
export function startTracker(app: App, remote: Remote): Tracker {
  const tracker = new Tracker();
  const queue = app.broker.queue<Suggestion>('tracker', {
    retry: { attempts: 3, backoff: exponential({ base: '40ms', jitter: 'equal' }) },
  });
  app.outcomes.bind(queue, 'triage.*');
  queue.consume(
    async (message) => {
      await remote.call(message.id, message.attempt);
      tracker.handle(message.body);
      app.handled(message);
    },
    { concurrency: 4 },
  );
  return tracker;
}

/** What the tracker knows in the end: labels and assignees per issue. */
export class Tracker implements Module<Suggestion> {
  private readonly issues = new Map<string, { labels: Set<string>; assignees: Set<string> }>();

  handle({ repository, number, labels, assignees }: Suggestion): readonly Outcome[] {
    const place = `${repository}#${number}`;
    let issue = this.issues.get(place);
    if (issue === undefined) this.issues.set(place, (issue = { labels: new Set(), assignees: new Set() }));
    for (const label of labels) issue.labels.add(label);
    for (const assignee of assignees) issue.assignees.add(assignee);
    return [];
  }

  result(): unknown {
    return Object.fromEntries(
      [...this.issues].map(([place, { labels, assignees }]) => [
        place,
        { labels: [...labels].sort(), assignees: [...assignees].sort() },
      ]),
    );
  }

  summary(): string {
    const labels = [...this.issues.values()].reduce((sum, issue) => sum + issue.labels.size, 0);
    return `${this.issues.size} issues with ${labels} labels: ${[...this.issues.keys()].sort().join(', ')}`;
  }
}
