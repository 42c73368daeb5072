import { fill, Tally } from '../loads.js';
import { openBare } from '../queues/bare.js';
import { openFastqPromise } from '../queues/fastq.js';
import { openPQueue } from '../queues/p-queue.js';
import type { OpenQueue } from '../queues/queue.js';
import { openSluice } from '../queues/sluice.js';
import { openSmqp } from '../queues/smqp.js';
import type { Contender, Measure, Results, Row, Scale } from '../row.js';
import { now } from '../time.js';

const MILLION = 1_000_000;
const SMALL = 10_000;
const SMQP = [10_000, 20_000, 40_000] as const;
const NAME = 'queued, then drained';

/**
 * Fills a queue whose consumer is held, then lets it go. Small backlogs are repeated, so that every run takes its time. The
 * peers whose promise is that of completion have nothing to await while the queue fills: less work than the others do.
 */
function backlog(open: OpenQueue, size: number, awaitsSends: boolean, repeat = 1): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const tally = new Tally();
    const queue = await open(tally.handler, 1);
    const count = scale.quick ? Math.min(size, MILLION / 5) : size;
    return async () => {
      let filling = 0;
      let draining = 0;
      for (let time = 0; time < repeat; time++) {
        const began = now();
        const handled = tally.expect(count);
        queue.hold();
        await fill(queue, count, awaitsSends);
        const filled = now();
        queue.release();
        await handled;
        filling += filled - began;
        draining += now() - filled;
      }
      const messages = count * repeat;
      const each = 1e6 / messages;
      return { ns: (filling + draining) * each, fill: filling * each, drain: draining * each, messages };
    };
  };
  return { setUp };
}

/** A backlog: a million messages wait before the consumer comes. */
export const row: Row = {
  number: 5,
  title: '1,000,000 queued, then drained by a trivial async handler, concurrency 1',
  bare: 'ring, worker loop, `await handler`, one promise per send',
  contests: [
    {
      name: NAME,
      figure: 'ns',
      unit: 'ns/message',
      lives: 1,
      rounds: 5,
      warmUps: 1,
      contenders: {
        sluice: backlog(openSluice, MILLION, true),
        bare: backlog(openBare, MILLION, true),
        'sluice at 10k': backlog(openSluice, SMALL, true, 30),
        'bare at 10k': backlog(openBare, SMALL, true, 30),
        'fastq.promise': backlog(openFastqPromise, MILLION, false),
        'p-queue': backlog(openPQueue, MILLION, false),
        ...Object.fromEntries(SMQP.map((size) => [smqpAt(size), backlog(openSmqp, size, false)])),
      },
    },
  ],
  judge: (results) => {
    const ahead = (of: string, figure = 'ns'): number => results.ratio(NAME, of, 'sluice', figure);
    const check = { unit: '×', better: 'higher' } as const;
    const largest = SMQP.at(-1)!;
    const smqp = smqpAtAMillion(results);
    return [
      { ...check, what: 'of bare, filled and drained', value: ahead('bare'), target: 0.5, floor: 0.35 },
      {
        ...check,
        what: 'drain rate at 1M of that at 10k',
        value: results.ratio(NAME, 'sluice at 10k', 'sluice', 'drain'),
        target: 0.7,
        note: `bare: ${results.ratio(NAME, 'bare at 10k', 'bare', 'drain').toFixed(2)}`,
      },
      { ...check, what: '× fastq.promise', value: ahead('fastq.promise'), target: 3 },
      {
        ...check,
        what: '× smqp',
        value: smqp / results.median(NAME, 'sluice', 'ns'),
        target: 50,
        note: `extrapolated: its time per message grows with the backlog, a + b·n, fitted to ${SMQP.join(', ')}; already ${ahead(smqpAt(largest)).toFixed(0)}× with ${largest}`,
      },
    ];
  },
};

function smqpAt(size: number): string {
  return `smqp at ${size / 1000}k`;
}

/** ns per message by the straight line through its medians at two sizes: acknowledging moves everything behind by one place. */
function smqpAtAMillion(results: Results): number {
  const [from, , to] = SMQP;
  const [low, high] = [results.median(NAME, smqpAt(from), 'ns'), results.median(NAME, smqpAt(to), 'ns')];
  return high + ((high - low) / (to - from)) * (MILLION - to);
}
