/**
 * npm run prove:backlog [-- messages]
 * Queues ten million messages of 200 bytes on files, opens them in another process, and drains them: every message once, in order,
 * in a bounded amount of memory.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Broker, FileStorage } from '../../src/index.js';

const TOGETHER = 1000;
/** Of a process, Node's own included. */
const MOST_MEMORY = 500 * 2 ** 20;

const [given, phase, directory] = process.argv.slice(2);
const messages = Number(given ?? 10_000_000);
/** With the quotes that JSON adds, 200 bytes. */
const bodyOf = (n: number): string => String(n).padStart(198, '.');

if (phase === 'fill') await fill(directory!);
else if (phase === 'drain') await drain(directory!);
else {
  const made = mkdtempSync(join(tmpdir(), 'sluice-backlog-'));
  try {
    for (const part of ['fill', 'drain']) {
      const program = ['--import', 'tsx', fileURLToPath(import.meta.url), String(messages), part, made];
      execFileSync(process.execPath, program, { stdio: 'inherit' });
    }
  } finally {
    rmSync(made, { recursive: true });
  }
}

async function fill(data: string): Promise<void> {
  const broker = await Broker.open({ storage: new FileStorage(data) });
  const queue = broker.queue<string>('backlog');
  const began = performance.now();
  const under = new Set<Promise<unknown>>();
  for (let n = 0; n < messages; n += TOGETHER) {
    const sent = queue.sendMany(Array.from({ length: TOGETHER }, (_, i) => ({ body: bodyOf(n + i) })));
    under.add(sent);
    void sent.then(() => under.delete(sent));
    if (under.size >= 4) await Promise.race(under);
  }
  await Promise.all(under);
  report('queued', began);
  await broker.close();
}

async function drain(data: string): Promise<void> {
  const began = performance.now();
  const broker = await Broker.open({ storage: new FileStorage(data) });
  const queue = broker.queue<string>('backlog');
  const { ready } = queue.stats();
  if (ready !== messages) throw new Error(`${ready} messages are there`);
  let next = 0;
  let opened = 0;
  queue.consume(({ body }) => {
    if (next === 0) opened = performance.now() - began;
    if (body !== bodyOf(next)) throw new Error(`expected ${next}; got ${body}`);
    next++;
  });
  await broker.idle();
  if (next !== messages || queue.stats().acked !== messages) throw new Error(`${next} messages were delivered`);
  console.log(`opened, and the first delivered, after ${opened.toFixed(0)} ms`);
  report('drained, each once and in order', began);
  await broker.close();
}

function report(what: string, began: number): void {
  const seconds = (performance.now() - began) / 1000;
  const memory = process.resourceUsage().maxRSS * 1024;
  const rate = Math.round(messages / seconds / 1000);
  console.log(
    `${messages} messages ${what} in ${seconds.toFixed(0)} s (${rate} k/s), at most ${Math.round(memory / 2 ** 20)} MiB`,
  );
  if (memory > MOST_MEMORY) throw new Error(`that is more than ${MOST_MEMORY / 2 ** 20} MiB`);
}
