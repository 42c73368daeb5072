import { Broker, reference } from '../../../src/index.js';
import type { BenchQueue, Body, Handler } from './queue.js';

const PARTITIONS = 8;
export const GROUPS = 3;
const KEYS = Array.from({ length: 100 }, (_, n) => `key-${n}`);

/** Topic of 8 partitions, keyed → three groups → handler → acknowledgement, in memory, bodies by reference. */
export async function openTopic(handler: Handler): Promise<BenchQueue> {
  const broker = await Broker.open({ codec: reference });
  const topic = broker.topic<Body>('readings', { partitions: PARTITIONS, retention: { consumed: true } });
  for (let n = 0; n < GROUPS; n++) {
    topic.group(`group-${n}`).consume((delivery) => handler(delivery.body), { concurrency: PARTITIONS });
  }
  let next = 0;
  return {
    send: (body) => topic.publish(body, { key: KEYS[next++ % KEYS.length]! }),
    hold: () => undefined,
    release: () => undefined,
  };
}
