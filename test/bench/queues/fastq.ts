import fastq from 'fastq';
import type { BenchQueue, Body, Handler } from './queue.js';

/**
 * fastq's callback flavour, its fastest. Sends have no promise here: nothing to await is less work than the others do. The
 * handler is the same asynchronous function.
 */
export function openFastq(handler: Handler, concurrency: number): BenchQueue {
  const queue = fastq<unknown, Body>((body, done) => {
    handler(body).then(() => done(null), done);
  }, concurrency);
  return {
    send(body) {
      queue.push(body);
      return undefined;
    },
    hold: () => void queue.pause(),
    release: () => void queue.resume(),
  };
}

/** As openFastq(), and whoever sends gets a promise made around the callback: what row 2 has to await. */
export function openFastqAwaited(handler: Handler, concurrency: number): BenchQueue {
  const queue = fastq<unknown, Body>((body, done) => {
    handler(body).then(() => done(null), done);
  }, concurrency);
  return {
    send: (body) => new Promise<void>((resolve) => queue.push(body, () => resolve())),
    hold: () => void queue.pause(),
    release: () => void queue.resume(),
  };
}

/** fastq.promise: the promise of a push is that of its completion. */
export function openFastqPromise(handler: Handler, concurrency: number): BenchQueue {
  const queue = fastq.promise<unknown, Body, void>(handler, concurrency);
  return {
    send: (body) => queue.push(body),
    hold: () => void queue.pause(),
    release: () => void queue.resume(),
  };
}
