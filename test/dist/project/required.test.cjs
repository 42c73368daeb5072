const { Broker } = require('sluice');
const { testBroker } = require('sluice/testing');

test('require under Jest', async () => {
  const broker = await testBroker();
  const heard = [];
  broker.queue('greetings').consume((message) => {
    heard.push(message.body);
  });
  await broker.queue('greetings').send('hello');
  await broker.idle();
  await broker.close();
  expect(heard).toEqual(['hello']);
  expect(broker).toBeInstanceOf(Broker);
});
