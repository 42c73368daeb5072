import { Broker, type ConsumeMessage } from 'smqp';
import type { BenchQueue, Body, Handler } from './queue.js';

/**
 * The same way through smqp: topic exchange → queue → consumer → acknowledgement. Not durable, since that would only matter
 * for getState(). `prefetch` is its concurrency. publish() is synchronous and returns nothing to await; bodies pass by
 * reference, always. Its handlers are synchronous: the acknowledgement follows the promise.
 */
export function openSmqp(handler: Handler, concurrency: number): BenchQueue {
  const broker = new Broker();
  broker.assertExchange('events', 'topic', { durable: false, autoDelete: false });
  broker.assertQueue('orders', { durable: false, autoDelete: false });
  broker.bindQueue('orders', 'events', 'order.*');
  return open(broker, (body) => void broker.publish('events', 'order.created', body), handler, concurrency);
}

/** Queue → consumer → acknowledgement: no exchange on the way. */
export function openSmqpQueue(handler: Handler, concurrency: number): BenchQueue {
  const broker = new Broker();
  broker.assertQueue('orders', { durable: false, autoDelete: false });
  return open(broker, (body) => void broker.sendToQueue('orders', body), handler, concurrency);
}

function open(broker: Broker, send: (body: Body) => void, handler: Handler, concurrency: number): BenchQueue {
  const onMessage = (_key: string, message: ConsumeMessage): void => {
    void handler(message.content).then(() => message.ack());
  };
  const consume = (): unknown => broker.consume('orders', onMessage, { prefetch: concurrency, consumerTag: 'bench' });
  consume();
  return {
    send(body) {
      send(body);
      return undefined;
    },
    hold: () => void broker.cancel('bench'),
    release: () => void consume(),
  };
}
