import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownEntry } from '../../src/delivery/cursor/buffer.js';
import { Head, rare } from '../../src/delivery/head.js';
import { NamedHead } from '../../src/delivery/named-head.js';
import { Identities } from '../../src/delivery/identities.js';

const NOW = Date.UTC(2026, 0, 1);

function headOf(identities: Identities, id?: string): Head {
  return new Head(id, identities.seconds, identities.tick, 10, undefined, undefined, undefined);
}

describe('Ids that are made', () => {
  it('are unique and sort by time, thousands in one millisecond as well', () => {
    const identities = new Identities();
    const ids: string[] = [];
    for (let n = 0; n < 20_000; n++) {
      identities.next(NOW + Math.floor(n / 3000));
      ids.push(identities.text());
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids.map(({ length }) => length))).toEqual(new Set([20]));
  });

  it('go on where the clock goes back', () => {
    const identities = new Identities();
    const ids = [0, 1000, 500, -1_000_000, 1001].map((time) => {
      identities.next(NOW + time);
      return identities.text();
    });
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(5);
  });

  it('overtake a clock that stands still for two million messages by a millisecond, and stay unique', () => {
    const identities = new Identities();
    identities.next(NOW);
    const first = headOf(identities);
    for (let n = 1; n < 2 ** 21; n++) identities.next(NOW);
    const last = headOf(identities);
    identities.next(NOW);
    const next = headOf(identities);
    expect([first, last, next].map(({ timestamp }) => timestamp - NOW)).toEqual([0, 0, 1]);
    const ids = [first, last, next].map((head) => identities.of(head));
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
  });

  it('are the same whenever they are asked for, unless an id was given', () => {
    const identities = new Identities();
    const heads: [Head, string][] = [];
    for (let n = 0; n < 5000; n++) {
      identities.next(NOW + (n % 7 === 0 ? n : 0));
      heads.push([headOf(identities), identities.text()]);
    }
    expect(heads.every(([head, text]) => identities.of(head) === text)).toBe(true);
    expect(identities.of(headOf(identities, 'given'))).toBe('given');
  });

  it('differ between brokers that make them in the same millisecond', () => {
    const ids = Array.from({ length: 100 }, () => {
      const identities = new Identities();
      identities.next(NOW);
      return identities.text();
    });
    expect(new Set(ids).size).toBeGreaterThan(98);
  });

  it('order messages by age, within a millisecond too', () => {
    const identities = new Identities();
    const heads = [0, 0, 0, 1, 1500].map((time) => {
      identities.next(NOW + time);
      return headOf(identities);
    });
    const shuffled = [3, 0, 4, 2, 1].map((n) => heads[n]!);
    expect(shuffled.toSorted((a, b) => a.compareAge(b))).toEqual(heads);
  });
});

const text = fc.string({ unit: 'binary', maxLength: 20 });
const time = fc.integer({ min: 0, max: Date.UTC(2200, 0) });
const death = fc.record(
  {
    source: text,
    reason: fc.constantFrom('rejected' as const, 'attempts' as const, 'expired' as const),
    at: time.map((at) => new Date(at)),
    count: fc.nat(),
    attempts: fc.nat(),
    routingKey: text,
    error: fc.record({ name: text, message: text }),
  },
  { requiredKeys: ['source', 'reason', 'at', 'count', 'attempts'] },
);
const extra = fc.record({
  headers: fc.option(
    fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null)), { noNullPrototype: true }),
    { nil: undefined },
  ),
  priority: fc.nat(40),
  due: fc.option(time, { nil: undefined }),
  expires: fc.option(time, { nil: undefined }),
  arrived: fc.option(time, { nil: undefined }),
  deaths: fc.option(fc.array(death, { minLength: 1, maxLength: 3 }), { nil: undefined }),
  codec: fc.option(fc.constantFrom('structured', 'mine'), { nil: undefined }),
  transient: fc.boolean(),
});

describe('Head', () => {
  it('is the same after it was written down as JSON and read back', () => {
    const optional = fc.option(text, { nil: undefined });
    fc.assert(
      fc.property(
        text,
        time,
        fc.nat(2 ** 21 - 1),
        optional,
        optional,
        extra,
        (id, at, counter, key, routingKey, given) => {
          const seconds = Math.floor(at / 1000);
          const head = new Head(
            id,
            seconds,
            (at - seconds * 1000) * 2 ** 21 + counter,
            7,
            key,
            routingKey,
            rare(given),
          );
          const back = Head.from(JSON.parse(JSON.stringify(head)) as object, 7);
          expect(shown(back)).toEqual(shown(head));
        },
      ),
    );
  });

  it('is as small as can be where a message has nothing rare', () => {
    const identities = new Identities();
    identities.next(NOW);
    expect(JSON.parse(JSON.stringify(headOf(identities, 'x')))).toEqual({ i: 'x', t: NOW });
    expect(Head.from({ i: 'x', t: NOW }, 0).rare).toBeUndefined();
  });

  it('is itself where a storage gives the object back', () => {
    const head = headOf(new Identities(), 'x');
    expect(ownEntry({ head }).head).toBe(head);
  });

  it('keeps identity and time in another log, and never changes in its first', () => {
    const first = new Head('x', 5, 6, 7, 'k', 'r', rare({ priority: 3, expires: 9 }));
    const moved = first.moved({ expires: undefined, arrived: 100 }, 'other');
    expect(moved).toMatchObject({ id: 'x', seconds: 5, tick: 6, size: 7, key: 'k', routingKey: 'other' });
    expect(moved.rare).toMatchObject({ priority: 3, expires: undefined, arrived: 100 });
    expect(first).toMatchObject({ routingKey: 'r', rare: { expires: 9, arrived: undefined } });
    expect([first.arrived, moved.arrived]).toEqual([first.timestamp, 100]);
  });

  it('accepted later begins its delay and its ttl then', () => {
    const identities = new Identities();
    identities.next(NOW);
    const head = new Head(
      undefined,
      identities.seconds,
      identities.tick,
      7,
      'k',
      undefined,
      rare({ due: NOW + 10, expires: NOW + 30 }),
    );
    const later = head.acceptedAt(NOW + 5000, 'x');
    expect(later).toMatchObject({ id: 'x', timestamp: NOW + 5000, key: 'k', size: 7 });
    expect(later.rare).toMatchObject({ due: NOW + 5010, expires: NOW + 5030 });
  });
});

/** All that a head says, without what its class adds. */
function shown(head: Head): unknown {
  const { id, seconds, tick, size, key, routingKey, rare: more } = head;
  return { id, seconds, tick, size, key, routingKey, rare: { ...rare({}), ...more } };
}

describe("A head's own JSON", () => {
  it('is what JSON.stringify() makes of it', () => {
    const text = fc.option(fc.string({ unit: 'binary' }), { nil: undefined });
    const seconds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    const tick = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_097_151_999 }));
    const extra = fc.option(fc.record({ priority: fc.nat(9) }), { nil: undefined });
    fc.assert(
      fc.property(text, seconds, tick, text, text, extra, (id, second, at, key, routingKey, given) => {
        const head = new Head(id, second, at, 10, key, routingKey, given && rare(given));
        expect(head.json()).toBe(JSON.stringify(head));
      }),
    );
  });

  it('has no time beside an id that says it', () => {
    const times = fc.oneof(fc.integer({ min: NOW, max: NOW + 3 }), fc.constant(36 ** 9 + 7));
    const some = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.constant('k'.repeat(64)),
      fc.constant('k'.repeat(65)),
    );
    const text = fc.option(some, { nil: undefined });
    const isVerbatim = (one = ''): boolean => /^[ !#-[\]-~]{0,64}$/.test(one);
    fc.assert(
      fc.property(fc.array(times, { minLength: 1 }), text, text, fc.boolean(), (now, key, routingKey, isRare) => {
        const identities = new Identities();
        for (const at of now) identities.next(at);
        const extra = isRare ? rare({ priority: 2 }) : undefined;
        const head = new NamedHead(identities.text(), identities, 7, key, routingKey, extra);
        const json = head.json();
        expect(json).toBe(JSON.stringify(head));
        expect(JSON.parse(json)).not.toHaveProperty('t');
        const bytes = Buffer.alloc(head.spelled + 2, '-');
        if (head.spelled > 0) head.spell(bytes, 1);
        expect(bytes.toString()).toBe(head.spelled > 0 ? `-${json}-` : '--');
        expect(head.spelled > 0).toBe(isVerbatim(key) && isVerbatim(routingKey) && !isRare);
        expect(shown(Head.from(JSON.parse(json) as object, 7))).toEqual(shown(head));
      }),
    );
  });
});
