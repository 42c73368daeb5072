const { Broker, SluiceError } = require('sluice');
const { ManualClock, testBroker } = require('sluice/testing');

async function main() {
  const broker = await Broker.open({ clock: new ManualClock() });
  const greetings = broker.queue('greetings');
  const heard = [];
  greetings.consume((message) => {
    heard.push(message.body);
  });
  await greetings.send({ hello: 'world' });
  await broker.idle();
  await broker.close();

  const refused = await greetings.send({ hello: 'nobody' }).catch((error) => error);
  const kit = await testBroker();
  await kit.close();
  console.log(JSON.stringify({ heard, refused: SluiceError.is(refused, 'ERR_CLOSED'), kit: kit instanceof Broker }));
}

void main();
