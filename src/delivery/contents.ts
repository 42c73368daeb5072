import type { Codecs, Encoded } from '../codec.js';
import type { Message } from '../message.js';
import type { LogEntry } from './cursor/buffer.js';
import type { Head } from './head.js';
import { StoredMessage, type Place } from './stored-message.js';

/** Makes bodies of what is stored: the codec's work, then the schema's. */
export class Contents {
  /** The schema: throws where it does not take a body. */
  parse: ((body: unknown) => unknown) | undefined;
  readonly codecs: Codecs;

  constructor(codecs: Codecs) {
    this.codecs = codecs;
  }

  /** What a delivery carries, made anew each time. Throws where the stored body is of no use. */
  of({ rare }: Head, stored: Encoded): unknown {
    const { codecs } = this;
    const body = rare === undefined ? codecs.unnamed.decode(stored) : codecs.decode(rare.codec, stored);
    return this.parse === undefined ? body : this.parse(body);
  }
}

/** The `accepted` event: the message is made when somebody looks. */
export class Accepted {
  readonly source: string;
  readonly id: string;
  readonly #place: Place & { readonly contents: Contents };
  readonly #entry: LogEntry;

  constructor(place: Place & { readonly contents: Contents }, entry: LogEntry) {
    this.source = place.name;
    this.id = place.idOf(entry.head);
    this.#place = place;
    this.#entry = entry;
  }

  get message(): Message {
    const { head, body } = this.#entry;
    const decoded = this.#place.contents.codecs.decode(head.rare?.codec, body);
    return new StoredMessage(this.#place, this.#entry, decoded, 0, 0);
  }
}
