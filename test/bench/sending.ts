import { scratch } from './disk.js';
import type { Disk } from './disk.js';
import type { Check, Contender, Contest, Measure, Results, Scale } from './row.js';
import type { OpenSender, Reach } from './senders/sender.js';
import { now } from './time.js';

/** A run of a durable row takes longer than one in memory: a sync now and then takes as long as a hundred others. */
const LONGER = 3;
/** Most that a run sends: disks that are shared slow down whoever writes much, and those who come after him. */
const MOST = 100_000;

/** ns per message, with so many sends awaited at any time: whoever's send is confirmed sends the next. */
export function inFlight(count: number, open: OpenSender, reach: Reach = 'disk'): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const sender = await open(scratch(), reach);
    let next = 0;
    return async () => {
      const began = now();
      const end = performance.now() + scale.duration * LONGER;
      let messages = 0;
      const go = async (): Promise<void> => {
        while (messages < MOST && performance.now() < end) {
          await sender.send(next++);
          messages++;
        }
      };
      await Promise.all(Array.from({ length: count }, go));
      return { ns: ((now() - began) * 1e6) / messages, messages };
    };
  };
  return { setUp };
}

export const DISKS: readonly Disk[] = ['real', 'slow'];
const NAMES: Readonly<Record<Disk, string>> = { real: 'this disk', slow: 'syncs of 1 ms' };

/** A contest on one disk; six rounds in two lives. */
export function onDisk(disk: Disk, contenders: Contest['contenders'], what = ''): Contest {
  return {
    name: `${what}${NAMES[disk]}`,
    disk,
    figure: 'ns',
    unit: 'ns/message',
    lives: 2,
    rounds: 3,
    warmUps: 6,
    contenders,
  };
}

/** How far a contender got, to another: 1 is as fast, 2 twice as fast. */
export function ahead(
  results: Results,
  { name }: Contest,
  { of = 'bare', who = 'sluice', what, target, floor }: Ahead,
): Check {
  const value = results.ratio(name, of, who, 'ns');
  return { what: `${what}, ${name}`, value, unit: '×', better: 'higher', target, floor };
}

interface Ahead {
  readonly what: string;
  readonly of?: string;
  readonly who?: string;
  readonly target: number;
  readonly floor?: number;
}
