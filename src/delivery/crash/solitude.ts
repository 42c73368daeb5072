import type { Agenda, Alarm } from '../agenda.js';
import type { Held } from '../held.js';

/** How long nothing else begins beside a suspect, ms. It may yet end the process, but nobody waits for ever. */
export const LONGEST_TRIAL = 60_000;

/** Keeps a suspect alone in its consumer, for as long as its handler runs, and a minute at most. */
export class Solitude {
  private alone: Held | undefined;
  /** Suspects that are no longer alone, and whose handlers still run. */
  private readonly outstayed = new Set<Held>();
  private readonly alarm: Alarm;

  /** @param over somebody else may begin */
  constructor(agenda: Agenda, over: () => void) {
    this.alarm = agenda.alarm(() => {
      this.outstayed.add(this.alone!);
      this.alone = undefined;
      over();
    });
  }

  begin(suspect: Held, now: number): void {
    this.alone = suspect;
    this.alarm.set(now + LONGEST_TRIAL);
  }

  /** Its handler has returned, or is not waited for any more. */
  end(suspect: Held): void {
    this.outstayed.delete(suspect);
    if (this.alone !== suspect) return;
    this.alone = undefined;
    this.alarm.clear();
  }

  /** Somebody is to be alone. */
  get kept(): boolean {
    return this.alone !== undefined;
  }

  /** Handlers that run and are not waited for by the next suspect. */
  get beside(): number {
    return this.outstayed.size;
  }
}
