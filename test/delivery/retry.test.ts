import { describe, expect, it } from 'vitest';
import { exponential, fixed, linear, type Backoff, type Message } from '../../src/index.js';
import { policyOf, seededExponential } from '../../src/delivery/retry.js';
import { seededRandom } from '../../src/testing/seeded-random.js';

const waits = (backoff: Backoff, n: number): number[] => Array.from({ length: n }, (_, i) => backoff(i + 1));
const message = {} as Message;

describe('Backoffs', () => {
  it('fixed: always the same wait', () => {
    expect(waits(fixed('250ms'), 3)).toEqual([250, 250, 250]);
    expect(waits(fixed(0), 2)).toEqual([0, 0]);
  });

  it('linear: base, and a step more each time, at most max; the step is the base by default', () => {
    expect(waits(linear({ base: 100, step: 10 }), 4)).toEqual([100, 110, 120, 130]);
    expect(waits(linear({ base: '1s' }), 3)).toEqual([1000, 2000, 3000]);
    expect(waits(linear({ base: '1s', max: '2500ms' }), 4)).toEqual([1000, 2000, 2500, 2500]);
    expect(waits(linear({ base: 5, step: 0 }), 3)).toEqual([5, 5, 5]);
  });

  it('exponential without jitter: base times factor to the power of n − 1, at most max; the factor is 2 by default', () => {
    expect(waits(exponential({ base: 100, jitter: 'none' }), 5)).toEqual([100, 200, 400, 800, 1600]);
    expect(waits(exponential({ base: 10, factor: 3, jitter: 'none' }), 4)).toEqual([10, 30, 90, 270]);
    expect(waits(exponential({ base: 100, max: '1s', jitter: 'none' }), 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(waits(exponential({ base: 100, factor: 1, jitter: 'none' }), 3)).toEqual([100, 100, 100]);
  });

  it('exponential with full jitter, the default: anywhere from 0 to that', () => {
    const drawn = waits(seededExponential({ base: 1000, factor: 1 }, seededRandom(1)), 2000);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...drawn)).toBeLessThan(20);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1000);
    expect(Math.max(...drawn)).toBeGreaterThan(980);
    expect(seededExponential({ base: 1000 }, () => 0.5)(1)).toBe(500);
  });

  it('exponential with equal jitter: half of that, and up to half of it more', () => {
    const drawn = waits(seededExponential({ base: 1000, factor: 1, jitter: 'equal' }, seededRandom(2)), 2000);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(500);
    expect(Math.min(...drawn)).toBeLessThan(520);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(1000);
    expect(Math.max(...drawn)).toBeGreaterThan(980);
  });

  it('stay finite, however often something failed', () => {
    for (const backoff of [
      exponential({ base: '1s', jitter: 'none' }),
      exponential({ base: '1s' }),
      linear({ base: '1d' }),
    ]) {
      expect(Number.isFinite(backoff(1_000_000))).toBe(true);
    }
  });

  it('of base 0 wait for nothing, however often something failed', () => {
    for (const jitter of ['none', 'full', 'equal'] as const) expect(exponential({ base: 0, jitter })(5000)).toBe(0);
  });

  it('are pure but for jitter: the same attempt gives the same wait', () => {
    for (const backoff of [fixed(5), linear({ base: 5 }), exponential({ base: 5, jitter: 'none' })]) {
      expect([backoff(3), backoff(1), backoff(3)]).toEqual([backoff(3), backoff(1), backoff(3)]);
    }
  });

  it.each<[string, () => unknown, ErrorConstructor]>([
    ['fixed()', () => fixed(undefined as never), TypeError],
    ['fixed(-1)', () => fixed(-1), RangeError],
    ['fixed("soon")', () => fixed('soon' as '1s'), TypeError],
    ['linear()', () => linear(undefined as never), TypeError],
    ['linear({})', () => linear({} as never), TypeError],
    ['linear({ base: 1, grow: 2 })', () => linear({ base: 1, grow: 2 } as never), TypeError],
    ['exponential()', () => exponential(undefined as never), TypeError],
    ['exponential({ base: -1 })', () => exponential({ base: -1 }), RangeError],
    ['exponential({ factor: 0.5 })', () => exponential({ base: 1, factor: 0.5 }), RangeError],
    ['exponential({ factor: "2" })', () => exponential({ base: 1, factor: '2' as never }), TypeError],
    ['exponential({ jitter: "some" })', () => exponential({ base: 1, jitter: 'some' as never }), RangeError],
    ['exponential({ max: "x" })', () => exponential({ base: 1, max: 'x' as never }), TypeError],
  ])('refuse wrong arguments: %s', (_, make, kind) => {
    expect(make).toThrow(kind);
  });
});

describe('The policy that retries and burials make together', () => {
  const burial = { buries: true, buriesOverflow: false };
  const never = (): never => {
    throw new Error('nothing to report');
  };

  it('takes each field from the strongest that gives it, else the default', () => {
    const policy = policyOf(
      [{ attempts: 7, backoff: fixed(1) }, undefined, { attempts: undefined, backoff: fixed(2) }],
      burial,
      never,
    );
    expect([policy.attempts, policy.backoff(1, undefined), policy.retryIf(undefined, message)]).toEqual([7, 2, true]);
    const byDefault = policyOf([undefined], burial, never);
    expect(byDefault.attempts).toBe(5);
    for (let n = 1; n < 50; n++) {
      const wait = byDefault.backoff(n, undefined);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(Math.min(30_000, 200 * 2 ** (n - 1)));
    }
    expect(byDefault).toMatchObject(burial);
  });

  it.each([NaN, -1, Infinity * -1, 'soon', null, undefined, {}, 1n])(
    'reports a backoff that returns %s, and waits for the default',
    (nonsense) => {
      const reported: unknown[] = [];
      const policy = policyOf([{ backoff: () => nonsense as number }], burial, (error) => reported.push(error));
      const wait = policy.backoff(1, undefined);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(200);
      expect(reported).toEqual([expect.any(TypeError)]);
    },
  );

  it('takes a backoff that returns Infinity as the longest wait there is', () => {
    const policy = policyOf([{ backoff: () => Infinity }], burial, never);
    expect(Number.isFinite(policy.backoff(1, undefined))).toBe(true);
  });

  it.each([0, 'yes', undefined, null, Promise.resolve(false)])(
    'reports a retryIf that returns %s, and retries',
    (nonsense) => {
      const reported: unknown[] = [];
      const retryIf = (): boolean => nonsense as unknown as boolean;
      const policy = policyOf([{ retryIf }], burial, (error) => reported.push(error));
      expect(policy.retryIf(undefined, message)).toBe(true);
      expect(reported).toEqual([expect.any(TypeError)]);
    },
  );

  it('reports what backoff and retryIf throw, and falls back', () => {
    const reported: unknown[] = [];
    const error = new Error('broken');
    const fails = (): never => {
      throw error;
    };
    const policy = policyOf([{ backoff: fails, retryIf: fails }], burial, (failure) => reported.push(failure));
    expect(policy.retryIf(undefined, message)).toBe(true);
    expect(policy.backoff(1, undefined)).toBeLessThanOrEqual(200);
    expect(reported).toEqual([error, error]);
  });
});
