/**
 * npm run prove:queues [-- queues]
 * So many durable queues in a process that may have 256 files open: declared, filled, reopened, consumed, deleted.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../src/broker.js';
import { FileStorage } from '../../src/storage/file-storage.js';

const queues = Number(process.argv[2] ?? 10_000);
const files = Number(execFileSync('sh', ['-c', 'ulimit -n']).toString());
const directory = mkdtempSync(join(tmpdir(), 'sluice-queues-'));
const began = performance.now();
const seconds = (): string => ((performance.now() - began) / 1000).toFixed(1);
const names = Array.from({ length: queues }, (_, n) => `queue-${n}`);
try {
  const storage = new FileStorage(directory, { segmentBytes: 4 * 2 ** 20, keepFree: 0 });
  const filling = await Broker.open({ storage });
  for (let round = 0; round < 3; round++) {
    await Promise.all(names.map((name) => filling.queue(name, { maxLength: 1000 }).send({ round })));
  }
  console.log(`${seconds()} s: ${queues} queues hold 3 messages each, ${files} files may be open`);
  await filling.close();

  const broker = await Broker.open({ storage: new FileStorage(directory, { keepFree: 0 }) });
  console.log(`${seconds()} s: reopened, ${broker.stats().queues.length} queues`);
  let left = queues * 3;
  await new Promise<void>((resolve) => {
    for (const name of names) {
      broker.queue(name).consume(async () => {
        if (--left === 0) resolve();
      });
    }
  });
  console.log(`${seconds()} s: all consumed; ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB in memory`);
  await broker.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
