import type { App, Module, Outcome, Outcomes } from '../module.js';

type Item = Outcomes[keyof Outcomes];

/** What people read with their coffee. */
export function startDigest(app: App): Digest {
  const digest = new Digest();
  const queue = app.broker.queue<Item>('digest');
  app.outcomes.bind(queue, 'triage.*').bind(queue, 'ci.*').bind(queue, 'security.*').bind(queue, 'release.*');
  queue.consume((message) => {
    digest.handle(message.body, message.routingKey ?? '');
    app.handled(message);
  });
  return digest;
}

/** Per repository, how often what happened. */
export class Digest implements Module<Item> {
  private readonly repositories = new Map<string, Map<string, number>>();

  handle({ repository }: Item, routingKey: string): readonly Outcome[] {
    let counts = this.repositories.get(repository);
    if (counts === undefined) this.repositories.set(repository, (counts = new Map()));
    counts.set(routingKey, (counts.get(routingKey) ?? 0) + 1);
    return [];
  }

  result(): unknown {
    return Object.fromEntries([...this.repositories].map(([name, counts]) => [name, Object.fromEntries(counts)]));
  }

  summary(): string {
    const items = [...this.repositories.values()].flatMap((counts) => [...counts.values()]);
    const total = items.reduce((sum, times) => sum + times, 0);
    return `${total} items about ${this.repositories.size} places`;
  }
}
