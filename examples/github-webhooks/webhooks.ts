import { createRequire } from 'node:module';
import type { WebhookDefinition } from '@octokit/webhooks-examples';
import type { Matching } from 'sluice';

type EventName = WebhookDefinition['name'];
type Payload<N extends EventName> = WebhookDefinition<N>['examples'][number];
type Keyed<N extends EventName, P> = P extends { readonly action: infer A extends string }
  ? { readonly routingKey: `${N}.${A}`; readonly body: P }
  : { readonly routingKey: N; readonly body: P };
type AnyKeyed = {
  [N in EventName]: Payload<N> extends infer P ? (P extends unknown ? Keyed<N, P> : never) : never;
}[EventName];

/**
 * Routing key → payload, for every event that GitHub sends: `issues.opened`, `check_run.completed`, and plain `status` for events
 * without an action. The exchange is typed with it: a queue that cannot take what a binding would bring does not compile.
 */
export type Webhooks = { [E in AnyKeyed as E['routingKey']]: E['body'] };

/** The payloads that a binding with this pattern brings: `On<'issues.*'>`. */
export type On<Pattern extends string> = Webhooks[Matching<Webhooks, Pattern>];

export interface Webhook {
  readonly id: string;
  readonly routingKey: keyof Webhooks;
  /** What shares it is handled in order: the repository, where there is one. */
  readonly key: string;
  readonly body: Webhooks[keyof Webhooks];
}

/** The examples that GitHub's users collected, in the order of the collection. */
export function loadWebhooks(): Webhook[] {
  const definitions = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly WebhookDefinition[];
  const named = definitions.flatMap(({ name, examples }) =>
    examples.map((body) => ({ name, body: body as Webhook['body'] })),
  );
  return named.map(({ name, body }, n) => ({
    id: `webhook-${String(n + 1).padStart(3, '0')}`,
    // A word from the wire; what the types do not know of goes to those who take everything.
    routingKey: ('action' in body && body.action ? `${name}.${body.action}` : name) as keyof Webhooks,
    key: repositoryOf(body),
    body,
  }));
}

/** Where it happened: the repository, else the organization, else the account. */
export function repositoryOf(body: object): string {
  const { repository, organization, sender } = body as Origin;
  return repository?.full_name ?? organization?.login ?? sender?.login ?? 'github';
}

export function actorOf(body: object): string {
  return (body as Origin).sender?.login ?? 'nobody';
}

/** What nearly every payload has. */
interface Origin {
  readonly repository?: { readonly full_name: string };
  readonly organization?: { readonly login: string };
  readonly sender?: { readonly login: string };
}
