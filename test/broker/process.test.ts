import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'tsup';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let directory: string;

// Compiled once: a process then starts in a tenth of a second.
beforeAll(async () => {
  directory = await mkdtemp(`${tmpdir()}/sluice-process-`);
  const entry = [fileURLToPath(new URL('../../src/index.ts', import.meta.url))];
  await build({
    config: false,
    entry,
    outDir: directory,
    format: 'esm',
    target: 'node20',
    silent: true,
    noExternal: [/./],
  });
  await rename(`${directory}/index.js`, `${directory}/index.mjs`);
}, 60_000);
afterAll(() => rm(directory, { recursive: true }));

/** A program on the system's clock: how it ended, and what it said. A process that does not end is killed, and the test fails. */
async function run(program: string): Promise<{ stdout: string; stderr: string }> {
  const text = `
    import { Broker, fixed } from ${JSON.stringify(`${directory}/index.mjs`)};
    const broker = await Broker.open();
    const say = (...words) => console.log(...words);
    process.on('exit', (code) => say('exit', code));
    const delivered = new Promise((resolve) => broker.once('delivered', resolve));
    ${program}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '--eval', text], { timeout: 15_000 });
}

/** Title, program, and the lines that it writes. None of them closes its broker unless it says so. */
type Case = readonly [title: string, program: string, lines: readonly string[]];

const ENDS: readonly Case[] = [
  [
    'messages that wait, for a time or to expire, and nobody to take them',
    `const q = broker.queue('q', { ttl: '1h' });
     broker.exchange('x').bind(q, '#');
     await q.send(1);
     await q.send(2, { delay: '1h' });
     (await q.receive()).nack({ delay: '1h' });
     await q.receive();`,
    ['exit 0'],
  ],
  [
    'consumers with nothing to do',
    `const q = broker.queue('q');
     q.consume(({ body }) => say('handled', body), { concurrency: 5, rateLimit: { max: 10, per: '1h' } });
     q.consumeBatch((batch) => say('batch', batch.length), { size: 10, wait: 0 });
     await q.send(1);
     await broker.idle();`,
    ['handled 1', 'exit 0'],
  ],
  [
    'a consumer that has closed, whatever is due later',
    `const q = broker.queue('q');
     const consumer = q.consume(() => { throw new Error('no'); });
     await q.send(1, { retry: undefined });
     await q.send(2, { delay: '1h' });
     await broker.idle();
     await consumer.close();`,
    ['exit 0'],
  ],
  [
    'a handler that waits for nothing that could happen',
    `const q = broker.queue('q');
     q.consume(() => new Promise(() => {}));
     await q.send(1);
     await delivered;
     say('delivered');`,
    ['delivered', 'exit 0'],
  ],
  [
    'a sender that waits for room which nobody will make',
    `const q = broker.queue('q', { maxLength: 1, overflow: 'block' });
     await q.send(1);
     void q.send(2);`,
    ['exit 0'],
  ],
  [
    'a closed broker with a handler that never ends, once close() has given up on it',
    `const q = broker.queue('q', { ackTimeout: '1h' });
     q.consume(() => new Promise(() => {}));
     await q.send(1);
     await q.send(2, { delay: '1h' });
     void q.receive({ wait: '1h' });
     await delivered;
     broker.on('closed', ({ abandoned }) => say('abandoned', abandoned.length));
     await broker.close({ timeout: 20 });`,
    ['abandoned 1', 'exit 0'],
  ],
];

const GOES_ON: readonly Case[] = [
  [
    'a delayed message that somebody will take',
    `const q = broker.queue('q');
     q.consume(({ body }) => say(body));
     await q.send('delayed', { delay: 30 });`,
    ['delayed', 'exit 0'],
  ],
  [
    'a backoff',
    `const q = broker.queue('q', { retry: { backoff: fixed(30) } });
     q.consume(({ attempt }) => {
       say('attempt', attempt);
       if (attempt < 3) throw new Error('no');
     });
     await q.send(1);`,
    ['attempt 1', 'attempt 2', 'attempt 3', 'exit 0'],
  ],
  [
    'a rate limit with a backlog behind it',
    `const q = broker.queue('q');
     q.consume(({ body }) => say(body), { rateLimit: { max: 1, per: 30 } });
     await q.sendMany([{ body: 1 }, { body: 2 }, { body: 3 }]);`,
    ['1', '2', '3', 'exit 0'],
  ],
  [
    'a receive() that waits',
    `const q = broker.queue('q');
     say(await q.receive({ wait: 30 }));`,
    ['undefined', 'exit 0'],
  ],
  [
    'an iterator that waits',
    `const q = broker.queue('q');
     setTimeout(() => q.send('last'), 30).unref();
     for await (const message of q) {
       say(message.body);
       setTimeout(() => void broker.close(), 30).unref();
     }`,
    ['last', 'exit 0'],
  ],
  [
    'a batch that waits to be full',
    `const q = broker.queue('q');
     q.consumeBatch((batch) => say('batch of', batch.length), { size: 10, wait: 30 });
     await q.send(1);`,
    ['batch of 1', 'exit 0'],
  ],
  [
    'a sender that waits for its next try',
    `const q = broker.queue('q', { maxLength: 1 });
     await q.send(1);
     q.send(2, { retry: { attempts: 2, backoff: fixed(30) } }).catch(({ code }) => say(code));`,
    ['ERR_QUEUE_FULL', 'exit 0'],
  ],
  [
    'close() that waits for a handler',
    `const q = broker.queue('q');
     q.consume(() => new Promise((resolve) => setTimeout(resolve, 30).unref()));
     await q.send(1);
     await delivered;
     await broker.close();
     say(q.stats().acked);`,
    ['1', 'exit 0'],
  ],
];

describe('A process with an open broker ends by itself with', () => {
  it.each(ENDS)('%s', { timeout: 20_000 }, async (_, program, lines) => {
    const { stdout, stderr } = await run(program);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(lines);
  });
});

describe('A process goes on, and then ends, for', () => {
  it.each(GOES_ON)('%s', { timeout: 20_000 }, async (_, program, lines) => {
    const { stdout, stderr } = await run(program);
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(lines);
  });
});

describe('A process on the time of the system', () => {
  it('does not fire at once what is due after more than 2³¹ ms, and is not warned of it', async () => {
    const { stdout, stderr } = await run(
      `const q = broker.queue('q', { ttl: 2 ** 31 });
       q.consume(() => say('too soon'));
       await q.send(1, { delay: 2 ** 31 });
       await q.send(2, { delay: '100d', ttl: '36500d' });
       await q.send(3, { deliverAt: new Date(8.64e15) });
       const timer = setTimeout(async () => {
         say(q.stats().delayed);
         await broker.close();
       }, 30);`,
    );
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n')).toEqual(['3', 'exit 0']);
  });

  it('hears of an error that nobody listens to as a warning, and lives on', async () => {
    const { stdout, stderr } = await run(
      `broker.on('accepted', () => { throw new Error('the listener is broken'); });
       await broker.queue('q').send(1);
       say('sent');`,
    );
    expect(stdout.trim().split('\n')).toEqual(['sent', 'exit 0']);
    expect(stderr).toContain('the listener is broken');
  });
});
