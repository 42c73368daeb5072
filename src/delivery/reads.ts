import type { Agenda, Alarm } from './agenda.js';
import type { LogReader } from './cursor/log-reader.js';

/** A read that failed is tried again after this, ms. */
const AGAIN = 1000;

/** The reads of a stock's logs that are not done: who waits for them, and which have to be tried again. */
export class Reads {
  private readonly alarm: Alarm;
  private readonly broken = new Set<LogReader>();
  private waiting: (() => void)[] = [];

  constructor(agenda: Agenda, owner: { loaded(): void }) {
    this.alarm = agenda.alarm(() => {
      for (const reader of this.broken) reader.again();
      this.broken.clear();
      owner.loaded();
    });
  }

  /** Resolves when something was read, or nothing will be. */
  wait(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  done(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }

  failed(reader: LogReader, now: number, vital: boolean): void {
    this.broken.add(reader);
    this.alarm.set(now + AGAIN, vital);
  }

  close(): void {
    this.alarm.clear();
    this.done();
  }
}
