import type { App, Module, Outcome } from '../module.js';
import { actorOf, repositoryOf, type Webhook } from '../webhooks.js';

type AnyEvent = Webhook['body'];

export function startAudit(app: App): Audit {
  const audit = new Audit();
  const queue = app.broker.queue<AnyEvent>('audit');
  app.github.bind(queue, '#');
  // Writing a ledger page by page is cheaper than line by line.
  queue.consumeBatch(
    (page) => {
      for (const message of page) {
        audit.handle(message.body, message.routingKey ?? '');
        app.handled(message);
      }
    },
    { size: 25, wait: '20ms' },
  );
  return audit;
}

/** Who did what and where: counts per actor, repository and event. */
export class Audit implements Module<AnyEvent> {
  private readonly actors = new Map<string, number>();
  private readonly places = new Map<string, number>();
  private readonly events = new Map<string, number>();

  handle(body: AnyEvent, routingKey: string): readonly Outcome[] {
    count(this.actors, actorOf(body));
    count(this.places, repositoryOf(body));
    count(this.events, routingKey);
    return [];
  }

  result(): unknown {
    return {
      actors: Object.fromEntries(this.actors),
      places: Object.fromEntries(this.places),
      events: Object.fromEntries(this.events),
    };
  }

  summary(): string {
    const [[actor, times] = ['nobody', 0]] = [...this.actors].sort(([, a], [, b]) => b - a);
    const { actors, places, events } = this;
    return `${events.size} kinds of events by ${actors.size} actors in ${places.size} places; busiest: ${actor} (${times})`;
  }
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
