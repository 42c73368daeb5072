import { Head } from './head.js';
import { Held } from './held.js';
import { Identities } from './identities.js';
import { NamedHead } from './named-head.js';

const NOTHING = undefined as never;

/**
 * One of each class of which there are many at times, and none at others. V8 forgets the shape of a class of which a full collection
 * finds no instance, and with it all code that was compiled for it: after each one in a quiet moment everything would be slow again
 * for some thousand messages. An engine keeps these.
 */
export class Shapes {
  private readonly head = new Head(undefined, 0, 0, 0, undefined, undefined, undefined);
  private readonly named: NamedHead;
  private readonly held = new Held(NOTHING, { head: this.head, body: 0 }, 0, 0, NOTHING, 0, false, NOTHING, 0, 0);

  constructor() {
    // A body can be anything: numbers, too, which a field that never saw one has to be widened for.
    this.held.body = 0;
    this.held.body = this.head;
    const identities = new Identities();
    identities.next(0);
    this.named = new NamedHead(identities.text(), identities, 0, undefined, undefined, undefined);
  }
}
