import { openSync, readSync } from 'node:fs';

/**
 * Time that passed for this thread, ms: wall time without the time that it was ready to run and others had the processor. On a
 * busy machine that is most of the noise. Linux tells it; elsewhere this is wall time.
 */
export function now(): number {
  const wall = performance.now();
  return wall - waited();
}

/** `<on the processor> <waiting for it> <slices>`, ns, of the main thread. */
const SCHEDSTAT = '/proc/self/schedstat';
const file = open();
const buffer = Buffer.alloc(128);

function waited(): number {
  if (file === undefined) return 0;
  const length = readSync(file, buffer, 0, buffer.length, 0);
  return Number(buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
}

function open(): number | undefined {
  try {
    return openSync(SCHEDSTAT, 'r');
  } catch {
    return undefined;
  }
}
