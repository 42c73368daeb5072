import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as work } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Broker, FileStorage } from 'sluice';

const ORDERS = 200;

/** A shop that takes its orders once, and ships one after the other. What it has not shipped is in `directory`. */
async function shop(directory: string): Promise<void> {
  const broker = await Broker.open({ storage: new FileStorage(directory) });
  const orders = broker.queue<{ id: number }>('orders');
  if (orders.stats().accepted === 0) {
    await orders.sendMany(Array.from({ length: ORDERS }, (_, id) => ({ body: { id } })));
  }
  orders.consume(async ({ body }) => {
    await work(1);
    console.log(body.id);
  });
  await broker.idle();
  await broker.close();
}

/** Runs the shop in a process of its own, and ends that with kill -9 after so many orders. Which were shipped. */
async function run(directory: string, most = Infinity): Promise<number[]> {
  const program = [...process.execArgv, fileURLToPath(import.meta.url), directory];
  const child = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  const shipped: number[] = [];
  for await (const line of createInterface(child.stdout)) {
    if (shipped.push(Number(line)) === most) child.kill('SIGKILL');
  }
  return shipped;
}

const [given] = process.argv.slice(2);
if (given !== undefined) await shop(given);
else {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-shop-'));
  const before = await run(directory, ORDERS / 2);
  console.log(`${ORDERS} orders accepted; the process is killed half way`);
  const after = await run(directory);
  const again = after.filter((id) => before.includes(id)).length;
  const lost = ORDERS - new Set([...before, ...after]).size;
  console.log(`started again: ${lost} lost, ${again} shipped twice`);
  await rm(directory, { recursive: true });
  process.exitCode = lost === 0 ? 0 : 1;
}
