import { Broker, SluiceError, type Delivery, type Queue } from 'sluice';
import { ManualClock, testBroker } from 'sluice/testing';

interface Order {
  readonly id: number;
}

export async function main(): Promise<number> {
  await using broker = await Broker.open({ clock: new ManualClock(0) });
  const orders: Queue<Order> = broker.queue<Order>('orders');
  orders.consume((order: Delivery<Order>) => order.body.id, { concurrency: 2 });
  await orders.send({ id: 1 });
  // @ts-expect-error the types are there: an order has a number for an id
  await orders.send({ id: 'one' });
  try {
    await (await testBroker()).settle();
  } catch (error) {
    if (SluiceError.is(error)) return error.code.length;
  }
  return orders.stats().ready;
}
