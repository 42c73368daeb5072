import { fixed } from 'sluice';
import type { App, Module, Outcome } from '../module.js';
import type { Remote } from '../../stage/remote.js';
import type { ReleaseNotes } from './release-notes.js';

/**
 * Puts release notes on the web site, which is not always there. Here the order matters, so it never gives up on one: what comes after it, of
 * the same repository, waits through all its retries.
 */
export function startPublisher(app: App, remote: Remote): Publisher {
  const publisher = new Publisher();
  const queue = app.broker.queue<ReleaseNotes>('publisher', {
    ordering: 'key',
    retry: { attempts: Infinity, backoff: fixed('20ms') },
  });
  app.outcomes.bind(queue, 'release.*');
  queue.consume(
    async (message) => {
      await remote.call(message.id, message.attempt);
      publisher.handle(message.body, message.routingKey ?? '');
      app.handled(message);
    },
    { concurrency: 4 },
  );
  return publisher;
}

/** The web site: one page per release. */
export class Publisher implements Module<ReleaseNotes> {
  private readonly pages = new Map<string, string>();
  private uploads = 0;

  handle({ repository, tag, markdown }: ReleaseNotes, routingKey: string): readonly Outcome[] {
    this.uploads++;
    const page = `${repository}/${tag}.md`;
    if (routingKey === 'release.withdrawn') this.pages.delete(page);
    else this.pages.set(page, markdown);
    return [];
  }

  result(): unknown {
    return { uploads: this.uploads, pages: Object.fromEntries(this.pages) };
  }

  summary(): string {
    return `${this.uploads} uploads; the site has ${[...this.pages.keys()].join(', ') || 'no page'}`;
  }
}
