/** By character code. A name that is read from it is no new string. */
const NAMES = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));

const QUOTE = 0x22;
const COLON = 0x3a;

/**
 * JSON.parse() of what JSON.stringify() made of an object, in a third of the time for what most heads are: a few members, named by
 * one letter each, whose values are strings without escapes.
 *
 *     {"i":"0mjuohs00ceuiz600001","k":"key-17"}
 *      ▲ at ▲ value             ▲ close
 */
export function parseFlat(text: string): object {
  if (text.includes('\\')) return JSON.parse(text) as object;
  const members: Record<string, string> = {};
  const end = text.length - 1;
  let at = 1;
  while (at < end) {
    const name = NAMES[text.charCodeAt(at + 1)];
    const isFlat =
      name !== undefined &&
      text.charCodeAt(at) === QUOTE &&
      text.charCodeAt(at + 2) === QUOTE &&
      text.charCodeAt(at + 3) === COLON &&
      text.charCodeAt(at + 4) === QUOTE;
    if (!isFlat) return JSON.parse(text) as object;
    const close = text.indexOf('"', at + 5);
    members[name] = text.slice(at + 5, close);
    at = close + 2;
  }
  return members;
}
