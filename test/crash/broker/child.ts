/**
 * The process that prove:kill kills: a broker on a directory, under all kinds of load at once, that tells its parent through a
 * pipe what it does. A line is written before what is begun, and after what is done.
 *
 *     o                            opened
 *     w <id> <destination> <kind> <producer> <n> <key> <ms>  about to send, with a delay
 *     c <id>                       confirmed
 *     t <queue> <id>               taken for a handler
 *     h <queue> <id> <attempt>     its handler has it
 *     a <queue> <id>               about to acknowledge
 *     r <queue> <id>               about to reject
 *     d <queue> <id>               dead-lettered
 *     f <queue> <id>               its acknowledgement was flushed
 *     k <queue> <id>               about to end the process, by the message's own fault
 *     b / e                        a write to the disk begins, ends
 */
import { systemClock } from '../../../src/clock.js';
import { Broker, FileStorage, SluiceError, type Delivery } from '../../../src/index.js';
import { Random } from '../seeded.js';
import { tell, toldFileSystem } from '../telling.js';
import { declare, REACHES, textOf, type Cargo, type Destination, type Kind } from './scene.js';

const [directory, seed, firstId, flush, lastWrite] = process.argv.slice(2) as [
  string,
  string,
  string,
  'sync' | 'async',
  string,
];

const random = new Random(Number(seed));
const storage = FileStorage.on({ fs: toldFileSystem(Number(lastWrite)), clock: systemClock }, directory, {
  flush,
  segmentBytes: random.pick([8000, 30_000, 200_000]),
  keepFree: 0,
});
const broker = await Broker.open({ storage });
broker.on('error', ({ error }) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(70);
});
broker.on('delivered', ({ source, id }) => tell(`t ${source} ${id}`));
broker.on('deadLettered', ({ source, id }) => tell(`d ${source} ${id}`));
const { queues, events } = declare(broker);
tell('o');

let acknowledged: string[] = [];

async function handle(queue: string, message: Delivery<Cargo>): Promise<void> {
  const { id, attempt, body } = message;
  tell(`h ${queue} ${id} ${attempt}`);
  if (body.text !== textOf(Number(id))) throw new Error(`the body of ${id} is not what was sent`);
  if (random.oneIn(3)) await new Promise((resolve) => setImmediate(resolve));
  if (body.kind === 'poison' && queue === 'plain') {
    tell(`k ${queue} ${id}`);
    if (random.oneIn(2)) process.exit(1);
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => undefined);
  }
  if (body.kind === 'fails' && attempt === 1) throw new Error('not the first time');
  if (body.kind === 'bad') {
    tell(`r ${queue} ${id}`);
    message.reject('bad');
    return;
  }
  if (random.oneIn(20) && message.deliveries < 3) {
    message.requeue();
    return;
  }
  tell(`a ${queue} ${id}`);
  message.ack();
  acknowledged.push(`${queue} ${id}`);
}

for (const [name, queue] of queues) {
  const concurrency = name === 'audit' ? 1 : random.pick([1, 3, 8]);
  if (name === 'audit' && random.oneIn(3)) {
    queue.consumeBatch(
      async (batch) => {
        for (const message of batch) await handle(name, message);
      },
      { size: 5 },
    );
  } else queue.consume((message) => handle(name, message), { concurrency });
  // Dead letters go as well, in time.
  if (random.oneIn(2)) {
    const dead = broker.queue<Cargo>(`${name}.dlq`);
    dead.consume(
      (message) => {
        tell(`h ${dead.name} ${message.id} ${message.attempt}`);
        tell(`a ${dead.name} ${message.id}`);
        message.ack();
        acknowledged.push(`${dead.name} ${message.id}`);
      },
      { rateLimit: { max: 50, per: '1s' } },
    );
  }
}

async function flushAgainAndAgain(): Promise<void> {
  for (;;) {
    const sure = acknowledged;
    acknowledged = [];
    await broker.flush();
    for (const one of sure) tell(`f ${one}`);
    await new Promise((resolve) => setTimeout(resolve, random.below(6)));
  }
}

let nextId = Number(firstId);
const KINDS: readonly (readonly [Kind, number])[] = [
  ['poison', 1],
  ['bad', 6],
  ['fails', 30],
  ['good', 600],
];

function anyKind(): Kind {
  let at = random.below(637);
  for (const [kind, share] of KINDS) if ((at -= share) < 0) return kind;
  return 'good';
}

async function produce(producer: number): Promise<void> {
  for (let n = nextId; ; n++) {
    const id = nextId++;
    const destination = random.pick(Object.keys(REACHES) as Destination[]);
    const kind = anyKind();
    const key = `key-${random.below(4)}`;
    const body: Cargo = { n, producer, kind, text: textOf(id) };
    const delay = random.oneIn(15) ? random.below(30) + 1 : 0;
    tell(`w ${id} ${destination} ${kind} ${producer} ${n} ${key} ${delay}`);
    const options = { id: String(id), key, delay };
    const queue = queues.get(destination);
    const sent = queue === undefined ? events.publish(destination, body, options) : queue.send(body, options);
    const done = sent.then(
      () => tell(`c ${id}`),
      (error: unknown) => {
        if (!SluiceError.is(error, 'ERR_CLOSED')) throw error;
      },
    );
    if (random.oneIn(3)) await done;
    while (broker.stats().queues.some(({ ready }) => ready > 300))
      await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

void flushAgainAndAgain();
for (let producer = 1; producer <= 3; producer++) void produce(producer);
