import type { Clock, Timer } from '../clock.js';

/** Something to do at a time. One per purpose and owner, set again and again. */
export class Alarm {
  due = Infinity;
  /** Position in the agenda's heap, −1 when it is not set. */
  at = -1;
  /** Whether a process should stay alive for it. */
  vital = false;
  readonly fire: () => void;
  private readonly agenda: Agenda;

  constructor(agenda: Agenda, fire: () => void) {
    this.agenda = agenda;
    this.fire = fire;
  }

  /** Fires at `due` (ms on the broker's clock), instead of when it was set to. Infinity: not at all. */
  set(due: number, vital = false): void {
    if (due !== this.due || vital !== this.vital) this.agenda.set(this, due, vital);
  }

  clear(): void {
    if (this.at >= 0) this.agenda.set(this, Infinity, false);
  }
}

/**
 * All that is due, behind one timer of the clock. The timer is only ever moved forward at once; one that turns out to be too
 * early is set again when it fires, so that alarms which are set and cleared all the time cost nothing.
 */
export class Agenda {
  private readonly clock: Clock;
  private readonly heap: Alarm[] = [];
  private vitals = 0;
  private timer: Timer | undefined;
  private timerDue = Infinity;
  private closed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  alarm(fire: () => void): Alarm {
    return new Alarm(this, fire);
  }

  set(alarm: Alarm, due: number, vital: boolean): void {
    if (alarm.at >= 0) this.remove(alarm);
    alarm.due = due;
    alarm.vital = vital;
    if (due !== Infinity && !this.closed) this.insert(alarm);
    this.arm();
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = undefined;
    for (const alarm of this.heap) alarm.at = -1;
    this.heap.length = 0;
  }

  private readonly run = (): void => {
    this.timer = undefined;
    this.timerDue = Infinity;
    const now = this.clock.now();
    for (;;) {
      const first = this.heap[0];
      if (first === undefined || first.due > now) break;
      this.remove(first);
      first.due = Infinity;
      first.fire();
    }
    this.arm();
  };

  private arm(): void {
    const first = this.heap[0];
    if (first === undefined || this.closed) {
      // Nothing is due: what the timer still waits for keeps nobody alive.
      this.timer?.unref?.();
      return;
    }
    if (first.due < this.timerDue) {
      this.timer?.cancel();
      this.timerDue = first.due;
      this.timer = this.clock.setTimer(Math.max(0, first.due - this.clock.now()), this.run);
    }
    if (this.vitals > 0) this.timer?.ref?.();
    else this.timer?.unref?.();
  }

  private insert(alarm: Alarm): void {
    if (alarm.vital) this.vitals++;
    this.heap.push(alarm);
    this.up(alarm, this.heap.length - 1);
  }

  private remove(alarm: Alarm): void {
    if (alarm.vital) this.vitals--;
    const last = this.heap.pop()!;
    const at = alarm.at;
    alarm.at = -1;
    if (last === alarm) return;
    this.up(last, at);
    this.down(last, last.at);
  }

  private up(alarm: Alarm, at: number): void {
    while (at > 0) {
      const parent = this.heap[(at - 1) >> 1]!;
      if (parent.due <= alarm.due) break;
      this.place(parent, at);
      at = (at - 1) >> 1;
    }
    this.place(alarm, at);
  }

  private down(alarm: Alarm, at: number): void {
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.heap.length) break;
      if (child + 1 < this.heap.length && this.heap[child + 1]!.due < this.heap[child]!.due) child++;
      if (this.heap[child]!.due >= alarm.due) break;
      this.place(this.heap[child]!, at);
      at = child;
    }
    this.place(alarm, at);
  }

  private place(alarm: Alarm, at: number): void {
    this.heap[at] = alarm;
    alarm.at = at;
  }
}
