import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../src/delivery/token-bucket.js';

function takeAll(bucket: TokenBucket, now: number): number {
  let taken = 0;
  for (; bucket.available(now) > 0; taken++) bucket.take(now);
  return taken;
}

describe('TokenBucket', () => {
  it('starts full, and gets a token back every per/max milliseconds', () => {
    const bucket = new TokenBucket(4, 1000, 0);
    expect(takeAll(bucket, 0)).toBe(4);
    expect(bucket.next()).toBe(250);
    expect(bucket.available(249)).toBe(0);
    expect(bucket.available(250)).toBe(1);
    expect(takeAll(bucket, 999)).toBe(3);
    expect(takeAll(bucket, 1000)).toBe(1);
  });

  it('never holds more than it can', () => {
    const bucket = new TokenBucket(3, 1000, 0);
    expect(bucket.available(1_000_000)).toBe(3);
    expect(takeAll(bucket, 1_000_000)).toBe(3);
    expect(takeAll(bucket, 1_000_333)).toBe(0);
    expect(takeAll(bucket, 1_000_334)).toBe(1);
  });

  it('counts from the moment the first token goes, not from when it was last full', () => {
    const bucket = new TokenBucket(1, 1000, 0);
    bucket.take(500);
    expect(bucket.available(1499)).toBe(0);
    expect(bucket.available(1500)).toBe(1);
  });

  it('holds its rate in any window, at any rate, whenever it is asked, and gives all of it', () => {
    const waits = fc.array(fc.double({ min: 0, max: 700, noNaN: true }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 5000 }), waits, (max, per, steps) => {
        const bucket = new TokenBucket(max, per, 0);
        const taken: number[] = [];
        let now = 0;
        for (const step of steps) {
          now += step;
          const got = takeAll(bucket, now);
          for (let n = 0; n < got; n++) taken.push(now);
          // Empty now: the next token is at most one interval away, and not in the past.
          expect(bucket.next()).toBeGreaterThan(now - 1e-6);
          expect(bucket.next()).toBeLessThanOrEqual(now + per / max + 1e-6);
        }
        taken.forEach((until, last) => {
          for (let from = 0; from <= last; from++) {
            const most = max + (until - taken[from]!) / (per / max) + 1e-6;
            expect(last - from + 1).toBeLessThanOrEqual(most);
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('does not drift over thousands of tokens at an odd rate', () => {
    const bucket = new TokenBucket(7, 1000, 0);
    takeAll(bucket, 0);
    let taken = 0;
    for (let now = 0; now <= 100_000; now++) taken += takeAll(bucket, now);
    expect(taken).toBe(700);
  });

  it('names a time at which a token is there, and that is not now, at the time of a real clock', () => {
    const start = Date.UTC(2026, 0, 1);
    const steps = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 50 }), steps, (max, per, waits) => {
        const bucket = new TokenBucket(max, per, start);
        takeAll(bucket, start);
        let now = start;
        for (const wait of waits) {
          now += wait;
          takeAll(bucket, now);
          expect(bucket.next()).toBeGreaterThan(now);
          now = bucket.next();
          expect(bucket.available(now)).toBe(1);
          bucket.take(now);
        }
      }),
    );
  });

  it('does not announce a token for now that is not there yet', () => {
    const start = Date.UTC(2026, 0, 1);
    const bucket = new TokenBucket(3, 10, start);
    takeAll(bucket, start);
    for (const later of [4, 7, 10]) {
      expect(bucket.available(start + later)).toBe(1);
      bucket.take(start + later);
      expect(bucket.available(start + later)).toBe(0);
      expect(bucket.next()).toBeGreaterThan(start + later);
    }
  });
});
