import { describe, expect, it } from 'vitest';
import { deadHead, isCycle } from '../../src/delivery/dead-letters.js';
import { Head, rare } from '../../src/delivery/head.js';
import type { Death } from '../../src/index.js';

const NOW = 5000;
const head = new Head('x', 1, 2, 7, 'k', 'r', rare({ priority: 3, due: 8, expires: 9, headers: { h: 1 } }));
const died = (source: string, reason: Death['reason']): Death => ({
  source,
  reason,
  at: new Date(0),
  count: 1,
  attempts: 1,
});

describe('The head of a dead letter', () => {
  it('keeps id, keys, headers and priority, and drops ttl and delay', () => {
    const dead = deadHead(head, { source: 'orders' }, 'rejected', 2, NOW, undefined);
    expect(dead).toMatchObject({ id: 'x', seconds: 1, tick: 2, size: 7, key: 'k', routingKey: 'r' });
    expect(dead.rare).toMatchObject({
      priority: 3,
      headers: { h: 1 },
      due: undefined,
      expires: undefined,
      arrived: NOW,
    });
  });

  it('has its newest death first, with what was known of it', () => {
    const once = deadHead(head, { source: 'orders' }, 'rejected', 2, NOW, new TypeError('no'));
    expect(once.rare!.deaths).toEqual([
      {
        source: 'orders',
        reason: 'rejected',
        at: new Date(NOW),
        count: 1,
        attempts: 2,
        routingKey: 'r',
        error: { name: 'TypeError', message: 'no', stack: expect.any(String) },
      },
    ]);
    const twice = deadHead(once, { source: 'later' }, 'expired', 0, NOW + 1, undefined);
    expect(twice.rare!.deaths!.map(({ source, reason }) => [source, reason])).toEqual([
      ['later', 'expired'],
      ['orders', 'rejected'],
    ]);
  });

  it('counts deaths of one source and reason in one entry, which comes first again', () => {
    let dead = deadHead(head, { source: 'a' }, 'rejected', 1, NOW, undefined);
    dead = deadHead(dead, { source: 'a' }, 'expired', 1, NOW + 1, undefined);
    dead = deadHead(dead, { source: 'b' }, 'rejected', 1, NOW + 2, undefined);
    dead = deadHead(dead, { source: 'a' }, 'rejected', 4, NOW + 3, undefined);
    expect(dead.rare!.deaths!.map(({ source, reason, count, attempts }) => [source, reason, count, attempts])).toEqual([
      ['a', 'rejected', 2, 4],
      ['b', 'rejected', 1, 1],
      ['a', 'expired', 1, 1],
    ]);
    expect(dead.rare!.deaths![0]!.at).toEqual(new Date(NOW + 3));
  });
});

describe('A dead letter runs in a circle', () => {
  it.each<[boolean, string, readonly Death[]]>([
    [false, 'it died nowhere but here', [died('a', 'expired')]],
    [true, 'it expired there, and here', [died('b', 'expired'), died('t', 'expired')]],
    [true, 'it died there of overflow or of being invalid', [died('b', 'overflow'), died('t', 'invalid')]],
    [true, 'it goes back to where it died just now', [died('t', 'expired')]],
    [false, 'it is rejected here, on its way there', [died('b', 'rejected'), died('t', 'expired')]],
    [false, 'it was rejected there', [died('b', 'expired'), died('t', 'rejected')]],
    [false, 'it used up its attempts here', [died('b', 'attempts'), died('t', 'expired')]],
    [false, 'it used up its attempts there', [died('b', 'expired'), died('t', 'attempts')]],
    [false, 'it was rejected in between', [died('b', 'expired'), died('c', 'rejected'), died('t', 'expired')]],
    [true, 'it was rejected long before', [died('b', 'expired'), died('t', 'expired'), died('c', 'rejected')]],
  ])('%s: where %s', (expected, _, deaths) => {
    expect(isCycle(deaths, 't')).toBe(expected);
  });
});
