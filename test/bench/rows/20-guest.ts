import { Broker, reference } from '../../../src/index.js';
import { fill, Tally } from '../loads.js';
import { openBare } from '../queues/bare.js';
import { openFastqPromise } from '../queues/fastq.js';
import { openPQueue } from '../queues/p-queue.js';
import type { OpenQueue } from '../queues/queue.js';
import { openSluice } from '../queues/sluice.js';
import { percentile, type Contender, type Measure, type Row, type Scale } from '../row.js';
import { now } from '../time.js';

const DRAINED = 'while 1,000,000 are drained';
const CIRCLE = 'while one message is requeued for ever';
const MILLION = 1_000_000;

/** Backlogs that sluice drains per run: one takes some fifty ticks of the timer, and a p99 needs more. */
const REPEAT = 4;

/** A timer of 1 ms, set again whenever it fires: how much later than that it fires, ms. */
class Metronome {
  private readonly delays: number[] = [];
  private timer: NodeJS.Timeout | undefined;

  start(): void {
    const set = now();
    this.timer = setTimeout(() => {
      this.delays.push(Math.max(0, now() - set - 1));
      this.start();
    }, 1);
  }

  /** Waits for the tick that is under way: whoever kept it waiting all the time has to answer for it. */
  async stop(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 5));
    clearTimeout(this.timer);
  }

  heard(): { p99: number; worst: number; ticks: number } {
    const sorted = Float64Array.from(this.delays).sort();
    return { p99: percentile(sorted, 0.99), worst: sorted.at(-1)!, ticks: sorted.length };
  }
}

/** The backlog of row 5, and the timers of a host beside it while it is drained. */
function drained(open: OpenQueue, awaitsSends: boolean, repeat = 1): Contender {
  const setUp = async (scale: Scale): Promise<Measure> => {
    const tally = new Tally();
    const queue = await open(tally.handler, 1);
    const count = scale.quick ? MILLION / 5 : MILLION;
    return async () => {
      const metronome = new Metronome();
      let elapsed = 0;
      for (let time = 0; time < repeat; time++) {
        const began = now();
        const handled = tally.expect(count);
        queue.hold();
        await fill(queue, count, awaitsSends);
        metronome.start();
        queue.release();
        await handled;
        elapsed += now() - began;
        await metronome.stop();
      }
      return { ...metronome.heard(), ns: (elapsed * 1e6) / (count * repeat) };
    };
  };
  return { setUp };
}

const circle: Contender = {
  setUp: async (scale) => {
    const broker = await Broker.open({ codec: reference });
    const queue = broker.queue('circle');
    let going = false;
    let turns = 0;
    queue.consume(async (delivery) => {
      turns++;
      if (going) delivery.requeue();
    });
    return async () => {
      turns = 0;
      going = true;
      const metronome = new Metronome();
      metronome.start();
      await queue.send({ n: 0 });
      await new Promise((resolve) => setTimeout(resolve, scale.duration * 2));
      await metronome.stop();
      going = false;
      await queue.idle();
      return { ...metronome.heard(), turns };
    };
  },
};

/** sluice is a guest in somebody's server: what its host's timers feel. */
export const row: Row = {
  number: 20,
  title: "the host's event loop while a backlog is drained: how late a timer of 1 ms fires",
  bare: 'the loop of row 5, which never lets go',
  contests: [
    {
      name: DRAINED,
      figure: 'p99',
      unit: 'ms, p99',
      lives: 2,
      rounds: 3,
      warmUps: 1,
      contenders: {
        sluice: drained(openSluice, true, REPEAT),
        'sluice, greedy': { ...drained(openSluice, true, REPEAT), variant: 'greedy' },
        bare: drained(openBare, true),
        'fastq.promise': drained(openFastqPromise, false),
        'p-queue': drained(openPQueue, false),
      },
    },
    {
      name: CIRCLE,
      figure: 'worst',
      unit: 'ms, worst',
      lives: 1,
      rounds: 5,
      contenders: { sluice: circle },
    },
  ],
  judge: (results) => [
    {
      what: 'timer late while draining, p99',
      value: results.median(DRAINED, 'sluice', 'p99'),
      unit: 'ms',
      better: 'lower',
      target: 10,
      floor: 25,
      note: `worst ${results.median(DRAINED, 'sluice', 'worst').toFixed(1)} ms of ${results.median(DRAINED, 'sluice', 'ticks').toFixed(0)} ticks`,
    },
    {
      what: 'filling and draining, to the same without yielding',
      value: results.best(DRAINED, 'sluice', 'ns') / results.best(DRAINED, 'sluice, greedy', 'ns'),
      unit: '×',
      better: 'lower',
      target: 1.08,
    },
    {
      what: 'timer late beside an endless requeue, worst',
      value: results.median(CIRCLE, 'sluice', 'worst'),
      unit: 'ms',
      better: 'lower',
      target: 20,
      note: `${results.median(CIRCLE, 'sluice', 'turns').toFixed(0)} requeues meanwhile`,
    },
  ],
};
