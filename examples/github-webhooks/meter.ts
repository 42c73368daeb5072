import type { Broker, Clock } from 'sluice';

/** Watches a broker's events: counts, latencies, and whether anything is under way. Dead letters that lie in their queues are at rest. */
export class Meter {
  /** Each time a module finished with a message. */
  handled = 0;
  retried = 0;
  dead = 0;
  private underWay = 0;
  private readonly accepted = new Map<string, number>();
  private readonly latencies = new Map<string, number[]>();
  private readonly changed: () => void;
  private settle: (() => void) | undefined;

  constructor(broker: Broker, changed: () => void = () => undefined) {
    this.changed = changed;
    broker.on('accepted', ({ source, id }) => {
      if (isDeadLetters(source)) return;
      this.underWay++;
      this.accepted.set(`${source} ${id}`, performance.now());
    });
    broker.on('acked', ({ source, id }) => {
      this.handled++;
      const since = this.accepted.get(`${source} ${id}`);
      if (since !== undefined) this.latenciesOf(source).push(performance.now() - since);
      this.finished();
    });
    broker.on('retried', () => {
      this.retried++;
      this.changed();
    });
    broker.on('deadLettered', () => {
      this.dead++;
      this.finished();
    });
  }

  /** Resolves when every message is acknowledged or dead: waiting for a retry counts as under way. False when it takes longer than `within` ms. */
  async settled(clock: Clock, within: number): Promise<boolean> {
    if (this.underWay > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimer(within, resolve);
        this.settle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    return this.underWay === 0;
  }

  /** From acceptance to acknowledgement, all waiting and retries included, ms; undefined where nothing was acknowledged. */
  latency(queue: string, percentile: number): number | undefined {
    const sorted = this.latenciesOf(queue).toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil((percentile / 100) * sorted.length) - 1)];
  }

  private latenciesOf(queue: string): number[] {
    let found = this.latencies.get(queue);
    if (found === undefined) this.latencies.set(queue, (found = []));
    return found;
  }

  private finished(): void {
    this.underWay--;
    this.changed();
    if (this.underWay === 0) this.settle?.();
  }
}

export function isDeadLetters(queue: string): boolean {
  return queue.endsWith('.dlq');
}
