import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker, type Clock } from 'sluice';
import { ManualClock } from 'sluice/testing';
import { describe, expect, test } from 'vitest';
import { demo, type DemoOptions } from '../../examples/flights/demo.js';
import { loadFlights, lineOf } from '../../examples/flights/flights.js';

/** Runs the example on a clock that is moved along until it is over. */
async function run(options: Partial<DemoOptions> = {}, prepare: (broker: Broker) => void = () => undefined) {
  const clock = new ManualClock();
  const open = async (given: Clock): Promise<Broker> => {
    const broker = await Broker.open({ clock: given });
    prepare(broker);
    return broker;
  };
  let text = '';
  const terminal = { live: false, columns: 80, write: (more: string) => void (text += more) };
  let running = true;
  const exit = demo({ seed: 1, ...options, terminal, clock, open }).finally(() => (running = false));
  while (running) await clock.advance('5ms');
  return { exit: await exit, text };
}

const HEADLINE =
  /20000 flights → 8 partitions → 3 groups → (\d+) deliveries, (\d+) retries, (\d+) replayed, (\d+) redriven\n.*✓ each group has/;

describe('the flights', { timeout: 60_000 }, () => {
  test('reach three groups, each of which makes of them what a plain loop makes, and are told of while they pass', async () => {
    const archive = await mkdtemp(join(tmpdir(), 'sluice-test-'));
    const { exit, text } = await run({ archive });
    const [, deliveries, retries, replayed, redriven] = HEADLINE.exec(text)?.map(Number) ?? [];
    expect({ exit, text }).toEqual({ exit: 0, text: expect.stringMatching(HEADLINE) as string });
    expect(deliveries).toBeGreaterThan(60_000 + replayed! + redriven!);
    expect(retries).toBeGreaterThan(500);
    expect(replayed).toBeGreaterThan(4_900);
    expect(redriven).toBeGreaterThan(5);

    for (const told of ['south leaves', 'café joins', 'stopped half way', 'west joins', 'are read again']) {
      expect(text).toContain(told);
    }
    expect(text).toMatch(/^ {2}\d+\/20000 flights · lag: archive \d+, punctuality \d+, board \d+ · \d+ retried$/m);
    expect(text).toMatch(/^ {2}punctuality +3 +3 \+ 3 \+ 2 +\d+ +20000 +\d+ +0 +0 +5$/m);
    expect(text).toMatch(/^ {2}board +3 +3 \+ 3 \+ 2 +\d+ +20000 +\d+ +\d+ +0 +3$/m);
    expect(text).toMatch(/^ {2}archive +2 +4 \+ 4 +\d+ +\d+ +\d+ +0 +0 +6$/m);

    const files = await readdir(archive);
    const lines = await Promise.all(
      files.map(async (file) => (await readFile(join(archive, file), 'utf8')).split('\n')),
    );
    expect(files).toHaveLength(8);
    expect(lines.flat().filter(Boolean).toSorted()).toEqual(loadFlights().map(lineOf).toSorted());
    await rm(archive, { recursive: true });
  });

  test('are missed where a stranger in a group takes some away, and the exit code says so', async () => {
    const { exit, text } = await run({ quiet: true }, (broker) => {
      broker
        .topic('flights', { partitions: 8 })
        .group('board')
        .consume(() => undefined, { name: 'stranger' });
    });
    expect(exit).toBe(1);
    expect(text).toMatch(/✗ differences from a plain loop: \d+\n {4}(punctuality|board|archive): /);
  });

  test('are not waited for without end where a group gets none', async () => {
    const { exit, text } = await run({ quiet: true }, (broker) => {
      broker.topic('flights', { partitions: 8 }).group('archive').pause();
    });
    expect(exit).toBe(1);
    expect(text).toMatch(/archive: .*partition-0\.csv, line 1: undefined, not 2001/);
  });
});
