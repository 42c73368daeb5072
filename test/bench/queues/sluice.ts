import { Broker, json, reference, type Codec, type Delivery, type Queue } from '../../../src/index.js';
import type { BenchQueue, Body, Handler } from './queue.js';

/** Topic exchange → queue → handler → acknowledgement, in memory, bodies by reference. */
export function openSluice(handler: Handler, concurrency: number): Promise<BenchQueue> {
  return open(handler, concurrency, reference);
}

/** The same with the default codec. */
export function openSluiceJson(handler: Handler, concurrency: number): Promise<BenchQueue> {
  return open(handler, concurrency, json);
}

async function open(handler: Handler, concurrency: number, codec: Codec): Promise<BenchQueue> {
  const broker = await Broker.open({ codec });
  const queue: Queue<Body> = broker.queue<Body>('orders');
  const exchange = broker.exchange('events', { type: 'topic' }).bind(queue, 'order.*');
  queue.consume((delivery: Delivery<Body>) => handler(delivery.body), { concurrency });
  return {
    send: (body) => exchange.publish('order.created', body),
    hold: () => queue.pause(),
    release: () => queue.resume(),
  };
}

/** Queue → handler → acknowledgement: no exchange on the way. */
export async function openSluiceQueue(handler: Handler, concurrency: number): Promise<BenchQueue> {
  const broker = await Broker.open({ codec: reference });
  const queue = broker.queue<Body>('orders');
  queue.consume((delivery) => handler(delivery.body), { concurrency });
  return {
    send: (body) => queue.send(body),
    hold: () => queue.pause(),
    release: () => queue.resume(),
  };
}
