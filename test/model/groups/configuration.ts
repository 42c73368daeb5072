import type { Random } from '../../../src/clock.js';
import { fixed, type ConsumerGroupOptions, type Position, type RetentionOptions } from '../../../src/index.js';
import { between, chance, pick } from '../chance.js';

/** What a group is declared with. undefined: the option is not given. Times are ms. */
export interface GroupConfiguration {
  readonly name: string;
  readonly ordering: 'partition' | 'key' | 'none' | undefined;
  readonly assignor: 'range' | 'round-robin' | 'sticky' | undefined;
  readonly attempts: number;
  readonly wait: number;
  readonly deadLetter: false | undefined;
  readonly ackTimeout: number | false | undefined;
  readonly from: Position | undefined;
}

export interface Configuration {
  readonly machine: 'MemoryStorage' | 'JournalStorage' | 'FileStorage';
  readonly partitions: number;
  readonly retention: RetentionOptions;
  /** Messages that are there before the first command: more than the engine reads ahead. */
  readonly backlog: number;
  readonly groups: readonly GroupConfiguration[];
}

export const TOPIC = 'readings';
export const KEYS = ['a', 'b', 'c', 'd', 'e'];
/** The acknowledgement timeout of who sets none, ms. */
export const ACK_TIMEOUT = 30 * 60_000;

export function drawConfiguration(random: Random): Configuration {
  const machine = pick(random, [
    'MemoryStorage',
    'JournalStorage',
    'JournalStorage',
    'FileStorage',
    'JournalStorage',
  ] as const);
  return {
    machine,
    partitions: between(random, 1, 4),
    retention: drawRetention(random),
    backlog: chance(random, 0.04) ? 1300 : 0,
    groups: ['one', 'two'].slice(0, between(random, 1, 2)).map((name) => drawGroup(random, name)),
  };
}

function drawRetention(random: Random): RetentionOptions {
  if (chance(random, 0.35)) return {};
  return {
    ...(chance(random, 0.4) ? { time: pick(random, [50, 120, 400]) } : {}),
    ...(chance(random, 0.4) ? { messages: between(random, 1, 25) } : {}),
    ...(chance(random, 0.2) ? { bytes: between(random, 20, 400) } : {}),
    ...(chance(random, 0.3) ? { consumed: true } : {}),
  };
}

function drawGroup(random: Random, name: string): GroupConfiguration {
  return {
    name,
    ordering: pick(random, [undefined, 'partition', 'key', 'key', 'none'] as const),
    assignor: pick(random, [undefined, 'range', 'round-robin', 'sticky'] as const),
    attempts: pick(random, [1, 1, 2, 2, 3, Infinity]),
    wait: pick(random, [0, 10, 20, 50]),
    deadLetter: chance(random, 0.15) ? false : undefined,
    ackTimeout: pick(random, [undefined, false, 30, 30, 60]),
    from: pick(random, [undefined, undefined, 'earliest', 'latest'] as const),
  };
}

/** As the engine is told it. */
export function optionsOf(configuration: GroupConfiguration): ConsumerGroupOptions {
  const { ordering, assignor, deadLetter, ackTimeout, from, attempts, wait } = configuration;
  const rest = { ordering, assignor, deadLetter, ackTimeout, from };
  return { ...rest, retry: { attempts, backoff: fixed(wait) } };
}
