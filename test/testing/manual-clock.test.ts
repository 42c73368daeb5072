import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../src/testing/manual-clock.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that starts at 0 and a list of what fired when. */
function recorded(): { clock: ManualClock; fired: [string, number][]; set: (delay: number, name: string) => void } {
  const clock = new ManualClock(0);
  const fired: [string, number][] = [];
  const set = (delay: number, name: string): void => {
    clock.setTimer(delay, () => fired.push([name, clock.now()]));
  };
  return { clock, fired, set };
}

describe('ManualClock', () => {
  it('stands still, at the same instant in every run', async () => {
    const clock = new ManualClock();
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    await turn();
    expect(new Date(clock.now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
  });

  it('starts where it is told', () => {
    expect(new ManualClock(new Date('1999-12-31T23:59:59Z')).now()).toBe(Date.UTC(1999, 11, 31, 23, 59, 59));
    expect(new ManualClock(0).now()).toBe(0);
    expect(new ManualClock(-5).now()).toBe(-5);
  });

  it.each([
    [new Date(NaN), TypeError, 'an invalid Date'],
    ['2026-01-01', TypeError, '"2026-01-01"'],
    [null, TypeError, 'null'],
    [{}, TypeError, 'an object'],
    [NaN, RangeError, 'NaN'],
    [Infinity, RangeError, 'Infinity'],
  ])('refuses to start at %s', (start, kind, given) => {
    const make = (): ManualClock => new ManualClock(start as Date);
    expect(make).toThrow(kind);
    expect(make).toThrow(given);
  });

  it('advances by milliseconds or a duration', async () => {
    const clock = new ManualClock(0);
    await clock.advance(5);
    await clock.advance('2s');
    await clock.advance(0);
    await clock.advance('1.5h');
    expect(clock.now()).toBe(5 + 2000 + 5_400_000);
  });

  it('refuses to advance by what is no duration, and stays where it is', async () => {
    const clock = new ManualClock(0);
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advance('soon' as '1s')).rejects.toThrow(TypeError);
    await expect(clock.advance(undefined as unknown as number)).rejects.toThrow(TypeError);
    expect(clock.now()).toBe(0);
  });

  it.each([
    [-1, RangeError],
    [NaN, RangeError],
    ['5', TypeError],
    [undefined, TypeError],
  ])('refuses a timer of %s', (delay, kind) => {
    const clock = new ManualClock();
    expect(() => clock.setTimer(delay as number, () => undefined)).toThrow(kind);
    expect(clock.pending()).toBe(0);
  });

  it('refuses a timer without a function', () => {
    expect(() => new ManualClock().setTimer(1, 'fire' as unknown as () => void)).toThrow(TypeError);
  });

  it('fires by due time, then by age, each at its own time', async () => {
    const { clock, fired, set } = recorded();
    set(30, 'c');
    set(10, 'a');
    set(20, 'b1');
    set(20, 'b2');
    set(10, 'a2');
    set(31, 'late');
    await clock.advance(30);
    expect(fired).toEqual([
      ['a', 10],
      ['a2', 10],
      ['b1', 20],
      ['b2', 20],
      ['c', 30],
    ]);
    expect(clock.now()).toBe(30);
    expect(clock.pending()).toBe(1);
    expect(clock.nextDue()).toBe(31);
  });

  it('fires not a millisecond early, and once', async () => {
    const { clock, fired, set } = recorded();
    set(1000, 'x');
    await clock.advance(999);
    expect(fired).toEqual([]);
    await clock.advance(1);
    await clock.advance(5000);
    expect(fired).toEqual([['x', 1000]]);
    expect(clock.nextDue()).toBeUndefined();
  });

  it('fires a timer without delay with the next advance(), even by nothing', async () => {
    const { clock, fired, set } = recorded();
    set(0, 'x');
    await turn();
    expect(fired).toEqual([]);
    await clock.advance(0);
    expect(fired).toEqual([['x', 0]]);
  });

  it('takes delays longer than setTimeout can', async () => {
    const { clock, fired, set } = recorded();
    set(2 ** 31, 'month');
    set(40 * 365 * 86_400_000, 'decades');
    set(Infinity, 'never');
    await clock.advance(2 ** 31 - 1);
    expect(fired).toEqual([]);
    await clock.advance(1);
    await clock.advance('29200d');
    expect(fired).toEqual([
      ['month', 2 ** 31],
      ['decades', 40 * 365 * 86_400_000],
    ]);
    expect(clock.pending()).toBe(1);
  });

  it('cancels, at any time and as often as one likes', async () => {
    const { clock, fired, set } = recorded();
    set(10, 'a');
    const cancelled = clock.setTimer(10, () => fired.push(['cancelled', 0]));
    set(10, 'b');
    const late = clock.setTimer(5, () => cancelled.cancel());
    expect(clock.pending()).toBe(4);
    await clock.advance(10);
    cancelled.cancel();
    late.cancel();
    late.cancel();
    expect(fired.map(([name]) => name)).toEqual(['a', 'b']);
    expect(clock.pending()).toBe(0);
  });

  it('a timer that is gone cannot be cancelled in the place of another', async () => {
    const { clock, fired, set } = recorded();
    const first = clock.setTimer(10, () => undefined);
    const last = clock.setTimer(40, () => undefined);
    set(20, 'sooner');
    set(30, 'later');
    last.cancel();
    last.cancel();
    await clock.advance(10);
    first.cancel();
    expect(clock.pending()).toBe(2);
    await clock.advance(20);
    expect(fired).toEqual([
      ['sooner', 20],
      ['later', 30],
    ]);
  });

  it('fires timers that are set on the way, if they fall due', async () => {
    const { clock, fired, set } = recorded();
    clock.setTimer(10, () => {
      set(0, 'at once');
      set(10, 'in time');
      set(11, 'too late');
    });
    set(20, 'older');
    await clock.advance(20);
    expect(fired).toEqual([
      ['at once', 10],
      ['older', 20],
      ['in time', 20],
    ]);
  });

  it('lets handlers run between: promises, turns of the event loop, and timers they set then', async () => {
    const { clock, fired, set } = recorded();
    const work = async (name: string): Promise<void> => {
      for (let i = 0; i < 20; i++) await Promise.resolve();
      for (let i = 0; i < 5; i++) await turn();
      fired.push([name, clock.now()]);
      for (let i = 0; i < 5; i++) await turn();
      set(5, `${name}, later`);
    };
    clock.setTimer(10, () => void work('first'));
    clock.setTimer(11, () => void work('second'));
    await clock.advance(20);
    expect(fired).toEqual([
      ['first', 10],
      ['second', 11],
      ['first, later', 15],
      ['second, later', 16],
    ]);
  });

  it('lets what was begun before advance() set its timers first', async () => {
    const { clock, fired, set } = recorded();
    void turn().then(() => set(10, 'begun before'));
    await clock.advance(10);
    expect(fired).toEqual([['begun before', 10]]);
  });

  it('lets who waits for the time by looking see it come', async () => {
    const clock = new ManualClock(0);
    let seen = false;
    const look = (): void => {
      seen = clock.now() >= 10;
      if (!seen) setImmediate(look);
    };
    look();
    await clock.advance(10);
    expect(seen).toBe(true);
  });

  it('goes on in the end when somebody looks at it for ever', async () => {
    const clock = new ManualClock(0);
    let done = false;
    const spin = (): void => {
      clock.now();
      if (!done) setImmediate(spin);
    };
    spin();
    await clock.advance(10);
    done = true;
    expect(clock.now()).toBe(10);
  });

  it('queues an advance() during an advance()', async () => {
    const { clock, fired, set } = recorded();
    const done: string[] = [];
    let inner: Promise<void> | undefined;
    clock.setTimer(10, () => {
      fired.push(['outer', clock.now()]);
      inner = clock.advance(100).then(() => void done.push('inner'));
    });
    set(20, 'a');
    set(50, 'b');
    const first = clock.advance(20).then(() => void done.push('first'));
    const second = clock.advance(20).then(() => void done.push('second'));
    await first;
    expect(clock.now()).toBe(20);
    await Promise.all([second, first]);
    await inner;
    expect(fired).toEqual([
      ['outer', 10],
      ['a', 20],
      ['b', 50],
    ]);
    expect(done).toEqual(['first', 'second', 'inner']);
    expect(clock.now()).toBe(140);
  });

  it('rejects with what a timer throws, stops there, and can go on', async () => {
    const { clock, fired, set } = recorded();
    clock.setTimer(10, () => {
      throw new Error('thrown by a timer');
    });
    set(15, 'after');
    await expect(clock.advance(20)).rejects.toThrow('thrown by a timer');
    expect(clock.now()).toBe(10);
    await clock.advance(5);
    expect(fired).toEqual([['after', 15]]);
  });

  it('waits for what it is told to wait for, before and between timers', async () => {
    const { clock, fired, set } = recorded();
    let turnsLeft = 0;
    clock.waitFor(() => turnsLeft > 0 && turnsLeft-- > 0);
    const answered = async (name: string): Promise<void> => {
      while (turnsLeft > 0) await turn();
      fired.push([name, clock.now()]);
    };
    clock.setTimer(10, () => {
      turnsLeft = 50;
      void answered('answer');
    });
    set(20, 'later');
    await clock.advance(20);
    expect(fired).toEqual([
      ['answer', 10],
      ['later', 20],
    ]);
    expect(() => clock.waitFor(1 as never)).toThrow(TypeError);
  });

  it('fires 10,000 timers in order', async () => {
    const clock = new ManualClock(0);
    const fired: number[] = [];
    const delays = Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 10_007);
    for (const delay of delays) clock.setTimer(delay, () => fired.push(delay));
    expect(clock.pending()).toBe(10_000);
    await clock.advance(10_007);
    expect(fired).toEqual(delays.toSorted((a, b) => a - b));
  });
});
