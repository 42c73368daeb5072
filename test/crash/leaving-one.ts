import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Broker } from '../../src/broker.js';
import { FileStorage } from '../../src/storage/file-storage.js';

/** Offset of the message that nobody settles. */
const LEFT = 5;
const SENT_AT_ONCE = 1000;
const BODY = 'x'.repeat(190);

interface Numbered {
  readonly n: number;
  readonly text: string;
}

export interface Left {
  readonly files: readonly string[];
  /** Of all files. */
  readonly bytes: number;
  readonly segmentBytes: number;
  /** How much less memory everything takes when that one is settled as well. */
  readonly held: number | undefined;
  /** Numbers of the messages that come after a restart. */
  readonly redelivered: readonly number[];
}

/**
 * Sends and consumes as it goes; one handler does not return.
 * @param letGo in the end it does after all, so that it can be told what its message cost
 */
export async function oneLeft(
  directory: string,
  messages: number,
  segmentBytes = 64 * 2 ** 20,
  letGo = false,
): Promise<Left> {
  const options = { segmentBytes, keepFree: 0 };
  const storage = new FileStorage(directory, options);
  const broker = await Broker.open({ storage });
  const queue = broker.queue<Numbered>('orders', { ackTimeout: false });
  let settled = 0;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  queue.consume(
    async ({ body }) => {
      if (body.n === LEFT) await released;
      settled++;
    },
    { concurrency: 16 },
  );
  const send = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += SENT_AT_ONCE) {
      const count = Math.min(SENT_AT_ONCE, to - n);
      await Promise.all(Array.from({ length: count }, (_, i) => queue.send({ n: n + i, text: BODY })));
    }
  };
  const heldWhenSettled = async (count: number): Promise<number> => {
    while (settled < count) await new Promise((resolve) => setImmediate(resolve));
    await broker.flush();
    await storage.reclaimed();
    return heldNow();
  };
  await send(0, messages);
  const held = await heldWhenSettled(messages - 1);
  const files = readdirSync(directory).sort();
  const bytes = files.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
  if (letGo) release();
  const less = letGo ? held - (await heldWhenSettled(messages)) : undefined;
  await broker.close({ timeout: 0 });
  return { files, bytes, segmentBytes, held: less, redelivered: await waiting(directory, options) };
}

async function waiting(directory: string, options: object): Promise<number[]> {
  const broker = await Broker.open({ storage: new FileStorage(directory, options) });
  const left = await broker.queue<Numbered>('orders').peek(10);
  await broker.close();
  return left.map(({ body }) => body.n);
}

function heldNow(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
