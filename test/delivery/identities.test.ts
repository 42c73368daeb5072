import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COUNTERS, Identities, parsed } from '../../src/delivery/identities.js';

test('the text of an identity says when it was made, and as the how many-th of its millisecond', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 36 ** 9 - 1 }),
      fc.integer({ min: 0, max: COUNTERS - 1 }),
      (time, counter) => {
        const identities = new Identities();
        identities.next(time);
        const { seconds, tick } = identities;
        const text = identities.of({ id: undefined, seconds, tick: tick + counter });
        expect(parsed(text)).toEqual({ time, counter });
      },
    ),
  );
});
