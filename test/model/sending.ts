import type { Random } from '../../src/clock.js';
import type { MessageOptions, Receipt } from '../../src/index.js';
import { between, chance, pick } from './chance.js';
import type { Kind } from './commands.js';
import { isStrict, MAIN } from './configuration.js';
import type { Body, Driver } from './driver.js';
import type { Draft } from './letter.js';
import { diverge } from './divergence.js';
import type { QueueModel } from './queue-model.js';
import { watch, type Watched } from '../watched.js';

const KEYS = ['a', 'b', 'c'];

/** How a message is described to the engine, and to the model. */
interface Parcel {
  readonly body: Body;
  readonly options: MessageOptions | undefined;
  readonly draft: Draft;
}

/** @param named with an id of its own */
function drawParcel(driver: Driver, random: Random, named = false): Parcel {
  const number = driver.numbers++;
  const sentAt = driver.now;
  const text = 'x'.repeat(pick(random, [0, 0, 3, 20, 60]));
  const body = { number, text };
  const common = { number, text, bytes: JSON.stringify(body).length, sentAt };
  if (!named && chance(random, 0.25)) {
    const none = {
      id: undefined,
      key: undefined,
      headers: undefined,
      priority: 0,
      persistent: true,
      ttl: undefined,
      delay: undefined,
      deliverAt: undefined,
    };
    return { body, options: undefined, draft: { ...common, ...none } };
  }
  const id = named || chance(random, 0.6) ? `message-${number}` : undefined;
  const key = chance(random, 0.7) ? pick(random, KEYS) : undefined;
  const headers = chance(random, 0.15) ? { number, sort: 'plain', none: null } : undefined;
  const priority = chance(random, 0.4) ? between(random, 0, 5) : 0;
  // Not 0: with a delay that is handed over when it is due, which is a test of its own.
  const ttl = chance(random, 0.15) ? pick(random, [1, 2, 5, 12, 30]) : undefined;
  const delay = chance(random, 0.2) ? pick(random, [0, 1, 4, 10, 25]) : undefined;
  const persistent = !chance(random, 0.1);
  const date = delay !== undefined && chance(random, 0.3) ? sentAt + delay : undefined;
  const when = delay === undefined ? {} : date === undefined ? { delay } : { deliverAt: new Date(date) };
  const options = { id, key, headers, priority, ttl, ...when, ...(persistent ? {} : { persistent }) };
  const waits = { delay: date === undefined ? delay : undefined, deliverAt: date };
  return { body, options, draft: { ...common, id, key, headers, priority, ttl, ...waits, persistent } };
}

/** Mostly where it all begins. */
function drawTarget(driver: Driver, random: Random): QueueModel {
  const others = [...driver.model.queues.values()].filter(({ name }) => name !== MAIN);
  return chance(random, 0.94) || others.length === 0 ? driver.model.queue(MAIN) : pick(random, others);
}

/** Where writing takes time, what is on its way out is not known: whether a message fits is sure only at rest. */
function isLimited({ configuration }: Driver, queue: QueueModel): boolean {
  const { maxLength, maxBytes } = queue.configuration;
  return configuration.storage === 'journal' && (maxLength !== undefined || maxBytes !== undefined);
}

async function send(driver: Driver, random: Random, abortable: boolean): Promise<boolean> {
  const queue = drawTarget(driver, random);
  if (isLimited(driver, queue)) await driver.rest();
  // Whether a send that was given up went on is told by its id alone.
  const { body, options, draft } = drawParcel(driver, random, abortable);
  const abort = abortable ? new AbortController() : undefined;
  const given = abort === undefined ? options : { ...options, signal: abort.signal };
  driver.note(() => `send #${draft.number} to ${queue.name} ${JSON.stringify(options)} ${draft.bytes} bytes`);
  const sending = driver.model.acceptance.send(queue, [draft], isValid(queue, [body]), driver.quiet);
  const answer = watch(
    driver
      .handle(queue)
      .send(body, given)
      .then((receipt) => [receipt]),
  );
  driver.sends.push({ queue, sending, answer, abort });
  return true;
}

async function sendMany(driver: Driver, random: Random): Promise<boolean> {
  const queue = drawTarget(driver, random);
  if (isLimited(driver, queue)) await driver.rest();
  const parcels = Array.from({ length: between(random, 0, 5) }, () => drawParcel(driver, random));
  driver.note(
    () =>
      `send to ${queue.name} at once: ${parcels.map(({ draft, options }) => `#${draft.number} ${JSON.stringify(options)} ${draft.bytes} bytes`).join(', ')}`,
  );
  const drafts = parcels.map(({ draft }) => draft);
  const sending = driver.model.acceptance.send(
    queue,
    drafts,
    isValid(
      queue,
      parcels.map(({ body }) => body),
    ),
    driver.quiet,
  );
  const messages = parcels.map(({ body, options }) => ({ ...options, body }));
  const answer: Watched<readonly Receipt[]> = watch(driver.handle(queue).sendMany(messages));
  driver.sends.push({ queue, sending, answer, abort: undefined });
  return true;
}

function isValid(queue: QueueModel, bodies: readonly Body[]): boolean {
  return !queue.strict || bodies.every(({ number }) => isStrict(number));
}

const WRONG: readonly (readonly [string, (driver: Driver, queue: QueueModel) => Promise<unknown>])[] = [
  [
    'TypeError',
    (driver, queue) => driver.handle(queue).send({ number: -1, text: '' }, { delay: 1, deliverAt: new Date() }),
  ],
  ['RangeError', (driver, queue) => driver.handle(queue).send({ number: -1, text: '' }, { priority: -1 })],
  ['TypeError', (driver, queue) => driver.handle(queue).send({ number: -1, text: '' }, { tll: 5 } as MessageOptions)],
  [
    'RangeError',
    (driver, queue) =>
      driver.handle(queue).sendMany([{ body: { number: -1, text: '' } }, { body: { number: -1, text: '' }, ttl: -1 }]),
  ],
  ['ERR_NOT_SERIALIZABLE', (driver, queue) => driver.handle(queue).send((() => 0) as never)],
];

async function sendWrongly(driver: Driver, random: Random): Promise<boolean> {
  const queue = driver.model.queue(MAIN);
  const [code, attempt] = pick(random, WRONG.slice(0, queue.strict ? 4 : 5));
  const answer = watch(attempt(driver, queue));
  await driver.rest();
  const error = answer.error as { readonly code?: string; readonly name?: string } | undefined;
  const found = error?.code ?? error?.name;
  if (found !== code) diverge(`a wrong send was answered with ${found}, not ${code}`);
  return true;
}

function abortSend(driver: Driver, random: Random): boolean {
  const open = driver.sends.filter(
    ({ abort, answer }) => abort?.signal.aborted === false && answer.state === 'pending',
  );
  if (open.length === 0) return false;
  const { queue, sending, abort } = pick(random, open);
  driver.note(() => `abort send of #${sending.letters[0]!.draft.number}`);
  driver.model.acceptance.abort(queue, sending, driver.quiet);
  abort!.abort(new Error('enough'));
  return true;
}

export const sending: Readonly<Record<string, Kind>> = {
  send: { weight: 30, perform: (driver, random) => send(driver, random, false) },
  'send, to be aborted': { weight: 9, perform: (driver, random) => send(driver, random, true) },
  'abort send': { weight: 12, perform: abortSend },
  'send many': { weight: 6, perform: sendMany },
  'send wrongly': { weight: 0.6, calm: true, perform: sendWrongly },
};
