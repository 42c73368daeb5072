import PQueue from 'p-queue';
import type { BenchQueue, Handler } from './queue.js';

/** p-queue queues functions: one closure per message. The promise of add() is that of its completion. */
export function openPQueue(handler: Handler, concurrency: number): BenchQueue {
  const queue = new PQueue({ concurrency });
  return {
    send: (body) => queue.add(() => handler(body)),
    hold: () => queue.pause(),
    release: () => void queue.start(),
  };
}
