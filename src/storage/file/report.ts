import type { SluiceError } from '../../errors.js';

/** What a storage has to say without being asked. */
export type Report =
  /** Opening found the end torn, as a crash leaves it, and cut it there. Nothing that was confirmed was in it. */
  | { readonly type: 'torn-tail'; readonly file: string; readonly position: number }
  /** Told once; again only after there was room. */
  | { readonly type: 'nearly-full'; readonly details: Readonly<Record<string, number | string>> }
  /** Nothing is written any more, until it is opened again. */
  | { readonly type: 'failed'; readonly error: SluiceError };
