import { Broker, type Clock } from 'sluice';
import { ManualClock } from 'sluice/testing';
import { describe, expect, test } from 'vitest';
import { demo } from '../../examples/github-webhooks/demo.js';

/** Runs the demo on a clock that is moved along until it is over. */
async function run(seed: number, prepare: (broker: Broker) => void = () => undefined) {
  const clock = new ManualClock();
  const open = async (given: Clock): Promise<Broker> => {
    const broker = await Broker.open({ clock: given });
    prepare(broker);
    return broker;
  };
  let text = '';
  const terminal = { live: false, columns: 80, write: (more: string) => void (text += more) };
  let running = true;
  const exit = demo({ seed, terminal, clock, open }).finally(() => (running = false));
  while (running) await clock.advance('100ms');
  return { exit: await exit, text };
}

const HEADLINE =
  /329 webhooks → 9 queues → (\d+) messages handled, (\d+) retries, (\d+) dead letters, (\d+) redriven\n.*✓ all checked/;

describe('the demo', () => {
  test('handles everything, retries and dead letters included, and finds that it is what a plain loop finds', async () => {
    const { exit, text } = await run(1);
    const [, handled, retries, dead, redriven] = HEADLINE.exec(text)?.map(Number) ?? [];
    expect({ exit, handled, redriven }).toEqual({ exit: 0, handled: 596, redriven: dead });
    expect(retries).toBeGreaterThan(10);
    expect(dead).toBeGreaterThan(0);
  });

  test('does the same for the same seed', async () => {
    const [one, two] = [await run(7), await run(7)];
    expect(HEADLINE.exec(one.text)?.[0]).toBe(HEADLINE.exec(two.text)?.[0]);
    expect(one.exit).toBe(0);
  });

  test('says what passes each queue', async () => {
    const { text } = await run(2);
    for (const [queue, accepted] of [
      ['issue-triage', 45],
      ['ci-status', 39],
      ['releases', 20],
      ['security', 35],
      ['audit', 329],
      ['digest', 71],
      ['pager', 7],
      ['publisher', 9],
    ] as const) {
      expect(text).toMatch(new RegExp(`^  ${queue} +${accepted} +\\d+ +\\d+ +0 +\\d+\\.\\d +\\d+\\.\\d$`, 'm'));
    }
  });

  test('fails when somebody takes messages away from a module, and says which', async () => {
    const { exit, text } = await run(1, (broker) => void broker.queue('audit').consume(() => undefined));
    expect(exit).toBe(1);
    expect(text).toContain('differences from a plain loop');
    expect(text).toMatch(/^ +audit: webhook-\d{3} was not handled$/m);
  });

  test('fails, and does not wait for ever, when a module gets nothing', async () => {
    const { exit, text } = await run(1, (broker) => broker.queue('pager').pause());
    expect(exit).toBe(1);
    expect(text).toMatch(/^ +pager: webhook-\d{3}\.1 was not handled$/m);
    expect(text).toMatch(/^ +pager: result › .*: found undefined, expected /m);
  });
});
