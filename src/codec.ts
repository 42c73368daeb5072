import { types } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { SluiceError } from './errors.js';

/** What a codec makes of a body: text or bytes. Anything else only from `reference`, and only in memory. */
export type Encoded = unknown;

/** How bodies become what a storage keeps, and back. `name` is stored with each message. */
export interface Codec {
  readonly name: string;
  /** @throws SluiceError ERR_NOT_SERIALIZABLE */
  encode(body: unknown): Encoded;
  decode(data: Encoded): unknown;
}

/**
 * Default. The rules of JSON.stringify, inside as well: a Date becomes a string, an undefined property goes, NaN is null.
 * What has no JSON at all is refused (ERR_NOT_SERIALIZABLE: undefined, a function or a symbol as the body, bigint, a cycle).
 * A body that is a Uint8Array passes as it is, and arrives as Uint8Array.
 */
export const json: Codec = {
  name: 'json',
  encode(body) {
    if (types.isUint8Array(body)) return new Uint8Array(body);
    let text: string | undefined;
    try {
      text = JSON.stringify(body);
    } catch (cause) {
      throw notSerializable(`JSON cannot hold this body: ${(cause as Error).message}`, cause);
    }
    if (text === undefined) throw notSerializable(`JSON cannot hold a body of type ${typeof body}`);
    return text;
  },
  decode(data) {
    return typeof data === 'string' ? JSON.parse(data) : new Uint8Array(data as Uint8Array);
  },
};

/** Structured clone: Date, Map, Set, BigInt, typed arrays, cycles survive. */
export const structured: Codec = {
  name: 'structured',
  encode(body) {
    try {
      return serialize(body);
    } catch (cause) {
      throw notSerializable(`structured clone cannot hold this body: ${(cause as Error).message}`, cause);
    }
  },
  decode(data) {
    return deserialize(data as Uint8Array);
  },
};

/** Memory storage only: bodies pass by reference, nothing is copied. The fastest, and no isolation. */
export const reference: Codec = {
  name: 'reference',
  encode: (body) => body,
  decode: (data) => data,
};

/** The codecs that stored bodies may name. */
export class Codecs {
  /** Of bodies that name none. */
  readonly unnamed: Codec;
  private readonly named: ReadonlyMap<string, Codec>;

  constructor(own: Codec, unnamed: Codec) {
    this.unnamed = unnamed;
    this.named = new Map([json, structured, reference, own].map((codec) => [codec.name, codec]));
  }

  /** @throws Error where the codec is not here, and whatever a codec throws that does not understand the body */
  decode(name: string | undefined, body: Encoded): unknown {
    if (name === undefined) return this.unnamed.decode(body);
    const codec = this.named.get(name);
    if (codec === undefined)
      throw new Error(`the body was written by a codec that is not here: ${JSON.stringify(name)}`);
    return codec.decode(body);
  }
}

/** Bytes of an encoded body; 0 for what passes by reference. */
export function encodedBytes(data: Encoded): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  return types.isUint8Array(data) ? data.byteLength : 0;
}

function notSerializable(message: string, cause?: unknown): SluiceError {
  return new SluiceError('ERR_NOT_SERIALIZABLE', message, cause === undefined ? {} : { cause });
}

/** @throws TypeError where there is a limit of bytes, and bodies have none; `instead`: what there is then */
export function checkByteLimit({ name }: Codec, limit: number, what: string, instead: string): void {
  if (limit === Infinity || name !== reference.name) return;
  throw new TypeError(
    `${what} needs bodies that have bytes; with the reference codec use ${instead}; got ${what} ${limit}`,
  );
}
