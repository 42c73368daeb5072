import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { Broker, reference, type BrokerOptions } from '../../src/index.js';
import type { Held } from '../../src/delivery/held.js';
import type { NamedHead } from '../../src/delivery/named-head.js';
import { Shapes } from '../../src/delivery/shapes.js';
import { systemClock } from '../../src/clock.js';
import { FileStorage } from '../../src/storage/file-storage.js';
import { newDisk } from '../storage/file/bench-disk.js';

setFlagsFromString('--allow-natives-syntax');
const haveSameMap = runInThisContext('(one, other) => %HaveSameMap(one, other)') as (a: object, b: object) => boolean;

const brokers: Broker[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close();
});

/** What handlers of a queue and of a group got, once as new and once more. */
async function delivered(options: BrokerOptions): Promise<Held[]> {
  const broker = await Broker.open(options);
  brokers.push(broker);
  const got: Held[] = [];
  const take = (delivery: unknown): void => {
    const held = delivery as Held;
    got.push(held);
    if (held.deliveries === 1) held.requeue();
  };
  const queue = broker.queue('q');
  queue.consume(take);
  const topic = broker.topic('t');
  const group = topic.group('g');
  group.consume(take);
  await queue.send({ n: 1 });
  await queue.send(2, { key: 'k', headers: { h: 1 } });
  await topic.publish('three', { key: 'k' });
  await queue.idle();
  await group.idle();
  return got;
}

describe('shapes that an engine keeps', () => {
  it('are those of the messages and heads that it makes: no number in them is boxed', async () => {
    const { held, head } = new Shapes() as unknown as { held: Held; head: Held['head'] };
    const got = await delivered({ codec: reference });
    expect(got).toHaveLength(6);
    for (const one of got) {
      expect(haveSameMap(one, held)).toBe(true);
      expect(haveSameMap(one.head, head)).toBe(true);
    }
  });

  it('are those of the heads of what a storage keeps', async () => {
    const storage = FileStorage.on({ fs: newDisk().mount(), clock: systemClock }, '/data', { keepFree: 0 });
    const { named } = new Shapes() as unknown as { named: NamedHead };
    const got = await delivered({ storage });
    expect(got).toHaveLength(6);
    for (const { head } of got) expect(haveSameMap(head, named)).toBe(true);
  });
});
