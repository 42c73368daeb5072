import { describe, expectTypeOf, test } from 'vitest';
import type { Matching } from '../../src/index.js';

interface Keys {
  order: 0;
  'order.created': 0;
  'order.item.added': 0;
  'order.': 0;
  'user.created': 0;
  '': 0;
}

/** The keys of `Keys` that a pattern matches. */
type Of<P extends string> = Matching<Keys, P>;

describe('The keys that a pattern matches', () => {
  test('words are compared as they are', () => {
    expectTypeOf<Of<'order'>>().toEqualTypeOf<'order'>();
    expectTypeOf<Of<'order.created'>>().toEqualTypeOf<'order.created'>();
    expectTypeOf<Of<'Order'>>().toEqualTypeOf<never>();
    expectTypeOf<Of<'order.create'>>().toEqualTypeOf<never>();
  });

  test('* is one word, the empty one too', () => {
    expectTypeOf<Of<'*'>>().toEqualTypeOf<'order'>();
    expectTypeOf<Of<'order.*'>>().toEqualTypeOf<'order.created' | 'order.'>();
    expectTypeOf<Of<'*.created'>>().toEqualTypeOf<'order.created' | 'user.created'>();
    expectTypeOf<Of<'*.*.*'>>().toEqualTypeOf<'order.item.added'>();
  });

  test('# is any number of words, none included', () => {
    expectTypeOf<Of<'#'>>().toEqualTypeOf<keyof Keys>();
    expectTypeOf<Of<'order.#'>>().toEqualTypeOf<'order' | 'order.created' | 'order.item.added' | 'order.'>();
    expectTypeOf<Of<'#.created'>>().toEqualTypeOf<'order.created' | 'user.created'>();
    expectTypeOf<Of<'#.item.#'>>().toEqualTypeOf<'order.item.added'>();
    expectTypeOf<Of<'order.*.#'>>().toEqualTypeOf<'order.created' | 'order.item.added' | 'order.'>();
    expectTypeOf<Of<'#.#.#'>>().toEqualTypeOf<keyof Keys>();
  });

  test('* and # within a word are letters like any other', () => {
    expectTypeOf<Of<'order.c*'>>().toEqualTypeOf<never>();
    expectTypeOf<Of<'order#'>>().toEqualTypeOf<never>();
    expectTypeOf<Matching<{ 'a*.b#': 0; 'ax.by': 0 }, 'a*.b#'>>().toEqualTypeOf<'a*.b#'>();
  });

  test('the empty pattern matches the empty key', () => {
    expectTypeOf<Of<''>>().toEqualTypeOf<''>();
    expectTypeOf<Of<'.'>>().toEqualTypeOf<never>();
  });

  test('of several patterns, those that any of them matches', () => {
    expectTypeOf<Of<'order' | 'user.*'>>().toEqualTypeOf<'order' | 'user.created'>();
    expectTypeOf<Of<'*.created' | 'user.created' | 'typo'>>().toEqualTypeOf<'order.created' | 'user.created'>();
    expectTypeOf<Of<never>>().toEqualTypeOf<never>();
  });

  test('of a pattern that is not known before it runs, all', () => {
    expectTypeOf<Of<string>>().toEqualTypeOf<keyof Keys>();
    expectTypeOf<Matching<Record<string, 0>, string>>().toEqualTypeOf<string>();
  });

  test('keys may be templates', () => {
    type Templates = { [K in `order.${string}`]: 0 } & { [K in `user.${number}.${'a' | 'b'}`]: 0 } & { 'x.y': 0 };
    expectTypeOf<Matching<Templates, 'order.*'>>().toEqualTypeOf<`order.${string}`>();
    expectTypeOf<Matching<Templates, 'order.created'>>().toEqualTypeOf<`order.${string}`>();
    expectTypeOf<Matching<Templates, 'user.*.a'>>().toEqualTypeOf<`user.${number}.a`>();
    expectTypeOf<Matching<Templates, 'user.7.b'>>().toEqualTypeOf<`user.${number}.b`>();
    expectTypeOf<Matching<Templates, '*.y'>>().toEqualTypeOf<'x.y' | `order.${string}`>();
    expectTypeOf<Matching<Templates, 'nobody.#'>>().toEqualTypeOf<never>();
  });

  test('keys may be in an interface, a type, or an enum of strings written as a union', () => {
    type Events = 'a.x' | 'a.y' | 'b';
    expectTypeOf<Matching<Record<Events, unknown>, 'a.*'>>().toEqualTypeOf<'a.x' | 'a.y'>();
    expectTypeOf<Matching<{ readonly [K in Events]?: unknown }, '#'>>().toEqualTypeOf<Events>();
  });

  test('long keys and many # are no trouble', () => {
    type Long = 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z';
    expectTypeOf<Matching<Record<Long, 0>, '#.e.#.m.#.z'>>().toEqualTypeOf<Long>();
    expectTypeOf<Matching<Record<Long, 0>, '#.#.#.#.#.#.no'>>().toEqualTypeOf<never>();
  });
});
