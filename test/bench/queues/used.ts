import { Broker, reference, type MessageOptions, type QueueOptions } from '../../../src/index.js';
import type { BenchQueue, Body, Handler } from './queue.js';

/** Queues that a message goes to at once. */
export const QUEUES = 3;

/** Queue → handler → acknowledgement, in memory, bodies by reference. `given`: the options of the n-th message. */
export function openQueue(
  options?: QueueOptions,
  given?: (n: number) => MessageOptions,
): (handler: Handler) => Promise<BenchQueue> {
  return async (handler) => {
    const broker = await Broker.open({ codec: reference });
    const queue = broker.queue<Body>('orders', options);
    queue.consume((delivery) => handler(delivery.body));
    let n = 0;
    return {
      send: given === undefined ? (body) => queue.send(body) : (body) => queue.send(body, given(n++)),
      hold: () => queue.pause(),
      release: () => queue.resume(),
    };
  };
}

/** Fanout exchange → three such queues. */
export async function openThree(handler: Handler): Promise<BenchQueue> {
  const broker = await Broker.open({ codec: reference });
  const exchange = broker.exchange('events', { type: 'fanout' });
  for (let n = 0; n < QUEUES; n++) {
    const queue = broker.queue<Body>(`orders-${n}`);
    exchange.bind(queue);
    queue.consume((delivery) => handler(delivery.body));
  }
  return {
    send: (body) => exchange.publish('order.created', body),
    hold: () => undefined,
    release: () => undefined,
  };
}
