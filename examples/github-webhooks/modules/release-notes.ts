import { type App, handOn, type Module, type Outcome } from '../module.js';
import type { On } from '../webhooks.js';

type ReleaseEvent = On<'release.*'> | On<'pull_request.closed'> | On<'milestone.closed'> | On<'package.published'>;
type Release = On<'release.*'>['release'];

export interface ReleaseNotes {
  readonly repository: string;
  readonly tag: string;
  readonly markdown: string;
}

export function startReleaseNotes(app: App): ReleaseNotesWriter {
  const writer = new ReleaseNotesWriter();
  // Published, edited, withdrawn: in this order, or the wrong notes stay.
  const queue = app.broker.queue<ReleaseEvent>('releases', { ordering: 'key' });
  app.github
    .bind(queue, 'release.*')
    .bind(queue, 'pull_request.closed')
    .bind(queue, 'milestone.closed')
    .bind(queue, 'package.published');
  queue.consume(
    async (message) => {
      await handOn(app, message, writer.handle(message.body));
      app.handled(message);
    },
    { concurrency: 8 },
  );
  return writer;
}

/** Collects what is new in a repository, and writes it up when a release comes out. */
export class ReleaseNotesWriter implements Module<ReleaseEvent> {
  /** Per repository, what no release has told yet. */
  private readonly news = new Map<string, ReadonlySet<string>>();
  /** Per release, what it tells. */
  private readonly told = new Map<string, readonly string[]>();
  private readonly notes = new Map<string, ReleaseNotes>();

  handle(event: ReleaseEvent): readonly Outcome[] {
    const repository = event.repository?.full_name ?? 'unknown';
    if ('release' in event) return this.release(event.action, repository, event.release);
    const line = newsIn(event);
    if (line !== undefined) this.news.set(repository, new Set([...(this.news.get(repository) ?? []), line]));
    return [];
  }

  result(): unknown {
    return {
      notes: Object.fromEntries(this.notes),
      untold: Object.fromEntries([...this.news].map(([name, lines]) => [name, [...lines]])),
    };
  }

  summary(): string {
    const releases = [...this.notes.values()].map(({ repository, tag }) => `${repository} ${tag}`);
    const untold = [...this.news.values()].reduce((sum, lines) => sum + lines.size, 0);
    return `notes of ${releases.join(', ') || 'nothing'}; ${untold} news for the next releases`;
  }

  private release(action: string, repository: string, release: Release): readonly Outcome[] {
    const place = `${repository} ${release.tag_name}`;
    if (action === 'deleted') {
      const notes = this.notes.get(place);
      this.notes.delete(place);
      return notes === undefined ? [] : [{ routingKey: 'release.withdrawn', body: notes }];
    }
    // Drafts are nobody's business.
    if (release.published_at === null || action === 'created') return [];
    const told = this.told.get(place) ?? [...(this.news.get(repository) ?? [])];
    if (!this.told.has(place)) this.news.delete(repository);
    this.told.set(place, told);
    const notes = { repository, tag: release.tag_name, markdown: write(repository, release, told) };
    this.notes.set(place, notes);
    return [{ routingKey: 'release.notes', body: notes }];
  }
}

function newsIn(event: Exclude<ReleaseEvent, On<'release.*'>>): string | undefined {
  if ('milestone' in event) {
    const { title, description, closed_issues } = event.milestone;
    return `Milestone ${title}: ${description ?? 'no description'} (${closed_issues} issues closed)`;
  }
  if ('pull_request' in event) {
    const { merged, title, number, user } = event.pull_request;
    return merged ? `${title} (#${number}, @${user.login})` : undefined;
  }
  const { name, package_type, package_version } = event.package;
  return `Package ${name} ${package_version?.version ?? ''} on ${package_type}`;
}

function write(repository: string, release: Release, news: readonly string[]): string {
  const { name, tag_name, prerelease, published_at, author, target_commitish, body, assets } = release;
  const paragraphs = [
    `# ${repository} ${name || tag_name}${prerelease ? ' (pre-release)' : ''}`,
    `${published_at?.slice(0, 10)}, by @${author.login}, from \`${target_commitish}\`.`,
    body?.trim(),
    news.map((line) => `- ${line}`).join('\n'),
    assets.map((asset) => `- [${asset.name}](${asset.browser_download_url})`).join('\n'),
  ];
  return paragraphs.filter(Boolean).join('\n\n') + '\n';
}
