import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock, Timer } from '../../src/clock.js';
import { Agenda } from '../../src/delivery/agenda.js';
import { ManualClock } from '../../src/testing/manual-clock.js';

/** A clock of which only one thing is known: whether its timers keep a process alive. */
function refCounting(): { clock: Clock; timers: unknown[]; alive: () => boolean } {
  const timers: { alive: boolean }[] = [];
  const setTimer = (): Timer => {
    const timer = { alive: true };
    timers.push(timer);
    return {
      cancel: () => void timers.splice(timers.indexOf(timer), 1),
      ref: () => void (timer.alive = true),
      unref: () => void (timer.alive = false),
    };
  };
  return { clock: { now: () => 0, setTimer }, timers, alive: () => timers.some((timer) => timer.alive) };
}

describe('Agenda', () => {
  it('fires each alarm when it is due, with one timer of the clock for all', async () => {
    const clock = new ManualClock(0);
    const agenda = new Agenda(clock);
    const fired: [string, number][] = [];
    for (const [name, due] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
    ] as const) {
      agenda.alarm(() => fired.push([name, clock.now()])).set(due);
    }
    expect(clock.pending()).toBe(1);
    await clock.advance(100);
    expect(fired).toEqual([
      ['a', 10],
      ['b', 20],
      ['c', 30],
    ]);
    expect(clock.pending()).toBe(0);
  });

  it('fires an alarm once, at the time it was set to last', async () => {
    const clock = new ManualClock(0);
    const agenda = new Agenda(clock);
    const fired: number[] = [];
    const alarm = agenda.alarm(() => fired.push(clock.now()));
    alarm.set(10);
    alarm.set(50);
    alarm.set(30);
    await clock.advance(100);
    expect(fired).toEqual([30]);
    alarm.set(150);
    await clock.advance(100);
    expect(fired).toEqual([30, 150]);
  });

  it('does not fire what was cleared, or set to never', async () => {
    const clock = new ManualClock(0);
    const agenda = new Agenda(clock);
    const fired: string[] = [];
    const cleared = agenda.alarm(() => fired.push('cleared'));
    const never = agenda.alarm(() => fired.push('never'));
    cleared.set(10);
    never.set(10);
    cleared.clear();
    cleared.clear();
    never.set(Infinity);
    await clock.advance(100);
    expect(fired).toEqual([]);
    cleared.set(150);
    await clock.advance(100);
    expect(fired).toEqual(['cleared']);
  });

  it('fires at once what is already due', async () => {
    const clock = new ManualClock(1000);
    const agenda = new Agenda(clock);
    const fired: number[] = [];
    agenda.alarm(() => fired.push(clock.now())).set(5);
    await clock.advance(0);
    expect(fired).toEqual([1000]);
  });

  it('fires what an alarm sets in turn, and not what it clears', async () => {
    const clock = new ManualClock(0);
    const agenda = new Agenda(clock);
    const fired: string[] = [];
    const other = agenda.alarm(() => fired.push('other'));
    const chained = agenda.alarm(() => fired.push('chained'));
    const first = agenda.alarm(() => {
      fired.push('first');
      other.clear();
      chained.set(clock.now());
    });
    first.set(10);
    other.set(20);
    await clock.advance(100);
    expect(fired).toEqual(['first', 'chained']);
  });

  it('fires nothing any more when it is closed, and keeps no timer', async () => {
    const clock = new ManualClock(0);
    const agenda = new Agenda(clock);
    const fired: string[] = [];
    const alarm = agenda.alarm(() => fired.push('fired'));
    alarm.set(10);
    agenda.close();
    expect(clock.pending()).toBe(0);
    alarm.set(20);
    await clock.advance(100);
    expect(fired).toEqual([]);
  });

  it('keeps a process alive while something vital is due, and only then', () => {
    const { clock, timers, alive } = refCounting();
    const agenda = new Agenda(clock);
    const idle = agenda.alarm(() => undefined);
    const vital = agenda.alarm(() => undefined);
    idle.set(10);
    expect(alive()).toBe(false);
    vital.set(20, true);
    expect(alive()).toBe(true);
    idle.set(5);
    expect(alive()).toBe(true);
    vital.clear();
    expect(alive()).toBe(false);
    agenda.close();
    expect(timers).toEqual([]);
  });

  it('keeps it alive for an alarm that becomes vital, until it is not any more', () => {
    const { clock, alive } = refCounting();
    const alarm = new Agenda(clock).alarm(() => undefined);
    alarm.set(20, false);
    alarm.set(20, true);
    expect(alive()).toBe(true);
    alarm.set(30, false);
    expect(alive()).toBe(false);
    alarm.set(10, true);
    expect(alive()).toBe(true);
    alarm.clear();
    expect(alive()).toBe(false);
  });

  it('fires what a list that is sorted by time would fire', async () => {
    const set = fc.record({ alarm: fc.nat(9), due: fc.oneof(fc.nat(100), fc.constant(Infinity)) });
    await fc.assert(
      fc.asyncProperty(fc.array(set, { maxLength: 40 }), async (sets) => {
        const clock = new ManualClock(0);
        const agenda = new Agenda(clock);
        const fired: [number, number][] = [];
        const alarms = Array.from({ length: 10 }, (_, n) => agenda.alarm(() => fired.push([clock.now(), n])));
        const due = new Map<number, number>();
        for (const { alarm, due: at } of sets) {
          alarms[alarm]!.set(at);
          if (at === Infinity) due.delete(alarm);
          else due.set(alarm, at);
        }
        await clock.advance(100);
        expect(fired.map(([at]) => at)).toEqual(fired.map(([at]) => at).toSorted((a, b) => a - b));
        expect(new Map(fired.map(([at, n]) => [n, at]))).toEqual(due);
        expect(fired).toHaveLength(due.size);
      }),
      { numRuns: 60 },
    );
  });
});
