import { Head, type Rare } from './head.js';
import { LAST_BYTES, type Identities } from './identities.js';

/** What a key and a routing key follow in JSON, and what ends a head. */
const KEY = Buffer.from(',"k":"', 'latin1');
const ROUTING_KEY = Buffer.from(',"r":"', 'latin1');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACE = 0x7d;
/** Longer texts are left to who writes them: a call out of JavaScript takes as long as so many characters do. */
const SPELLED = 64;

/** A head whose id is the text of its identity, which has its time in it: that is not stored beside it. */
export class NamedHead extends Head {
  readonly spelled: number;
  /** Its JSON up to the last two digits of its id: shared by all that begin so. */
  private readonly stem: Uint8Array;

  constructor(
    id: string,
    { seconds, tick, stem }: Identities,
    size: number,
    key: string | undefined,
    routingKey: string | undefined,
    extra: Rare | undefined,
  ) {
    super(id, seconds, tick, size, key, routingKey, extra);
    this.stem = stem;
    const isSpelled = extra === undefined && isVerbatim(key) && isVerbatim(routingKey);
    this.spelled = isSpelled ? stem.length + 4 + lengthOf(KEY, key) + lengthOf(ROUTING_KEY, routingKey) : 0;
  }

  protected override get isNamed(): boolean {
    return true;
  }

  spell(target: Uint8Array, at: number): void {
    const { stem, key, routingKey } = this;
    const digits = (this.tick & 1023) * 2;
    target.set(stem, at);
    let end = at + stem.length;
    target[end++] = LAST_BYTES[digits]!;
    target[end++] = LAST_BYTES[digits + 1]!;
    target[end++] = QUOTE;
    if (key !== undefined) end = spellAll(KEY, key, target, end);
    if (routingKey !== undefined) end = spellAll(ROUTING_KEY, routingKey, target, end);
    target[end] = BRACE;
  }
}

/** It stands in JSON as it is, one byte a character. */
function isVerbatim(text: string | undefined): boolean {
  if (text === undefined) return true;
  if (text.length > SPELLED) return false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return false;
  }
  return true;
}

function lengthOf(name: Uint8Array, text: string | undefined): number {
  return text === undefined ? 0 : name.length + text.length + 1;
}

/** Where it ends. */
function spellAll(name: Uint8Array, text: string, target: Uint8Array, at: number): number {
  let end = at;
  for (let n = 0; n < name.length; n++) target[end++] = name[n]!;
  for (let n = 0; n < text.length; n++) target[end++] = text.charCodeAt(n);
  target[end++] = QUOTE;
  return end;
}
