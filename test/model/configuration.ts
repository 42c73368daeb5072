import type { Random } from '../../src/clock.js';
import { exponential, fixed, linear, type Backoff, type QueueOptions, type StandardSchema } from '../../src/index.js';
import { between, chance, pick } from './chance.js';

/** How long to wait after failed attempt n, told twice: here for the model, as a Backoff for the engine. */
export type Wait =
  | { readonly kind: 'fixed'; readonly delay: number }
  | { readonly kind: 'linear'; readonly base: number; readonly step: number; readonly max: number }
  | { readonly kind: 'exponential'; readonly base: number; readonly factor: number; readonly max: number }
  | { readonly kind: 'custom'; readonly delays: readonly number[] };

type Overflow = 'block' | 'reject' | 'drop-head' | 'dead-letter';

/** What a queue is declared with. undefined: the option is not given. */
export interface QueueConfiguration {
  readonly durable: boolean | undefined;
  readonly ordering: 'none' | 'key' | undefined;
  readonly priorities: number | undefined;
  readonly ttl: number | undefined;
  readonly maxLength: number | undefined;
  readonly maxBytes: number | undefined;
  readonly overflow: Overflow | undefined;
  readonly deadLetter: string | false | undefined;
  readonly attempts: number | undefined;
  readonly wait: Wait;
  /** A failure whose error says `fatal` is not retried. */
  readonly picky: boolean;
  readonly ackTimeout: number | false | undefined;
  readonly singleActiveConsumer: boolean | undefined;
  /** It has a schema, which can be made stricter. */
  readonly schema: boolean;
}

export interface Configuration {
  readonly storage: 'memory' | 'journal';
  /** Messages that are there before the first command: more than the engine reads ahead. */
  readonly backlog: number;
  readonly main: QueueConfiguration;
  /** Options of the queue `graveyard`, which some dead letters go to. */
  readonly graveyard: QueueConfiguration;
}

export const MAIN = 'main';
export const GRAVEYARD = 'graveyard';
/** Takes what is redriven to it. */
export const ASIDE = 'aside';

/** How a queue behaves that was only mentioned. */
export const PLAIN: QueueConfiguration = {
  durable: undefined,
  ordering: undefined,
  priorities: undefined,
  ttl: undefined,
  maxLength: undefined,
  maxBytes: undefined,
  overflow: undefined,
  deadLetter: undefined,
  attempts: undefined,
  wait: { kind: 'fixed', delay: 0 },
  picky: false,
  ackTimeout: undefined,
  singleActiveConsumer: undefined,
  schema: false,
};

/** The broker's own retry policy, for queues that nobody described. */
export const BROKER_WAIT = 7;

/** How a queue behaves that was made for dead letters: it keeps what it gets until somebody takes it. */
export const MADE_FOR_DEAD: QueueConfiguration = {
  ...PLAIN,
  attempts: Infinity,
  wait: { kind: 'fixed', delay: BROKER_WAIT },
  deadLetter: false,
};

/** Errors that say so are not worth another attempt, to those who are picky. */
export const FATAL = 'fatal';

/** Where a schema is strict, only these bodies are valid. */
export function isStrict(number: number): boolean {
  return number % 3 !== 0;
}

export function drawConfiguration(random: Random): Configuration {
  const main = drawQueue(random);
  return {
    storage: chance(random, 0.45) ? 'journal' : 'memory',
    backlog: main.maxLength === undefined && main.maxBytes === undefined && chance(random, 0.06) ? 1300 : 0,
    main,
    graveyard: drawGraveyard(random),
  };
}

/** Left out: a ring without any room, since nobody promises which of several that come within one turn somebody who waits gets. */
export function drawQueue(random: Random): QueueConfiguration {
  const ordering = chance(random, 0.35) ? 'key' : pick(random, [undefined, undefined, 'none'] as const);
  const limited = chance(random, 0.65);
  const overflow = pick(random, ['block', 'block', 'reject', 'drop-head', 'dead-letter', undefined] as const);
  return {
    durable: chance(random, 0.15) ? false : undefined,
    ordering,
    priorities: ordering !== 'key' && chance(random, 0.5) ? between(random, 1, 4) : undefined,
    ttl: chance(random, 0.3) ? pick(random, [5, 20, 60, 200]) : undefined,
    maxLength:
      limited && chance(random, 0.85) ? pick(random, [overflow === 'drop-head' ? 1 : 0, 1, 2, 3, 3, 5, 8]) : undefined,
    maxBytes: limited && chance(random, 0.25) ? between(random, 60, 300) : undefined,
    overflow,
    deadLetter: pick(random, [undefined, undefined, false, false, false, GRAVEYARD, GRAVEYARD, GRAVEYARD, MAIN]),
    attempts: pick(random, [1, 2, 2, 3, 4, Infinity, undefined]),
    wait: drawWait(random),
    picky: chance(random, 0.3),
    ackTimeout: pick(random, [undefined, undefined, false, 30, 45, 60]),
    singleActiveConsumer: chance(random, 0.15) ? true : undefined,
    schema: chance(random, 0.8),
  };
}

function drawGraveyard(random: Random): QueueConfiguration {
  const drawn = drawQueue(random);
  return { ...drawn, schema: false, deadLetter: pick(random, [undefined, undefined, false, MAIN]) };
}

function drawWait(random: Random): Wait {
  const base = between(random, 1, 12);
  return pick<Wait>(random, [
    { kind: 'fixed', delay: 0 },
    { kind: 'fixed', delay: base },
    { kind: 'linear', base, step: between(random, 0, 8), max: 25 },
    { kind: 'exponential', base, factor: 2, max: 40 },
    { kind: 'custom', delays: [0, base, 3] },
  ]);
}

/** As the engine is told it. `strict`: whether its schema takes only some of the bodies now. */
export function optionsOf(configuration: QueueConfiguration, strict: () => boolean): QueueOptions {
  const { wait, picky, attempts, schema, ...rest } = configuration;
  const retryIf = picky ? (error: unknown) => (error as Error | undefined)?.message !== FATAL : undefined;
  return {
    ...rest,
    retry: { attempts, backoff: backoffOf(wait), retryIf },
    ...(schema ? { schema: schemaOf(strict) } : {}),
  };
}

function backoffOf(wait: Wait): Backoff {
  switch (wait.kind) {
    case 'fixed':
      return fixed(wait.delay);
    case 'linear':
      return linear({ base: wait.base, step: wait.step, max: wait.max });
    case 'exponential':
      return exponential({ base: wait.base, factor: wait.factor, max: wait.max, jitter: 'none' });
    case 'custom':
      return (attempt) => wait.delays[Math.min(attempt, wait.delays.length) - 1]!;
  }
}

function schemaOf(strict: () => boolean): StandardSchema {
  const validate = (body: unknown): unknown => {
    const { number } = body as { readonly number: number };
    return !strict() || isStrict(number) ? { value: body } : { issues: [{ message: 'not strict', path: ['number'] }] };
  };
  return { '~standard': { version: 1, vendor: 'test', validate } };
}
