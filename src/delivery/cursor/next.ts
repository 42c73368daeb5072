/** What looking for the next message says: nothing is ready; it is being read; it is there. */
export const EMPTY = 0;
export const LOADING = 1;
export const READY = 2;
export type Next = typeof EMPTY | typeof LOADING | typeof READY;
