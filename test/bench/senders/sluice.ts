import { NamedHead } from '../../../src/delivery/named-head.js';
import { Identities } from '../../../src/delivery/identities.js';
import { Broker } from '../../../src/index.js';
import { FileStorage } from '../../../src/storage/file-storage.js';
import type { Reach, Sender } from './sender.js';
import { BODY, order } from './sender.js';

const flushOf = (reach: Reach): 'sync' | 'async' => (reach === 'disk' ? 'sync' : 'async');

/** queue.send() with bytes, awaited: the whole way through the broker. */
export const openSluice = (directory: string, reach: Reach): Promise<Sender> => open(directory, reach, () => BODY);

/** queue.send() with objects, which the default codec makes JSON of. */
export const openSluiceJson = (directory: string, reach: Reach): Promise<Sender> => open(directory, reach, order);

async function open(directory: string, reach: Reach, body: (n: number) => unknown): Promise<Sender> {
  const broker = await openBroker(directory, reach);
  const queue = broker.queue('orders');
  return { send: (n) => queue.send(body(n)) };
}

/** Sends go to ten queues in turn. */
export async function openTenQueues(directory: string, reach: Reach): Promise<Sender> {
  const broker = await openBroker(directory, reach);
  const queues = Array.from({ length: 10 }, (_, n) => broker.queue(`orders-${n}`));
  return { send: (n) => queues[n % 10]!.send(BODY) };
}

function openBroker(directory: string, reach: Reach): Promise<Broker> {
  return Broker.open({ storage: new FileStorage(directory, { flush: flushOf(reach) }) });
}

/** FileStorage.write() with the heads that a broker makes: the storage alone. */
export async function openStorage(directory: string, reach: Reach): Promise<Sender> {
  const storage = new FileStorage(directory, { flush: flushOf(reach) });
  await storage.open();
  const identities = new Identities();
  return {
    send() {
      identities.next(Date.now());
      const head = new NamedHead(identities.text(), identities, BODY.byteLength, undefined, undefined, undefined);
      return storage.write([{ type: 'append', log: 'orders', entry: { head, body: BODY } }]);
    },
  };
}
