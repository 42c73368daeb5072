import type { Burial } from './delivery/burial.js';
import type { Envelopes } from './delivery/intake/envelope.js';
import type { Head } from './delivery/head.js';
import type { Inbox } from './delivery/intake/inbox.js';
import type { Intake } from './delivery/intake/intake.js';
import type { Journal } from './delivery/journal.js';
import type { Post } from './delivery/intake/post.js';
import type { Engine } from './delivery/engine.js';
import type { Handle } from './destination.js';
import type { Awaitable } from './storage/storage.js';
import type { HeadersMatch } from './routing/headers-match.js';
import type { Death, Headers, RetryPolicy } from './message.js';

/** What a binding goes by: a pattern, a match, or nothing. */
export type BindingArgument = string | HeadersMatch | undefined;

/** What queues, exchanges and topics ask of the broker that made them. */
export interface Host {
  readonly engine: Engine;
  readonly intake: Intake;
  readonly post: Post;
  readonly envelopes: Envelopes;
  readonly burial: Burial;
  readonly retry: RetryPolicy | undefined;
  /** For what survives as the storage does, and for what is never written to it. */
  journal(durable: boolean): Journal;
  /** What has this name now. */
  find(name: string): Handle | undefined;
  /** The queue of this name, made if nothing has it. undefined where something else has. */
  queueNamed(name: string): (Handle & { readonly inbox: Inbox }) | undefined;
  /** @throws TypeError for a handle of another broker; SluiceError ERR_UNKNOWN_DESTINATION for one that was deleted */
  own(handle: Handle): void;
  /** @throws SluiceError ERR_UNKNOWN_DESTINATION where nothing has this name; TypeError */
  nameOf(destination: string | Handle): string;
  /** The queues and topics that a message with this head goes to when it is sent to `name`; none where nothing has the name. */
  route(name: string, head: Head): readonly Inbox[];
  /** How what died in a group is delivered once more, to that group alone: done when that is stored. undefined: group or message are not there any more. */
  revival(death: Death, head: Head): Promise<(() => Awaitable<void>) | undefined>;
  delete(name: string): Promise<void>;
  /** It is there, with these options now. */
  declared(queue: { readonly name: string }): void;
}

/** …and exchanges in particular. `Exchange` is the class that asks. */
export interface RoutingHost<Exchange> extends Host {
  readonly ways: {
    from(exchange: Exchange, routingKey: string, headers: Headers | undefined): readonly Inbox[];
    only(inboxes: readonly Inbox[]): Inbox | undefined;
    unroutable(exchange: Exchange, routingKey: string, headers: Headers, id: string): void;
    closesCycle(from: Exchange, to: Exchange): boolean;
  };
  /** A binding was made. */
  bound(exchange: Exchange, to: Inbox | Exchange, by: BindingArgument): void;
  unbound(exchange: Exchange, to: Inbox | Exchange, by: BindingArgument): void;
  /** Its options have changed. */
  redeclared(exchange: Exchange): void;
  /** What bindings keep of a handle. */
  target(handle: Handle): Inbox | Exchange;
}

/** …and topics. `Topic` is the class that asks. */
export interface TopicHost<Topic> extends Host {
  topicDeclared(topic: Topic): void;
  groupDeclared(topic: Topic, name: string): void;
  groupDeleted(topic: Topic, name: string): void;
}
