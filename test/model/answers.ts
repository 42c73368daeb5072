import { SluiceError } from '../../src/index.js';
import type { Driver, Pull, Send } from './driver.js';
import { diverge } from './divergence.js';

/** At rest: which promises have come to something, and was it the right thing? */
export function checkAnswers(driver: Driver): void {
  driver.sends = driver.sends.filter((send) => !settled(driver, send));
  driver.pulls = driver.pulls.filter((pull) => !pulled(driver, pull));
  driver.idles = driver.idles.filter(({ queue, answer }) => {
    if (queue.gone && answer.state !== 'resolved') return refusedWith(answer, 'ERR_UNKNOWN_DESTINATION', 'idle()');
    if (answer.state === 'rejected') diverge(`idle() rejected with ${String(answer.error)}`);
    const busy = queue.unacked > 0 || driver.calls.some(({ member, run }) => member.queue === queue && !run.lost);
    if (answer.state === 'pending' && !busy) diverge(`${queue.name} is idle, and idle() does not say so`);
    return answer.state === 'resolved';
  });
  driver.members = driver.members.filter((member) => {
    const { closing, taker, queue } = member;
    if (closing === undefined) return true;
    const busy = taker.running + (taker.options.batch === undefined ? 0 : taker.gathered.length) > 0;
    const late = taker.closesAt! <= driver.now;
    if (closing.state === 'rejected') diverge(`close() of ${taker.name} rejected`);
    if (closing.state === 'pending' && (!busy || late)) diverge(`close() of ${taker.name} should have resolved`);
    if (closing.state === 'pending') return true;
    if (busy && !late && !queue.gone) diverge(`close() of ${taker.name} resolved while its handlers run`);
    taker.closed = true;
    queue.consumers = queue.consumers.filter((other) => other !== taker);
    return false;
  });
}

function settled(driver: Driver, { queue, sending, answer, abort }: Send): boolean {
  const { letters, refused, expected, arrived } = sending;
  const what = `send of ${letters.map(({ draft }) => `#${draft.number}`).join(' ')}`;
  const complete = arrived === expected.length;
  if (refused !== undefined) {
    driver.count(`send: ${refused}`);
    return refusedWith(answer, refused, what);
  }
  if (answer.state === 'rejected' && abort?.signal.aborted === true) {
    driver.count('send: ERR_ABORTED');
    return refusedWith(answer, 'ERR_ABORTED', what);
  }
  if (!complete && queue.gone) return refusedWith(answer, 'ERR_UNKNOWN_DESTINATION', what);
  if (!complete && abort?.signal.aborted === true) return refusedWith(answer, 'ERR_ABORTED', what);
  if (answer.state === 'rejected') diverge(`${what} was rejected with ${String(answer.error)}`);
  if (!complete) {
    if (answer.state === 'resolved') diverge(`${what} resolved, and is not stored`);
    return false;
  }
  if (answer.state === 'pending') diverge(`${what} is stored, and does not say so`);
  const receipts = answer.value!;
  if (receipts.length !== letters.length) diverge(`${what} brought ${receipts.length} receipts`);
  receipts.forEach(({ id, duplicate, destinations, durability }, n) => {
    const letter = letters[n]!;
    const stored = sending.stored[n]!;
    letter.id ??= id;
    if (id !== letter.id || duplicate) diverge(`the receipt of ${letter} has id ${id}, duplicate ${duplicate}`);
    if (destinations.join() !== stored.join())
      diverge(`the receipt of ${letter} says ${destinations.join()}, not ${stored.join()}`);
    const lasting =
      stored.every((name) => driver.model.queue(name).configuration.durable !== false) && letter.draft.persistent;
    const expectedDurability = lasting ? driver.surroundings.storage.durability : 'memory';
    if (stored.length > 0 && durability !== expectedDurability)
      diverge(`the receipt of ${letter} says ${durability}, not ${expectedDurability}`);
  });
  driver.count(`send: ${letters.length === 1 ? 'stored' : 'several stored'}`);
  return true;
}

/** What receive() brought. */
function pulled(driver: Driver, pull: Pull): boolean {
  const { queue, taker, answer, abort, brings } = pull;
  const what = `receive() of ${queue.name}`;
  if (answer.state === 'rejected') {
    const code = queue.gone ? 'ERR_UNKNOWN_DESTINATION' : 'ERR_ABORTED';
    if (code === 'ERR_ABORTED' && abort?.signal.aborted !== true)
      diverge(`${what} rejected with ${String(answer.error)}`);
    driver.count(`receive: ${code}`);
    return refusedWith(answer, code, what);
  }
  if (answer.state === 'pending') {
    if (queue.gone || abort?.signal.aborted === true) diverge(`${what} should have been rejected`);
    if (!queue.takers.includes(taker)) diverge(`${what} was delivered a message, and does not resolve`);
    return false;
  }
  if (answer.value === undefined) {
    if (brings === 'message') diverge(`${what} brought nothing, and there was something`);
    driver.count('receive: nothing');
  } else {
    if (brings === 'nothing') diverge(`${what} brought a message, and there was none`);
    driver.count('receive: message');
  }
  return true;
}

function refusedWith(answer: { readonly state: string; readonly error?: unknown }, code: string, what: string): true {
  if (answer.state !== 'rejected') diverge(`${what} should have been rejected with ${code}, and is ${answer.state}`);
  const found = SluiceError.is(answer.error) ? answer.error.code : (answer.error as Error).name;
  if (found !== code) diverge(`${what} was rejected with ${found}, not ${code}: ${String(answer.error)}`);
  return true;
}
