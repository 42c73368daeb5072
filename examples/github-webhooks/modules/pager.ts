import type { App, Module, Outcome } from '../module.js';
import type { Finding } from './security-alerts.js';

/** Wakes somebody for what cannot wait, and lets them sleep again. */
export function startPager(app: App): Pager {
  const pager = new Pager();
  const queue = app.broker.queue<Finding>('pager', { ordering: 'key' });
  app.outcomes.bind(queue, 'security.critical').bind(queue, 'security.high').bind(queue, 'security.resolved');
  queue.consume((message) => {
    pager.handle(message.body);
    app.handled(message);
  });
  return pager;
}

/** Incidents: how often somebody was woken, and whether it is over. */
export class Pager implements Module<Finding> {
  private readonly incidents = new Map<string, { title: string; woken: number; over: boolean }>();

  handle({ repository, name, open, title }: Finding): readonly Outcome[] {
    const place = `${repository} ${name}`;
    const incident = this.incidents.get(place);
    if (open) this.incidents.set(place, { title, woken: (incident?.woken ?? 0) + 1, over: false });
    else if (incident !== undefined) incident.over = true;
    return [];
  }

  result(): unknown {
    return Object.fromEntries(this.incidents);
  }

  summary(): string {
    const incidents = [...this.incidents.values()];
    const woken = incidents.reduce((sum, incident) => sum + incident.woken, 0);
    const left = incidents.filter(({ over }) => !over).map(({ title }) => title);
    return `woke somebody ${woken} times; not over: ${left.join(', ') || 'nothing'}`;
  }
}
