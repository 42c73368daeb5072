import { Broker, exponential } from 'sluice';

type Order = { id: number; email: string; total: number };

const broker = await Broker.open();
const shop = broker.exchange<{ 'order.placed': Order; 'order.paid': Order }>('shop');
const invoices = broker.queue<Order>('invoices');
const emails = broker.queue<Order>('emails', { ordering: 'key', retry: { backoff: exponential({ base: '50ms' }) } });
shop.bind(invoices, 'order.placed').bind(emails, 'order.*');

invoices.consume(({ body }) => console.log(`invoice ${body.id}: ${body.total} EUR`));
emails.consume(({ body, routingKey, attempt }) => {
  if (attempt < 3) throw new Error('mail server busy'); // delivered again, a little later each time
  console.log(`${routingKey} ${body.id}: mail to ${body.email}, attempt ${attempt}`);
});

const order = { id: 1, email: 'ada@example.com', total: 42 };
await shop.publish('order.placed', order, { key: 'order-1' }); // what has the same key keeps its order,
await shop.publish('order.paid', order, { key: 'order-1' }); // however often the first is retried
